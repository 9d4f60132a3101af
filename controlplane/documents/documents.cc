// SPDX-License-Identifier: Apache-2.0
#include "controlplane/documents/documents.h"

#include <utility>

#include "controlplane/documents/reader.h"

namespace cordon::cp {
namespace {

constexpr size_t kMostBytes = 64 * 1024 * 1024;

class DocumentParser {
 public:
  void Read(const DocumentSource& source) {
    bytes_ += source.content.size();
    if (bytes_ > kMostBytes) {
      parsed_.faults.push_back(
          {source.file, "the documents of one call may have 64 MiB; split them up"});
      return;
    }
    file_ = source.file;
    dp::YamlFile file = dp::YamlFile::Parse(source.file, source.content);
    for (const dp::YamlNode& document : file.documents()) ReadDocument(document);
    for (const dp::YamlFault& fault : file.faults()) {
      parsed_.faults.push_back({fault.place, fault.message});
    }
  }

  ParsedDocuments Take() { return std::move(parsed_); }

 private:
  enum Kind : size_t { kPeer, kProfile, kGateway, kDevice, kOverlay, kNoKind };

  void ReadDocument(const dp::YamlNode& document) {
    dp::YamlMap map = document.AsMap();
    if (!document.IsMap()) return;
    const auto kind_node = map.Require("kind");
    const size_t kind =
        kind_node ? kind_node->AsOneOf({"Peer", "Profile", "Gateway", "Device", "Overlay"})
                        .value_or(kNoKind)
                  : kNoKind;
    std::string name;
    const auto name_node = map.Require("name");
    if (name_node) name = name_node->AsString().value_or("");
    if (kind == kNoKind) {
      map.Ignore();  // without its kind nobody knows which keys are right
      return;
    }
    constexpr std::string_view kKinds[] = {"Peer", "Profile", "Gateway", "Device", "Overlay"};
    const std::string_view kind_name = kKinds[kind];
    const std::string key = std::string(kind_name) + " " + name;
    if (name_node && name_node->IsScalar()) {
      const std::string refusal = RefuseName(kind_name, name);
      if (!refusal.empty()) name_node->Fail(refusal);
      const auto [first, is_new] = parsed_.places.emplace(key, LineOf(file_, document));
      if (!is_new) name_node->Fail(key + " is already defined at " + first->second);
    }
    ReadKind(static_cast<Kind>(kind), map, name, key);
  }

  void ReadKind(Kind kind, dp::YamlMap& map, const std::string& name, const std::string& key) {
    switch (kind) {
      case kPeer:
        parsed_.peers.push_back(ReadPeer(map, name));
        return;
      case kGateway:
        parsed_.gateways.push_back(ReadGateway(map, name));
        return;
      case kDevice:
        parsed_.devices.push_back(ReadDevice(map, name));
        return;
      case kProfile:
      case kOverlay:
      case kNoKind:
        break;
    }
    std::vector<dp::YamlNode> rules;
    if (kind == kProfile) parsed_.profiles.push_back(ReadProfile(map, name, rules));
    if (kind == kOverlay) parsed_.overlays.push_back(ReadOverlay(map, name, rules));
    for (size_t i = 0; i < rules.size(); ++i) {
      parsed_.places.emplace(key + " rules[" + std::to_string(i) + "]", LineOf(file_, rules[i]));
    }
  }

  ParsedDocuments parsed_;
  std::string file_;
  size_t bytes_ = 0;
};

}  // namespace

ParsedDocuments ParseDocuments(const std::vector<DocumentSource>& sources) {
  DocumentParser parser;
  for (const DocumentSource& source : sources) parser.Read(source);
  return parser.Take();
}

Configuration Merge(const Configuration& base, const ParsedDocuments& documents) {
  Configuration merged = base;
  for (const Peer& peer : documents.peers) merged.peers[peer.name] = peer;
  for (const Profile& profile : documents.profiles) merged.profiles[profile.name] = profile;
  for (const GatewayConfig& gateway : documents.gateways) merged.gateways[gateway.name] = gateway;
  for (const Overlay& overlay : documents.overlays) merged.overlays[overlay.name] = overlay;
  for (const Device& device : documents.devices) merged.devices[device.name] = device;
  return merged;
}

}  // namespace cordon::cp

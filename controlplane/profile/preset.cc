// SPDX-License-Identifier: Apache-2.0
#include "controlplane/profile/preset.h"

#include <array>
#include <utility>

namespace cordon::cp {
namespace {

struct Preset {
  std::string_view name;
  std::string_view help;
};
struct PresetLine {
  std::string_view preset;
  std::string_view id;
  std::string_view initiator;
  std::string_view protocol;
  std::string_view peers;
  std::string_view group;
  std::string_view peer_ports;
  std::string_view device_ports;
  std::string_view icmp_types;
  std::string_view reason;
};

constexpr Preset kPresets[] = {
#define CORDON_PRESET(name, help) {name, help},
#define CORDON_PRESET_RULE(...)
#include "controlplane/profile/preset.def"
#undef CORDON_PRESET
#undef CORDON_PRESET_RULE
};

constexpr PresetLine kLines[] = {
#define CORDON_PRESET(name, help)
#define CORDON_PRESET_RULE(...) {__VA_ARGS__},
#include "controlplane/profile/preset.def"
#undef CORDON_PRESET
#undef CORDON_PRESET_RULE
};

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    words.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return words;
}

std::vector<dp::PortRange> PortsOf(std::string_view text) {
  std::vector<dp::PortRange> ports;
  for (const std::string& word : Split(text)) {
    if (const auto range = dp::ParsePortRange(word)) ports.push_back(*range);
  }
  return ports;
}

// "any" takes all that the line names.
std::vector<std::string> PeersOf(std::string_view text, const std::vector<std::string>& own) {
  std::vector<std::string> peers;
  for (std::string& word : Split(text)) {
    if (word == "$peer") {
      peers.insert(peers.end(), own.begin(), own.end());
    } else {
      peers.push_back(std::move(word));
    }
  }
  for (const std::string& peer : peers) {
    if (peer == "any") return {"any"};
  }
  return peers;
}

ProfileRule RuleOf(const PresetLine& line, const ProfileRule& rule) {
  ProfileRule made = rule;
  made.preset.clear();
  made.id = rule.id + "-" + std::string(line.id);
  made.initiator = line.initiator == "peer" ? RuleInitiator::kPeer : RuleInitiator::kDevice;
  SetProtocol(made, line.protocol);
  made.peer = PeersOf(line.peers, rule.peer);
  made.group = line.group.empty() ? std::nullopt : dp::ParseIp(line.group);
  made.peer_ports = PortsOf(line.peer_ports);
  made.device_ports = PortsOf(line.device_ports);
  made.icmp_types.clear();
  for (const std::string& type : Split(line.icmp_types)) {
    made.icmp_types.push_back(static_cast<uint8_t>(std::stoi(type)));
  }
  if (made.reason.empty()) made.reason = line.reason;
  return made;
}

}  // namespace

std::vector<std::string> PresetNames() {
  std::vector<std::string> names;
  for (const Preset& preset : kPresets) names.emplace_back(preset.name);
  return names;
}

std::string_view PresetHelp(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return preset.help;
  }
  return "";
}

std::vector<ProfileRule> ExpandRule(const ProfileRule& rule) {
  if (rule.preset.empty()) return {rule};
  std::vector<ProfileRule> rules;
  for (const PresetLine& line : kLines) {
    if (line.preset == rule.preset) rules.push_back(RuleOf(line, rule));
  }
  return rules;
}

std::vector<ProfileRule> ExpandRules(const std::vector<ProfileRule>& rules) {
  std::vector<ProfileRule> all;
  all.reserve(rules.size());
  for (const ProfileRule& rule : rules) {
    for (ProfileRule& one : ExpandRule(rule)) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace cordon::cp

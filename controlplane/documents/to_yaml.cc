// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/documents/documents.h"
#include "dataplane/yaml/strict_yaml.h"

namespace cordon::cp {
namespace {

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Words that YAML readers take for something else than text.
bool IsReserved(std::string_view text) {
  constexpr std::string_view kWords[] = {"null", "true", "false", "yes", "no", "on", "off"};
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords);
}

bool IsPlain(std::string_view text) {
  if (text.empty() || !IsAlnum(text.front()) || text.back() == ' ' || IsReserved(text)) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsAlnum(c) || c == ' ' || c == '.' || c == '_' || c == '-' || c == '/';
  });
}

std::string Scalar(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr char kHex[] = "0123456789abcdef";
      quoted += "\\x";
      quoted += kHex[byte >> 4];
      quoted += kHex[byte & 15];
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

template <typename T, typename F>
std::string Flow(const std::vector<T>& values, F text) {
  std::string list = "[";
  for (const T& value : values) {
    if (list.size() > 1) list += ", ";
    list += Scalar(text(value));
  }
  return list + "]";
}

void Field(std::string& yaml, std::string_view key, const std::string& value,
           std::string_view indent = "") {
  if (value.empty()) return;
  yaml += std::string(indent) + std::string(key) + ": " + Scalar(value) + "\n";
}

std::string Head(std::string_view kind, const std::string& name) {
  return "kind: " + std::string(kind) + "\nname: " + Scalar(name) + "\n";
}

std::string_view Word(RuleProtocol protocol) {
  constexpr std::string_view kWords[] = {"tcp", "udp", "icmp", "icmpv6", "any"};
  return kWords[static_cast<size_t>(protocol)];
}

// A bare address where the prefix is one address.
std::string AddressText(const dp::IpPrefix& prefix) {
  const bool one_address = prefix.length == (prefix.address.IsV4() ? 32 : 128);
  return one_address ? ToString(prefix.address) : ToString(prefix);
}

std::string RuleYaml(const ProfileRule& rule) {
  constexpr std::string_view kIndent = "    ";
  const auto range_text = [](dp::PortRange range) { return dp::ToString(range); };
  std::string yaml = "  - id: " + Scalar(rule.id) + "\n";
  Field(yaml, "initiator", rule.initiator == RuleInitiator::kDevice ? "device" : "peer", kIndent);
  yaml += "    peer: ";
  yaml += rule.peer.size() == 1 ? Scalar(rule.peer.front())
                                : Flow(rule.peer, [](const std::string& peer) { return peer; });
  yaml += "\n";
  Field(yaml, "protocol", std::string(Word(rule.protocol)), kIndent);
  if (!rule.peer_ports.empty())
    yaml += "    peer_ports: " + Flow(rule.peer_ports, range_text) + "\n";
  if (!rule.device_ports.empty()) {
    yaml += "    device_ports: " + Flow(rule.device_ports, range_text) + "\n";
  }
  if (!rule.icmp_types.empty()) {
    yaml += "    icmp_types: " +
            Flow(rule.icmp_types, [](uint8_t type) { return std::to_string(type); }) + "\n";
  }
  if (rule.vlan) Field(yaml, "vlan", dp::ToString(*rule.vlan), kIndent);
  if (rule.idle_timeout.count() != 0) {
    Field(yaml, "idle_timeout", dp::FormatDuration(rule.idle_timeout), kIndent);
  }
  if (rule.keep_alive) yaml += "    keep_alive: true\n";
  Field(yaml, "reason", rule.reason, kIndent);
  return yaml;
}

}  // namespace

std::string ToYaml(const Peer& peer) {
  std::string yaml = Head("Peer", peer.name);
  Field(yaml, "description", peer.description);
  yaml += "addresses: " + Flow(peer.addresses, AddressText) + "\n";
  return yaml;
}

std::string ToYaml(const Profile& profile) {
  std::string yaml = Head("Profile", profile.name);
  Field(yaml, "description", profile.description);
  if (!profile.match.empty()) yaml += "match:\n";
  for (const ProfileMatch& match : profile.match) {
    std::string fields;
    const auto add = [&](std::string_view key, const std::string& value) {
      if (value.empty()) return;
      fields += (fields.empty() ? "" : ", ") + std::string(key) + ": " + Scalar(value);
    };
    add("class", match.device_class);
    add("vendor", match.vendor);
    add("model", match.model);
    yaml += "  - {" + fields + "}\n";
  }
  yaml += profile.rules.empty() ? "rules: []\n" : "rules:\n";
  for (const ProfileRule& rule : profile.rules) yaml += RuleYaml(rule);
  return yaml;
}

std::string ToYaml(const GatewayConfig& gateway) {
  std::string yaml = Head("Gateway", gateway.name) + "pairs: [";
  for (size_t i = 0; i < gateway.pairs.size(); ++i) {
    yaml += std::string(i == 0 ? "" : ", ") + "{name: " + Scalar(gateway.pairs[i]) + "}";
  }
  yaml += "]\n";
  Field(yaml, "unknown_device", gateway.unknown_device);
  return yaml;
}

std::string ToYaml(const Device& device) {
  std::string yaml = Head("Device", device.name);
  std::string identity;
  const auto add = [&](const std::string& text) {
    identity += (identity.empty() ? "" : ", ") + text;
  };
  if (!device.macs.empty()) {
    add("mac: " + Flow(device.macs, [](dp::MacAddress mac) { return ToString(mac); }));
  }
  if (!device.ips.empty()) {
    add("ip: " + Flow(device.ips, [](const dp::IpAddress& ip) { return ToString(ip); }));
  }
  if (device.vlan != dp::VlanTags{}) add("vlan: " + Scalar(dp::ToString(device.vlan)));
  if (!identity.empty()) yaml += "identity: {" + identity + "}\n";
  Field(yaml, "vendor", device.vendor);
  Field(yaml, "model", device.model);
  Field(yaml, "class", device.device_class);
  Field(yaml, "location", device.location);
  Field(yaml, "serial", device.serial);
  Field(yaml, "asset_tag", device.asset_tag);
  Field(yaml, "profile", device.profile);
  Field(yaml, "gateway", device.gateway);
  Field(yaml, "pair", device.pair);
  Field(yaml, "mode", std::string(ToString(device.mode)));
  return yaml;
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/documents/documents.h"
#include "controlplane/policy/ethertype.h"
#include "controlplane/profile/instant.h"
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

// A bare address where the prefix is one address.
std::string AddressText(const dp::IpPrefix& prefix) {
  const bool one_address = prefix.length == (prefix.address.IsV4() ? 32 : 128);
  return one_address ? ToString(prefix.address) : ToString(prefix);
}

std::string PeerYaml(const std::vector<std::string>& peers) {
  return "    peer: " +
         (peers.size() == 1 ? Scalar(peers.front())
                            : Flow(peers, [](const std::string& peer) { return peer; })) +
         "\n";
}

std::string PortsYaml(std::string_view key, const std::vector<dp::PortRange>& ports) {
  if (ports.empty()) return "";
  return "    " + std::string(key) + ": " +
         Flow(ports, [](dp::PortRange range) { return dp::ToString(range); }) + "\n";
}

std::string TypesYaml(const std::vector<uint8_t>& types) {
  if (types.empty()) return "";
  return "    icmp_types: " + Flow(types, [](uint8_t type) { return std::to_string(type); }) + "\n";
}

std::string ProtectionYaml(const Protection& protection) {
  std::string yaml;
  // "off" would be read as a truth value elsewhere; as a scalar of ours it is quoted.
  if (protection.level) Field(yaml, "protection", std::string(ToString(*protection.level)));
  if (protection.checks.empty()) return yaml;
  yaml += "checks:\n";
  for (const auto& [check, action] : protection.checks) {
    yaml += "  " + std::string(dp::ToString(check)) + ": " + std::string(ToString(action)) + "\n";
  }
  return yaml;
}

std::string KnobsYaml(const Knobs& knobs) {
  std::string yaml = ProtectionYaml(knobs.protection);
  if (knobs.limits.empty()) return yaml;
  yaml += "limits:\n";
  std::string map;  // that is open
  for (const auto& [limit, value] : knobs.limits) {
    const std::string name(ToString(limit));
    const size_t dot = name.find('.');
    const std::string parent = dot == std::string::npos ? "" : name.substr(0, dot);
    if (!parent.empty() && parent != map) yaml += "  " + parent + ":\n";
    map = parent;
    yaml += (parent.empty() ? "  " + name : "    " + name.substr(dot + 1)) + ": " +
            std::to_string(value) + "\n";
  }
  return yaml;
}

std::string GuardsYaml(const dp::GuardSpec& guards) {
  std::string yaml = "ethertypes: " + Flow(guards.ethertypes, EthertypeText);
  if (!guards.dhcp_servers.empty()) {
    yaml += ", dhcp_servers: " +
            Flow(guards.dhcp_servers, [](const dp::IpAddress& ip) { return ToString(ip); });
  }
  const auto rate = [&yaml](std::string_view key, uint32_t frames) {
    if (frames != 0) yaml += ", " + std::string(key) + ": " + std::to_string(frames);
  };
  rate("arp_per_second", guards.arp_per_second);
  rate("group_per_second", guards.group_per_second);
  return "{" + yaml + "}";
}

std::string RuleYaml(const ProfileRule& rule) {
  constexpr std::string_view kIndent = "    ";
  std::string yaml = "  - id: " + Scalar(rule.id) + "\n";
  Field(yaml, "preset", rule.preset, kIndent);
  if (rule.preset.empty()) {
    Field(yaml, "initiator", rule.initiator == RuleInitiator::kDevice ? "device" : "peer", kIndent);
  }
  yaml += PeerYaml(rule.peer);
  if (rule.preset.empty()) {
    Field(yaml, "protocol", ProtocolText(rule.protocol, rule.protocol_number), kIndent);
  }
  yaml += PortsYaml("peer_ports", rule.peer_ports) + PortsYaml("device_ports", rule.device_ports) +
          TypesYaml(rule.icmp_types);
  if (rule.group) Field(yaml, "group", ToString(*rule.group), kIndent);
  if (rule.vlan) Field(yaml, "vlan", dp::ToString(*rule.vlan), kIndent);
  if (rule.idle_timeout.count() != 0) {
    Field(yaml, "idle_timeout", dp::FormatDuration(rule.idle_timeout), kIndent);
  }
  if (rule.keep_alive) yaml += "    keep_alive: true\n";
  if (rule.expires_at) Field(yaml, "expires_at", FormatInstant(*rule.expires_at), kIndent);
  if (rule.log) yaml += "    log: true\n";
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
  yaml += KnobsYaml(profile.knobs);
  yaml += profile.rules.empty() ? "rules: []\n" : "rules:\n";
  for (const ProfileRule& rule : profile.rules) yaml += RuleYaml(rule);
  return yaml;
}

std::string ToYaml(const GatewayConfig& gateway) {
  std::string yaml = Head("Gateway", gateway.name) + "pairs: [";
  for (size_t i = 0; i < gateway.pairs.size(); ++i) {
    yaml += std::string(i == 0 ? "" : ", ") + "{name: " + Scalar(gateway.pairs[i]);
    const auto guards = gateway.guards.find(gateway.pairs[i]);
    if (guards != gateway.guards.end()) yaml += ", guards: " + GuardsYaml(guards->second);
    yaml += "}";
  }
  yaml += "]\n";
  Field(yaml, "unknown_device", gateway.unknown_device);
  return yaml + ProtectionYaml(gateway.protection);
}

std::string ToYaml(const Overlay& overlay) {
  std::string yaml = Head("Overlay", overlay.name);
  Field(yaml, "description", overlay.description);
  yaml += overlay.rules.empty() ? "rules: []\n" : "rules:\n";
  for (const OverlayRule& rule : overlay.rules) {
    yaml += "  - id: " + Scalar(rule.id) + "\n" + PeerYaml(rule.peer);
    Field(yaml, "protocol", ProtocolText(rule.protocol, rule.protocol_number), "    ");
    yaml += PortsYaml("ports", rule.ports) + TypesYaml(rule.icmp_types);
    Field(yaml, "reason", rule.reason, "    ");
  }
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
  return yaml + KnobsYaml(device.knobs);
}

}  // namespace cordon::cp

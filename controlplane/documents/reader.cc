// SPDX-License-Identifier: Apache-2.0
#include "controlplane/documents/reader.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "controlplane/profile/instant.h"

namespace cordon::cp {
namespace {

using dp::YamlMap;
using dp::YamlNode;

// Reads a text by `parse` and appends what it gives, or faults with what would be right.
template <typename T, typename Parse>
void ReadEach(const std::vector<YamlNode>& nodes, Parse parse, const std::string& wanted,
              std::vector<T>& values) {
  for (const YamlNode& node : nodes) {
    const auto text = node.AsString();
    if (!text) continue;
    const auto value = parse(*text);
    if (!value) {
      node.Fail("'" + text->substr(0, 60) + "' is not " + wanted);
    } else if (std::find(values.begin(), values.end(), *value) != values.end()) {
      node.Fail("'" + text->substr(0, 60) + "' is listed twice");
    } else {
      values.push_back(*value);
    }
  }
}

template <typename T, typename Parse>
void ReadList(YamlMap& map, std::string_view key, Parse parse, const std::string& wanted,
              std::vector<T>& values) {
  if (const auto node = map.Find(key)) ReadEach(node->AsListOrOne(), parse, wanted, values);
}

constexpr std::string_view kPrefixWanted =
    "an address or prefix such as 10.20.0.10, 10.20.4.0/28 or fd00:20::/64 without host bits";

std::optional<dp::VlanTags> ReadVlan(YamlMap& map) {
  const auto node = map.Find("vlan");
  if (!node) return std::nullopt;
  const auto text = node->AsString();
  if (!text) return std::nullopt;
  const auto vlan = text->empty() ? std::nullopt : dp::ParseVlan(*text);
  if (!vlan) {
    node->Fail(
        "'" + text->substr(0, 60) +
        "' is not a VLAN; write 30, or \"100.30\" for outer and inner tag (ids 1 to 4094), or "
        "leave it out for untagged");
  }
  return vlan;
}

std::optional<uint8_t> ParseIcmpType(const std::string& text) {
  if (text.empty() || text.size() > 3 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  const int type = std::stoi(text);
  return type <= 255 ? std::optional(static_cast<uint8_t>(type)) : std::nullopt;
}

// Lines of a preset say themselves what else a rule says; only what every rule has is left.
void ReadService(YamlMap& map, ProfileRule& rule) {
  if (const auto preset = map.Find("preset")) {
    rule.preset = preset->AsString().value_or("");
    return;
  }
  if (const auto initiator = map.Require("initiator")) {
    rule.initiator = initiator->AsOneOf({"device", "peer"}).value_or(0) == 0
                         ? RuleInitiator::kDevice
                         : RuleInitiator::kPeer;
  }
  ReadProtocol(map, rule.protocol, rule.protocol_number);
  rule.peer_ports = ReadPorts(map, "peer_ports");
  rule.device_ports = ReadPorts(map, "device_ports");
  rule.icmp_types = ReadIcmpTypes(map);
  if (const auto group = map.Find("group")) {
    std::vector<dp::IpAddress> groups;
    ReadEach(
        {*group}, [](const std::string& text) { return dp::ParseIp(text); },
        "a multicast or broadcast address such as 224.0.0.251", groups);
    if (!groups.empty()) rule.group = groups.front();
  }
}

void ReadExpiry(YamlMap& map, ProfileRule& rule) {
  const auto node = map.Find("expires_at");
  const auto text = node ? node->AsString() : std::nullopt;
  if (!text) return;
  rule.expires_at = ParseInstant(*text);
  if (rule.expires_at) return;
  node->Fail("'" + text->substr(0, 60) +
             "' is not a time with its zone such as 2026-12-24T18:00:00Z or "
             "2026-12-24T19:00:00+01:00 (RFC 3339)");
}

ProfileRule ReadRule(const YamlNode& node) {
  YamlMap map = node.AsMap();
  ProfileRule rule;
  rule.id = map.RequiredString("id");
  ReadService(map, rule);
  rule.peer = ReadPeers(map);
  rule.vlan = ReadVlan(map);
  rule.idle_timeout = std::chrono::duration_cast<std::chrono::seconds>(
      map.Duration("idle_timeout", std::chrono::nanoseconds(0),
                   {std::chrono::seconds(1), std::chrono::hours(24 * 40)}));
  rule.keep_alive = map.Bool("keep_alive", false);
  ReadExpiry(map, rule);
  rule.log = map.Bool("log", false);
  rule.reason = map.String("reason");
  if (rule.reason.empty() && node.IsMap())
    node.Fail("no reason: say why the device needs this rule");
  return rule;
}

OverlayRule ReadOverlayRule(const YamlNode& node) {
  YamlMap map = node.AsMap();
  OverlayRule rule;
  rule.id = map.RequiredString("id");
  rule.peer = ReadPeers(map);
  ReadProtocol(map, rule.protocol, rule.protocol_number);
  rule.ports = ReadPorts(map, "ports");
  rule.icmp_types = ReadIcmpTypes(map);
  rule.reason = map.String("reason");
  if (rule.reason.empty() && node.IsMap()) node.Fail("no reason: say why it is denied everywhere");
  return rule;
}

ProfileMatch ReadMatch(const YamlNode& node) {
  YamlMap map = node.AsMap();
  ProfileMatch match;
  match.device_class = map.String("class");
  match.vendor = map.String("vendor");
  match.model = map.String("model");
  return match;
}

void ReadIdentity(YamlMap& map, Device& device) {
  const auto node = map.Find("identity");
  if (!node) return;
  YamlMap identity = node->AsMap();
  ReadList(
      identity, "mac", [](const std::string& text) { return dp::ParseMac(text); },
      "a MAC address such as 02:00:00:00:30:21", device.macs);
  ReadList(
      identity, "ip", [](const std::string& text) { return dp::ParseIp(text); },
      "an IP address such as 10.30.0.21 or fd00:30::21", device.ips);
  device.vlan = ReadVlan(identity).value_or(dp::VlanTags{});
}

}  // namespace

std::string LineOf(const std::string& file, const dp::YamlNode& node) {
  return file + ":" + std::to_string(node.line());
}

std::vector<std::string> ReadPeers(YamlMap& map) {
  std::vector<std::string> peers;
  const auto node = map.Require("peer");
  if (!node) return peers;
  for (const YamlNode& one : node->AsListOrOne()) {
    const auto text = one.AsString();
    if (!text) continue;
    if (dp::ParsePrefix(*text) || IsResourceName(*text)) {
      peers.push_back(*text);
    } else {
      one.Fail("'" + text->substr(0, 60) + "' is neither a Peer's name nor 'any' nor " +
               std::string(kPrefixWanted));
    }
  }
  return peers;
}

std::vector<uint8_t> ReadIcmpTypes(YamlMap& map) {
  std::vector<uint8_t> types;
  ReadList(map, "icmp_types", ParseIcmpType, "an ICMP type (0 to 255)", types);
  return types;
}

std::vector<dp::PortRange> ReadPorts(YamlMap& map, std::string_view key) {
  std::vector<dp::PortRange> ports;
  ReadList(
      map, key, [](const std::string& text) { return dp::ParsePortRange(text); },
      "a port or a range such as 104 or \"1024-2047\" (1 to 65535)", ports);
  return ports;
}

void ReadProtocol(YamlMap& map, RuleProtocol& protocol, uint8_t& number) {
  const auto node = map.Require("protocol");
  const auto text = node ? node->AsString() : std::nullopt;
  if (!text || ParseProtocol(*text, protocol, number)) return;
  node->Fail("'" + text->substr(0, 60) +
             "' is not one of tcp, udp, icmp, icmpv6, igmp, any, or an IP protocol number");
}

Peer ReadPeer(YamlMap& map, std::string name) {
  Peer peer;
  peer.name = std::move(name);
  peer.description = map.String("description");
  if (const auto addresses = map.Require("addresses")) {
    ReadEach(
        addresses->AsListOrOne(), [](const std::string& text) { return dp::ParsePrefix(text); },
        std::string(kPrefixWanted), peer.addresses);
  }
  return peer;
}

GatewayConfig ReadGateway(YamlMap& map, std::string name) {
  GatewayConfig gateway;
  gateway.name = std::move(name);
  if (const auto pairs = map.Require("pairs")) {
    for (const YamlNode& pair : pairs->AsList()) {
      YamlMap one = pair.AsMap();
      gateway.pairs.push_back(one.RequiredString("name"));
      if (const auto guards = one.Find("guards")) {
        gateway.guards[gateway.pairs.back()] = ReadGuards(guards->AsMap());
      }
    }
  }
  gateway.protection = ReadProtection(map);
  gateway.unknown_device = map.String("unknown_device", "deny");
  return gateway;
}

Device ReadDevice(YamlMap& map, std::string name) {
  Device device;
  device.name = std::move(name);
  ReadIdentity(map, device);
  device.vendor = map.String("vendor");
  device.model = map.String("model");
  device.device_class = map.String("class");
  device.location = map.String("location");
  device.serial = map.String("serial");
  device.asset_tag = map.String("asset_tag");
  device.profile = map.String("profile");
  device.gateway = map.String("gateway");
  device.pair = map.String("pair");
  device.mode =
      static_cast<DeviceMode>(map.OneOf("mode", {"observe", "audit", "enforce", "quarantine"}, 0));
  device.knobs = ReadKnobs(map);
  device.source = "apply";
  return device;
}

Profile ReadProfile(YamlMap& map, std::string name, std::vector<YamlNode>& rule_nodes) {
  Profile profile;
  profile.name = std::move(name);
  profile.description = map.String("description");
  for (const YamlNode& node : map.List("match")) profile.match.push_back(ReadMatch(node));
  profile.knobs = ReadKnobs(map);
  rule_nodes = map.List("rules");
  for (const YamlNode& node : rule_nodes) profile.rules.push_back(ReadRule(node));
  return profile;
}

Overlay ReadOverlay(YamlMap& map, std::string name, std::vector<YamlNode>& rule_nodes) {
  Overlay overlay;
  overlay.name = std::move(name);
  overlay.description = map.String("description");
  rule_nodes = map.List("rules");
  for (const YamlNode& node : rule_nodes) overlay.rules.push_back(ReadOverlayRule(node));
  return overlay;
}

}  // namespace cordon::cp

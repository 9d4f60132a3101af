// SPDX-License-Identifier: Apache-2.0
#include "controlplane/documents/reader.h"

#include <algorithm>
#include <chrono>
#include <utility>

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

void ReadRulePeers(YamlMap& map, ProfileRule& rule) {
  const auto node = map.Require("peer");
  if (!node) return;
  for (const YamlNode& one : node->AsListOrOne()) {
    const auto text = one.AsString();
    if (!text) continue;
    if (dp::ParsePrefix(*text) || IsResourceName(*text)) {
      rule.peer.push_back(*text);
    } else {
      one.Fail("'" + text->substr(0, 60) + "' is neither a Peer's name nor 'any' nor " +
               std::string(kPrefixWanted));
    }
  }
}

ProfileRule ReadRule(const YamlNode& node) {
  YamlMap map = node.AsMap();
  ProfileRule rule;
  rule.id = map.RequiredString("id");
  if (const auto initiator = map.Require("initiator")) {
    rule.initiator = initiator->AsOneOf({"device", "peer"}).value_or(0) == 0
                         ? RuleInitiator::kDevice
                         : RuleInitiator::kPeer;
  }
  ReadRulePeers(map, rule);
  if (const auto protocol = map.Require("protocol")) {
    rule.protocol = static_cast<RuleProtocol>(
        protocol->AsOneOf({"tcp", "udp", "icmp", "icmpv6", "any"}).value_or(0));
  }
  const auto parse_ports = [](const std::string& text) { return dp::ParsePortRange(text); };
  const std::string ports = "a port or a range such as 104 or \"1024-2047\" (1 to 65535)";
  ReadList(map, "peer_ports", parse_ports, ports, rule.peer_ports);
  ReadList(map, "device_ports", parse_ports, ports, rule.device_ports);
  ReadList(map, "icmp_types", ParseIcmpType, "an ICMP type (0 to 255)", rule.icmp_types);
  rule.vlan = ReadVlan(map);
  rule.idle_timeout = std::chrono::duration_cast<std::chrono::seconds>(
      map.Duration("idle_timeout", std::chrono::nanoseconds(0),
                   {std::chrono::seconds(1), std::chrono::hours(24 * 40)}));
  rule.keep_alive = map.Bool("keep_alive", false);
  rule.reason = map.String("reason");
  if (rule.reason.empty() && node.IsMap())
    node.Fail("no reason: say why the device needs this rule");
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
      gateway.pairs.push_back(pair.AsMap().RequiredString("name"));
    }
  }
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
  device.source = "apply";
  return device;
}

Profile ReadProfile(YamlMap& map, std::string name, std::vector<YamlNode>& rule_nodes) {
  Profile profile;
  profile.name = std::move(name);
  profile.description = map.String("description");
  for (const YamlNode& node : map.List("match")) profile.match.push_back(ReadMatch(node));
  rule_nodes = map.List("rules");
  for (const YamlNode& node : rule_nodes) profile.rules.push_back(ReadRule(node));
  return profile;
}

}  // namespace cordon::cp

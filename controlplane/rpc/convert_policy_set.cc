// SPDX-License-Identifier: Apache-2.0
// The policy set of a gateway as it is pushed.
#include "controlplane/rpc/convert.h"

namespace cordon::cp {
namespace {

// What rules and overlay rules have in common.
template <typename Rule, typename Proto>
void AddMatch(const Rule& rule, Proto& proto) {
  proto.set_origin(rule.origin);
  proto.set_protocol(ToProto(rule.protocol));
  proto.set_protocol_number(rule.protocol_number);
  if (rule.any_peer) {
    proto.set_any_peer(true);
  } else {
    for (const dp::IpPrefix& prefix : rule.peers) {
      proto.mutable_prefixes()->add_prefixes(dp::ToString(prefix));
    }
  }
  for (const uint8_t type : rule.icmp_types) proto.add_icmp_types(type);
}

void AddRule(const dp::RuleSpec& rule, v1::Rule& proto) {
  AddMatch(rule, proto);
  proto.set_initiator(ToProto(rule.initiator));
  ToProto(rule.peer_ports, *proto.mutable_peer_ports());
  ToProto(rule.device_ports, *proto.mutable_device_ports());
  if (rule.vlan) ToProto(*rule.vlan, *proto.mutable_vlan());
  if (rule.idle_timeout.count() > 0) {
    *proto.mutable_idle_timeout() = ToProto(std::chrono::nanoseconds(rule.idle_timeout));
  }
  proto.set_keep_alive(rule.keep_alive);
  if (rule.group) proto.set_group(dp::ToString(*rule.group));
  if (rule.expires_at) *proto.mutable_expires_at() = InstantToProto(*rule.expires_at);
  proto.set_log(rule.log);
}

v1::ProtectionLevel LevelOf(dp::Protection level) {
  switch (level) {
    case dp::Protection::kOff:
      return v1::PROTECTION_LEVEL_OFF;
    case dp::Protection::kStandard:
      return v1::PROTECTION_LEVEL_STANDARD;
    case dp::Protection::kStrict:
      return v1::PROTECTION_LEVEL_STRICT;
  }
  return v1::PROTECTION_LEVEL_UNSPECIFIED;
}

// The default is not sent.
template <typename Proto>
void AddProtection(const dp::ProtectionSpec& protection, Proto& proto) {
  if (protection == dp::ProtectionSpec{}) return;
  v1::Protection& added = *proto.mutable_protection();
  added.set_level(LevelOf(protection.level));
  for (const auto& [check, action] : protection.overrides) {
    const std::string name(dp::ToString(check));
    action == dp::CheckAction::kDrop ? added.add_drop(name) : added.add_pass(name);
  }
}

void AddRates(const dp::RateLimits& rates, v1::RateLimits& proto) {
  proto.set_packets_per_second(rates.packets_per_second);
  proto.set_bytes_per_second(rates.bytes_per_second);
  proto.set_new_flows_per_second(rates.new_flows_per_second);
}

void AddLimits(const dp::LimitSpec& limits, v1::DevicePolicy& proto) {
  if (limits == dp::LimitSpec{}) return;
  v1::Limits& added = *proto.mutable_limits();
  AddRates(limits.toward, *added.mutable_toward());
  AddRates(limits.from, *added.mutable_from());
  added.set_max_flows(limits.max_flows);
  added.set_max_half_open(limits.max_half_open);
}

void AddGuards(const std::string& pair, const dp::GuardSpec& guards, v1::PolicySet& proto) {
  if (guards == dp::GuardSpec{}) return;
  v1::PairGuards& added = *proto.add_guards();
  added.set_pair(pair);
  for (const uint16_t ethertype : guards.ethertypes) added.add_ethertypes(ethertype);
  for (const dp::IpAddress& server : guards.dhcp_servers) {
    added.add_dhcp_servers(dp::ToString(server));
  }
  added.set_arp_per_second(guards.arp_per_second);
  added.set_group_per_second(guards.group_per_second);
}

void AddDevice(const dp::DeviceSpec& device, v1::DevicePolicy& proto) {
  proto.set_name(device.name);
  proto.set_pair(device.pair);
  if (device.vlan != dp::VlanTags{}) ToProto(device.vlan, *proto.mutable_vlan());
  for (const dp::MacAddress mac : device.macs) proto.add_macs(dp::ToString(mac));
  for (const dp::IpAddress& ip : device.ips) proto.add_ips(dp::ToString(ip));
  proto.set_mode(ToProto(device.mode));
  proto.set_ruleset(device.ruleset);
  AddProtection(device.protection, proto);
  AddLimits(device.limits, proto);
}

}  // namespace

v1::PolicySet ToProto(const PolicySet& set) {
  v1::PolicySet proto;
  proto.set_gateway(set.gateway);
  proto.set_generation(set.generation);
  for (const std::string& pair : set.pairs) proto.add_pairs(pair);
  for (const dp::RulesetSpec& ruleset : set.rulesets) {
    v1::Ruleset& added = *proto.add_rulesets();
    added.set_name(ruleset.name);
    for (const dp::RuleSpec& rule : ruleset.rules) AddRule(rule, *added.add_rules());
  }
  for (const dp::DeviceSpec& device : set.devices) AddDevice(device, *proto.add_devices());
  AddProtection(set.protection, proto);
  for (size_t i = 0; i < set.guards.size(); ++i) AddGuards(set.pairs[i], set.guards[i], proto);
  for (const dp::OverlayRuleSpec& rule : set.overlay) {
    v1::OverlayRule& added = *proto.add_overlay();
    AddMatch(rule, added);
    ToProto(rule.ports, *added.mutable_ports());
  }
  if (set.unknown_device_ruleset) proto.set_unknown_device_ruleset(*set.unknown_device_ruleset);
  return proto;
}

}  // namespace cordon::cp

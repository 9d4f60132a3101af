// SPDX-License-Identifier: Apache-2.0
// The policy set of a gateway as it is pushed.
#include "controlplane/rpc/convert.h"

namespace cordon::cp {
namespace {

void AddPorts(const std::vector<dp::PortRange>& ranges,
              google::protobuf::RepeatedPtrField<v1::PortRange>& proto) {
  for (const dp::PortRange& range : ranges) {
    v1::PortRange& added = *proto.Add();
    added.set_first(range.first);
    added.set_last(range.last);
  }
}

void AddRule(const dp::RuleSpec& rule, v1::Rule& proto) {
  proto.set_origin(rule.origin);
  proto.set_initiator(ToProto(rule.initiator));
  proto.set_protocol(ToProto(rule.protocol));
  if (rule.any_peer) {
    proto.set_any_peer(true);
  } else {
    for (const dp::IpPrefix& prefix : rule.peers) {
      proto.mutable_prefixes()->add_prefixes(dp::ToString(prefix));
    }
  }
  AddPorts(rule.peer_ports, *proto.mutable_peer_ports());
  AddPorts(rule.device_ports, *proto.mutable_device_ports());
  for (const uint8_t type : rule.icmp_types) proto.add_icmp_types(type);
  if (rule.vlan) ToProto(*rule.vlan, *proto.mutable_vlan());
  if (rule.idle_timeout.count() > 0) {
    *proto.mutable_idle_timeout() = ToProto(std::chrono::nanoseconds(rule.idle_timeout));
  }
  proto.set_keep_alive(rule.keep_alive);
}

void AddDevice(const dp::DeviceSpec& device, v1::DevicePolicy& proto) {
  proto.set_name(device.name);
  proto.set_pair(device.pair);
  if (device.vlan != dp::VlanTags{}) ToProto(device.vlan, *proto.mutable_vlan());
  for (const dp::MacAddress mac : device.macs) proto.add_macs(dp::ToString(mac));
  for (const dp::IpAddress& ip : device.ips) proto.add_ips(dp::ToString(ip));
  proto.set_mode(ToProto(device.mode));
  proto.set_ruleset(device.ruleset);
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
  if (set.unknown_device_ruleset) proto.set_unknown_device_ruleset(*set.unknown_device_ruleset);
  return proto;
}

}  // namespace cordon::cp

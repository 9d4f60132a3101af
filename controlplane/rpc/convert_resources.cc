// SPDX-License-Identifier: Apache-2.0
// Resources, changes and answers.
#include "controlplane/rpc/convert.h"

#include "controlplane/policy/describe.h"

namespace cordon::cp {
namespace {

template <typename Message>
void SetChanged(const Snapshot& snapshot, const std::string& key, Message& proto) {
  const auto found = snapshot.changed.find(key);
  if (found != snapshot.changed.end()) *proto.mutable_changed() = ToProto(found->second);
}

void AddStrings(const std::vector<std::string>& values,
                google::protobuf::RepeatedPtrField<std::string>& proto) {
  proto.Assign(values.begin(), values.end());
}

void AddKnobs(const std::map<std::string, std::string>& knobs,
              google::protobuf::Map<std::string, std::string>& proto) {
  proto.insert(knobs.begin(), knobs.end());
}

v1::ChangeType ToProto(ChangeType type) {
  switch (type) {
    case ChangeType::kAdded:
      return v1::CHANGE_TYPE_ADDED;
    case ChangeType::kChanged:
      return v1::CHANGE_TYPE_CHANGED;
    case ChangeType::kRemoved:
      return v1::CHANGE_TYPE_REMOVED;
  }
  return v1::CHANGE_TYPE_UNSPECIFIED;
}

v1::GatewayState ToProto(GatewayState state) {
  switch (state) {
    case GatewayState::kNeverSeen:
      return v1::GATEWAY_STATE_NEVER_SEEN;
    case GatewayState::kDisconnected:
      return v1::GATEWAY_STATE_DISCONNECTED;
    case GatewayState::kPending:
      return v1::GATEWAY_STATE_PENDING;
    case GatewayState::kRefused:
      return v1::GATEWAY_STATE_REFUSED;
    case GatewayState::kEnforcing:
      return v1::GATEWAY_STATE_ENFORCING;
  }
  return v1::GATEWAY_STATE_UNSPECIFIED;
}

void AddChanges(const std::vector<ResourceChange>& changes,
                google::protobuf::RepeatedPtrField<v1::ResourceChange>& proto) {
  for (const ResourceChange& change : changes) {
    v1::ResourceChange& added = *proto.Add();
    added.set_kind(change.kind);
    added.set_name(change.name);
    added.set_type(ToProto(change.type));
    AddStrings(change.details, *added.mutable_details());
  }
}

uint64_t DevicesBehind(const Snapshot& snapshot, const std::string& gateway) {
  const auto assembled = snapshot.gateways.find(gateway);
  const bool known = assembled != snapshot.gateways.end() && assembled->second.set;
  return known ? assembled->second.set->devices.size() : 0;
}

}  // namespace

v1::Device ToProto(const Snapshot& snapshot, const Device& device) {
  v1::Device proto;
  proto.set_name(device.name);
  for (const dp::MacAddress mac : device.macs) proto.add_macs(dp::ToString(mac));
  for (const dp::IpAddress& ip : device.ips) proto.add_ips(dp::ToString(ip));
  if (device.vlan != dp::VlanTags{}) ToProto(device.vlan, *proto.mutable_vlan());
  proto.set_vendor(device.vendor);
  proto.set_model(device.model);
  proto.set_device_class(device.device_class);
  proto.set_location(device.location);
  proto.set_serial(device.serial);
  proto.set_asset_tag(device.asset_tag);
  proto.set_profile(device.profile);
  proto.set_effective_profile(snapshot.EffectiveProfile(device));
  proto.set_gateway(device.gateway);
  proto.set_pair(device.pair);
  proto.set_mode(ToProto(device.mode));
  proto.set_source(device.source);
  AddKnobs(DescribeKnobs(device.knobs), *proto.mutable_knobs());
  const Profile* profile = AssignProfile(device, snapshot.profiles);
  AddKnobs(
      DescribeKnobs(profile == nullptr ? device.knobs : Overlaid(profile->knobs, device.knobs)),
      *proto.mutable_effective_knobs());
  SetChanged(snapshot, "Device " + device.name, proto);
  return proto;
}

v1::Profile ToProto(const Snapshot& snapshot, const Profile& profile) {
  v1::Profile proto;
  proto.set_name(profile.name);
  proto.set_description(profile.description);
  for (const ProfileMatch& match : profile.match) {
    v1::ProfileMatch& added = *proto.add_match();
    added.set_device_class(match.device_class);
    added.set_vendor(match.vendor);
    added.set_model(match.model);
  }
  for (const ProfileRule& rule : profile.rules) *proto.add_rules() = ToProto(rule);
  AddKnobs(DescribeKnobs(profile.knobs), *proto.mutable_knobs());
  SetChanged(snapshot, "Profile " + profile.name, proto);
  return proto;
}

v1::ProfileRule ToProto(const ProfileRule& rule) {
  v1::ProfileRule proto;
  proto.set_id(rule.id);
  proto.set_initiator(ToProto(rule.initiator));
  AddStrings(rule.peer, *proto.mutable_peer());
  proto.set_protocol(ToProto(rule.protocol));
  proto.set_protocol_number(rule.protocol_number);
  ToProto(rule.peer_ports, *proto.mutable_peer_ports());
  ToProto(rule.device_ports, *proto.mutable_device_ports());
  for (const uint8_t type : rule.icmp_types) proto.add_icmp_types(type);
  if (rule.vlan) ToProto(*rule.vlan, *proto.mutable_vlan());
  if (rule.idle_timeout.count() > 0) {
    *proto.mutable_idle_timeout() = ToProto(std::chrono::nanoseconds(rule.idle_timeout));
  }
  proto.set_keep_alive(rule.keep_alive);
  proto.set_reason(rule.reason);
  proto.set_preset(rule.preset);
  if (rule.group) proto.set_group(dp::ToString(*rule.group));
  if (rule.expires_at) *proto.mutable_expires_at() = InstantToProto(*rule.expires_at);
  proto.set_log(rule.log);
  return proto;
}

v1::Overlay ToProto(const Snapshot& snapshot, const Overlay& overlay) {
  v1::Overlay proto;
  proto.set_name(overlay.name);
  proto.set_description(overlay.description);
  for (const OverlayRule& rule : overlay.rules) {
    v1::OverlayEntry& added = *proto.add_rules();
    added.set_id(rule.id);
    AddStrings(rule.peer, *added.mutable_peer());
    added.set_protocol(ToProto(rule.protocol));
    added.set_protocol_number(rule.protocol_number);
    ToProto(rule.ports, *added.mutable_ports());
    for (const uint8_t type : rule.icmp_types) added.add_icmp_types(type);
    added.set_reason(rule.reason);
  }
  SetChanged(snapshot, "Overlay " + overlay.name, proto);
  return proto;
}

v1::Peer ToProto(const Snapshot& snapshot, const Peer& peer) {
  v1::Peer proto;
  proto.set_name(peer.name);
  proto.set_description(peer.description);
  for (const dp::IpPrefix& prefix : peer.addresses) proto.add_addresses(dp::ToString(prefix));
  SetChanged(snapshot, "Peer " + peer.name, proto);
  return proto;
}

v1::Gateway ToProto(const Snapshot& snapshot, const GatewayConfig& gateway,
                    const GatewayStatus& status) {
  v1::Gateway proto;
  proto.set_name(gateway.name);
  AddStrings(gateway.pairs, *proto.mutable_pairs());
  proto.set_unknown_device(gateway.unknown_device);
  proto.set_state(ToProto(status.view.state));
  proto.set_intended_generation(status.view.intended);
  proto.set_enforced_generation(status.view.enforced);
  if (status.since != std::chrono::system_clock::time_point{}) {
    *proto.mutable_since() = ToProto(status.since);
  }
  proto.set_software_version(status.software_version);
  proto.set_devices(DevicesBehind(snapshot, gateway.name));
  proto.set_flows(status.vitals.flows);
  proto.set_flow_capacity(status.vitals.flow_capacity);
  proto.set_unknown_devices(status.vitals.unknown_devices);
  ToProto(status.view.faults, *proto.mutable_faults());
  proto.set_note(status.view.note);
  AddKnobs(DescribeKnobs(gateway.protection), *proto.mutable_knobs());
  for (const auto& [pair, guards] : gateway.guards) {
    for (const auto& [field, value] : DescribeGuards(guards)) {
      if (!value.empty()) (*proto.mutable_guards())[pair + "." + field] = value;
    }
  }
  return proto;
}

v1::Generation ToProto(const GenerationRecord& record) {
  v1::Generation proto;
  proto.set_generation(record.generation);
  *proto.mutable_created() = ToProto(record.created);
  proto.set_author(record.author);
  proto.set_origin(record.origin);
  proto.set_comment(record.comment);
  AddStrings(record.gateways, *proto.mutable_gateways());
  AddChanges(record.changes, *proto.mutable_changes());
  return proto;
}

v1::ApplyResponse ToProto(const ChangeResult& result) {
  v1::ApplyResponse proto;
  ToProto(result.faults, *proto.mutable_faults());
  ToProto(result.warnings, *proto.mutable_warnings());
  proto.set_generation(result.generation);
  AddChanges(result.changes, *proto.mutable_changes());
  AddStrings(result.gateways, *proto.mutable_gateways());
  return proto;
}

v1::DiffResponse ToDiffProto(const ChangeResult& result) {
  v1::DiffResponse proto;
  ToProto(result.faults, *proto.mutable_faults());
  ToProto(result.warnings, *proto.mutable_warnings());
  AddChanges(result.changes, *proto.mutable_changes());
  AddStrings(result.gateways, *proto.mutable_gateways());
  AddStrings(result.effects, *proto.mutable_effects());
  return proto;
}

v1::ImportDevicesResponse ToProto(const ImportResult& result) {
  v1::ImportDevicesResponse proto;
  proto.set_rows(result.rows);
  AddStrings(result.added, *proto.mutable_added());
  for (const MergeResult::Change& change : result.changed) {
    v1::ImportChange& added = *proto.add_changed();
    added.set_device(change.device);
    std::string& description = *added.mutable_description();
    for (const std::string& detail : change.details) {
      description += (description.empty() ? "" : "; ") + detail;
    }
  }
  proto.set_unchanged(result.unchanged);
  ToProto(result.errors, *proto.mutable_errors());
  ToProto(result.conflicts, *proto.mutable_conflicts());
  AddStrings(result.stale, *proto.mutable_stale());
  proto.set_generation(result.generation);
  AddStrings(result.gateways, *proto.mutable_gateways());
  return proto;
}

v1::ExplainResponse ToProto(const ExplainResult& result) {
  const Explanation& explanation = result.explanation;
  v1::ExplainResponse proto;
  proto.set_verdict(ToProto(explanation.verdict));
  proto.set_reason(std::string(dp::ToString(explanation.reason)));
  proto.set_reason_help(std::string(dp::HelpFor(explanation.reason)));
  proto.set_rule(explanation.rule);
  proto.set_rule_reason(explanation.rule_reason);
  proto.set_profile(explanation.profile);
  proto.set_mode(ToProto(explanation.mode));
  proto.set_gateway(explanation.gateway);
  proto.set_generation(result.generation);
  proto.set_enforced(result.enforced);
  AddStrings(explanation.considered, *proto.mutable_considered());
  return proto;
}

v1::ProposeResponse ToProto(const Proposal& proposal) {
  v1::ProposeResponse proto;
  for (const ProposedRule& proposed : proposal.rules) {
    v1::ProposedRule& added = *proto.add_rules();
    *added.mutable_rule() = ToProto(proposed.rule);
    added.set_devices(proposed.devices);
    added.set_days(proposed.days);
    added.set_flows(proposed.flows);
    added.set_bytes(proposed.bytes);
    *added.mutable_first_seen() = ToProto(proposed.first_seen);
    *added.mutable_last_seen() = ToProto(proposed.last_seen);
    added.set_covered_by(proposed.covered_by);
  }
  proto.set_yaml(ToYaml(proposal));
  AddStrings(proposal.left_out, *proto.mutable_left_out());
  return proto;
}

}  // namespace cordon::cp

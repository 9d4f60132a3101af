// SPDX-License-Identifier: Apache-2.0
#include "controlplane/policy/explain.h"

#include <algorithm>

#include "controlplane/policy/describe.h"
#include "controlplane/policy/resolve.h"
#include "controlplane/profile/instant.h"
#include "controlplane/profile/preset.h"
#include "dataplane/packet/packet.h"

namespace cordon::cp {
namespace {

bool ProtocolFits(const dp::RuleSpec& rule, uint8_t protocol) {
  switch (rule.protocol) {
    case dp::RuleProtocol::kTcp:
      return protocol == dp::protocol::kTcp;
    case dp::RuleProtocol::kUdp:
      return protocol == dp::protocol::kUdp;
    case dp::RuleProtocol::kIcmp:
      return protocol == dp::protocol::kIcmp;
    case dp::RuleProtocol::kIcmpv6:
      return protocol == dp::protocol::kIcmpv6;
    case dp::RuleProtocol::kNumber:
      return protocol == rule.protocol_number;
    case dp::RuleProtocol::kAny:
      break;
  }
  return true;
}

bool PortFits(const std::vector<dp::PortRange>& ranges, uint16_t l4_port) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](dp::PortRange range) {
           return range.Contains(l4_port);
         });
}

// The first thing about a rule that the question does not meet; empty if it meets all. Only words:
// the verdict comes from dp::Decide.
std::string WhyNot(const ProfileRule& rule, const dp::RuleSpec& spec, const Device& device,
                   const dp::FlowQuestion& flow, int64_t now) {
  if (device.mode == DeviceMode::kQuarantine && !rule.keep_alive) {
    return "not a keep_alive rule, and the device is in quarantine";
  }
  if (spec.initiator != flow.initiator) {
    return "initiator is the " + std::string(dp::ToString(spec.initiator));
  }
  if (spec.expires_at && *spec.expires_at <= now) {
    return "expired at " + FormatInstant(*spec.expires_at);
  }
  if (!ProtocolFits(spec, flow.protocol)) {
    return "protocol is " + ProtocolText(rule.protocol, rule.protocol_number);
  }
  if (spec.group && *spec.group != flow.device_ip) {
    return "only frames to the group " + ToString(*spec.group);
  }
  if (spec.vlan && *spec.vlan != flow.vlan) return "VLAN is " + ToString(*spec.vlan);
  const auto contains = [&](const dp::IpPrefix& prefix) { return prefix.Contains(flow.peer); };
  if (!spec.any_peer && std::none_of(spec.peers.begin(), spec.peers.end(), contains)) {
    return "peer is " + Join(rule.peer) + ", which does not hold " + ToString(flow.peer);
  }
  if (!PortFits(spec.peer_ports, flow.peer_port)) {
    return "peer ports are " + JoinPorts(rule.peer_ports);
  }
  if (!PortFits(spec.device_ports, flow.device_port)) {
    return "device ports are " + JoinPorts(rule.device_ports);
  }
  const auto& types = spec.icmp_types;
  if (!types.empty() && std::find(types.begin(), types.end(), flow.icmp_type) == types.end()) {
    return "ICMP types do not hold " + std::to_string(flow.icmp_type);
  }
  if (types.empty() && dp::MustBeNamed(flow.protocol, flow.icmp_type)) {
    return "ICMP type " + std::to_string(flow.icmp_type) + " passes only if icmp_types names it";
  }
  return "";
}

// Why the overlay has the line, from its document.
std::string OverlayReason(const Configuration& configuration, const std::string& origin) {
  for (const auto& [name, overlay] : configuration.overlays) {
    for (const OverlayRule& rule : overlay.rules) {
      if (name + "/" + rule.id == origin) return rule.reason;
    }
  }
  return "";
}

dp::DeviceIndex FindDevice(const dp::PolicyTable& table, const Device& device) {
  const int pair = table.PairNumber(device.pair);
  if (pair < 0) return dp::kNoDevice;
  const auto number = static_cast<uint16_t>(pair);
  if (!device.macs.empty()) return table.FindByMac(number, device.vlan, device.macs.front());
  if (!device.ips.empty()) return table.FindByIp(number, device.vlan, device.ips.front());
  return dp::kNoDevice;
}

}  // namespace

std::optional<Explanation> Explain(const Configuration& configuration, const dp::PolicyTable& table,
                                   const Question& question, int64_t now) {
  const auto found = configuration.devices.find(question.device);
  if (found == configuration.devices.end() || found->second.gateway.empty()) return std::nullopt;
  const Device& device = found->second;
  const dp::DeviceIndex index = FindDevice(table, device);
  if (index == dp::kNoDevice) return std::nullopt;

  dp::FlowQuestion flow = question.flow;
  flow.vlan = device.vlan;
  const dp::Decision decision = dp::Decide(table, index, flow);
  Explanation explanation;
  explanation.verdict = decision.verdict;
  explanation.reason = decision.reason;
  explanation.rule = table.RuleOrigin(decision.rule);
  if (decision.reason == dp::Reason::kOverlayDenied) {
    explanation.rule_reason = OverlayReason(configuration, explanation.rule);
  }
  explanation.mode = device.mode;
  explanation.gateway = device.gateway;
  const std::vector<Profile> profiles = ProfileList(configuration);
  const Profile* profile = AssignProfile(device, profiles);
  if (profile == nullptr) return explanation;
  explanation.profile = profile->name;
  for (const ProfileRule& rule : ExpandRules(profile->rules)) {
    const dp::RuleSpec spec = ResolveRule(profile->name, rule, configuration.peers);
    if (spec.origin == explanation.rule) explanation.rule_reason = rule.reason;
    const std::string why_not = WhyNot(rule, spec, device, flow, now);
    explanation.considered.push_back(spec.origin + ": " + (why_not.empty() ? "matches" : why_not));
  }
  return explanation;
}

}  // namespace cordon::cp

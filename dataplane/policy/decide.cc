// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/decide.h"

namespace cordon::dp {
namespace {

Decision RefuseIn(Mode mode, DeviceIndex device, Reason reason) {
  switch (mode) {
    case Mode::kObserve:
      return {Verdict::kForward, Reason::kObserveMode, device, kNoRuleIndex, 0};
    case Mode::kAudit:
      return {Verdict::kAudit, reason, device, kNoRuleIndex, 0};
    case Mode::kEnforce:
    case Mode::kQuarantine:
      break;
  }
  return {Verdict::kDrop, reason, device, kNoRuleIndex, 0};
}

// RFC 2003, RFC 4213, RFC 2784, RFC 4303, RFC 4302.
bool IsTunnel(const FlowQuestion& question) {
  switch (question.protocol) {
    case 4:
    case 41:
    case 47:
    case 50:
    case 51:
      return true;
    case protocol::kUdp:
      return IsUdpTunnelPort(ResponderPortOf(question));
    default:
      return false;
  }
}

// Why nothing allows the flow: what rules must name tells so.
Reason WhyNoRule(const FlowQuestion& question) {
  if (IsTunnel(question)) return Reason::kTunnelNotNamed;
  switch (question.protocol) {
    case protocol::kTcp:
    case protocol::kUdp:
    case protocol::kIgmp:
      return Reason::kNoRule;
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      return MustBeNamed(question.protocol, question.icmp_type) ? Reason::kIcmpTypeNotNamed
                                                                : Reason::kNoRule;
    default:
      return Reason::kProtocolNotSupported;
  }
}

Decision Allow(DeviceIndex device, const RuleMatch& match) {
  return {Verdict::kForward, Reason::kRule, device, match.rule, match.idle_timeout_seconds};
}

Decision Deny(DeviceIndex device, const RuleMatch& match) {
  return {Verdict::kDrop, Reason::kOverlayDenied, device, match.rule, 0};
}

}  // namespace

Decision Decide(const PolicyTable& policy, DeviceIndex device,
                const FlowQuestion& question) noexcept {
  const RuleMatch denied = policy.MatchOverlay(question);
  if (denied) [[unlikely]]
    return Deny(device, denied);
  const RuleMatch match = policy.Match(device, question);
  return match ? Allow(device, match) : Refuse(policy, device, WhyNoRule(question));
}

Decision DecideGroup(const PolicyTable& policy, uint16_t pair,
                     const FlowQuestion& question) noexcept {
  const RuleMatch denied = policy.MatchOverlay(question);
  if (denied) [[unlikely]]
    return Deny(kGroupDevice, denied);
  const RuleMatch match = policy.MatchGroup(pair, question);
  return match ? Allow(kGroupDevice, match)
               : RefuseGroup(policy, pair, question.vlan, Reason::kGroupNoRule);
}

Decision Refuse(const PolicyTable& policy, DeviceIndex device, Reason reason) noexcept {
  return RefuseIn(policy.ModeOf(device), device, reason);
}

Decision RefuseGroup(const PolicyTable& policy, uint16_t pair, VlanTags vlan,
                     Reason reason) noexcept {
  return RefuseIn(policy.GroupMode(pair, vlan), kGroupDevice, reason);
}

}  // namespace cordon::dp

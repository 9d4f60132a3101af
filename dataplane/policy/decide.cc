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
  return match ? Allow(device, match) : Refuse(policy, device, Reason::kNoRule);
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

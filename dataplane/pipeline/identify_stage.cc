// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/guard.h"
#include "dataplane/pipeline/identity.h"
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {
namespace {

// A frame without a legal sender or VLAN is nobody's: it must not borrow the mode of whoever
// observes on the VLAN that it pretends to be in.
bool IsNobodys(Reason reason) {
  return reason == Reason::kSourceMacInvalid || reason == Reason::kVlanIdReserved ||
         reason == Reason::kVlanTruncated;
}

// Any other malformed frame is refused in the name of its device, so that observe and audit keep
// their promise to cut nothing off.
Decision RefuseMalformed(const PolicyTable& policy, const Slot& slot) {
  const Reason reason = slot.packet.reason;
  const DeviceIndex device = IsNobodys(reason) ? kNoDevice : FindDevice(policy, slot.key);
  return RefuseFlow(policy, device, slot.key, reason);
}

// Well-formed, but perhaps failing a check that its device does not let pass. The flow is not
// asked, so that its first and its later packets, a hit and a miss, are judged alike.
bool FailsChecks(const PolicyTable& policy, Slot& slot) {
  if ((slot.packet.anomalies & policy.ChecksOfAny()) == 0) [[likely]]
    return false;
  const DeviceIndex device = FindDevice(policy, slot.key);
  const CheckMask failed = slot.packet.anomalies & policy.ChecksOf(device);
  if (failed == 0) return false;
  slot.decision = RefuseFlow(policy, device, slot.key, ReasonOf(failed));
  return true;
}

void SetKey(const FlowTable& flows, const Burst& burst, Slot& slot) {
  if (!slot.packet.has_ethernet) {
    slot.key = FlowKey{};
    slot.hash = 0;
    return;
  }
  const bool is_error = slot.packet.reason == Reason::kUndecided && IsIcmpError(slot.packet);
  if (!is_error || !QuotedKeyOf(slot.packet, burst.side, burst.pair, slot.key)) {
    slot.key = KeyOf(slot.packet, burst.side, burst.pair);
  }
  slot.hash = flows.HashOf(slot.key);
}

}  // namespace

// The key is built from the frame alone: a frame of a known flow needs no device lookup.
void IdentifyStage(const Context& context, Burst& burst, Work& work) noexcept {
  const bool has_policy = context.policy.generation() != 0 && context.policy.stamp() != 0;
  ForEach(burst.all() & ~burst.express, [&](size_t i) {
    Slot& slot = burst.slots[i];
    SetKey(context.flows, burst, slot);
    context.flows.PrefetchBucket(slot.hash);
    if (slot.packet.is_fragment) [[unlikely]]
      work.pieces |= SlotMask{1} << i;
    if (!has_policy) [[unlikely]] {
      slot.decision = {Verdict::kDrop, Reason::kNoPolicy, kNoDevice, kNoRuleIndex, 0};
    }
    if (slot.decision.reason != Reason::kUndecided) return;
    const Packet& packet = slot.packet;
    if (packet.reason != Reason::kUndecided && packet.guard != GuardKind::kLayer2) {
      slot.decision = RefuseMalformed(context.policy, slot);
    } else if (FailsChecks(context.policy, slot)) {
      return;
    } else if (IsGuarded(packet)) {
      work.guarded |= SlotMask{1} << i;
    } else {
      work.open |= SlotMask{1} << i;
    }
  });
}

}  // namespace cordon::dp

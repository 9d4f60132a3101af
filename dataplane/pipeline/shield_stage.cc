// SPDX-License-Identifier: Apache-2.0
// Limits and quotas of devices. What is refused is refused as by any other stage: a device that is
// audited or observed loses nothing.
#include "dataplane/pipeline/identity.h"
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {
namespace {

bool IsSyn(const Packet& packet) {
  return packet.protocol == protocol::kTcp &&
         (packet.tcp_flags & (tcp_flag::kSyn | tcp_flag::kAck)) == tcp_flag::kSyn;
}

uint32_t OrDefault(uint32_t quota, uint32_t by_default) { return quota != 0 ? quota : by_default; }

// ARP and neighbour discovery have rates of their own: a device under a flood must still be found.
bool IsLimited(const Decision& decision) {
  return decision.verdict != Verdict::kDrop && decision.device < kFirstPseudoDevice &&
         decision.reason != Reason::kArpGuard && decision.reason != Reason::kNdGuard;
}

}  // namespace

Reason ShieldFlow(const Context& context, const Slot& slot) noexcept {
  const DeviceLimits& limits = context.policy.LimitsOf(slot.decision.device);
  const DeviceFlows& flows = context.flows.devices();
  const uint32_t device = context.policy.SlotOf(slot.decision.device);
  if (flows.flows(device) >= OrDefault(limits.max_flows, flows.default_flows())) {
    return Reason::kDeviceFlowQuota;
  }
  if (IsSyn(slot.packet) &&
      flows.half_open(device) >= OrDefault(limits.max_half_open, flows.default_half_open())) {
    return Reason::kHalfOpenLimit;
  }
  return context.shield.TakeNewFlow(device, limits, slot.side, context.now);
}

void ShieldFrame(const Context& context, const FlowKey& key, Side side, uint32_t frame_length,
                 Decision& decision) noexcept {
  if (!IsLimited(decision)) return;
  const DeviceIndex device = decision.device;
  const Reason reason =
      context.shield.Take(context.policy.SlotOf(device), context.policy.LimitsOf(device), side,
                          frame_length, context.now);
  if (reason != Reason::kUndecided) decision = RefuseFlow(context.policy, device, key, reason);
}

void ShieldStage(const Context& context, Burst& burst) noexcept {
  if (!context.policy.has_limits()) return;
  ForEach(burst.all() & ~burst.express, [&](size_t i) {
    Slot& slot = burst.slots[i];
    ShieldFrame(context, slot.key, slot.side, slot.packet.frame_length, slot.decision);
  });
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// ARP, IPv6 neighbour discovery and Ethernet control protocols pass by what is bound and by what
// the pair passes, not by rules. DHCP, group membership and all that goes to a group need a rule,
// and are looked at before it.
#include "dataplane/pipeline/guard.h"

namespace cordon::dp {
namespace {

// Where the pair says nothing. Monitors that broadcast waveforms send some hundred frames a second.
constexpr uint32_t kArpPerSecond = 100, kGroupPerSecond = 1000;

// A frame to a group MAC whose packet is for one host: its receivers must not take it (RFC 1122
// 3.3.6), but some do, and a switch shows it to all. From the network side its flow is looked at.
bool HidesHostInGroup(const GuardedFrame& frame) {
  const Packet& packet = frame.packet();
  const bool is_ip = packet.layer3 == Layer3::kIpv4 || packet.layer3 == Layer3::kIpv6;
  return is_ip && frame.from_device() && packet.destination_mac.IsGroup() &&
         !IsGroupAddress(packet.destination, packet.source);
}

Decision Judge(const GuardedFrame& frame) {
  const GuardKind kind = frame.packet().guard;
  if (kind == GuardKind::kLayer2) return JudgeLayer2(frame);
  if (frame.ReasonAgainstSender() != Reason::kUndecided)
    return frame.Refused(frame.ReasonAgainstSender());
  if (HidesHostInGroup(frame)) return frame.Refused(Reason::kGroupAddress);
  switch (kind) {
    case GuardKind::kArp:
      return JudgeArp(frame);
    case GuardKind::kNeighbour:
      return JudgeNeighbour(frame);
    case GuardKind::kDhcp:
      return JudgeDhcp(frame);
    case GuardKind::kMembership:
      return JudgeMembership(frame);
    case GuardKind::kLayer2:
    case GuardKind::kNone:
      break;
  }
  return {};
}

// What a device sends beyond the rates of its pair. Each frame counts once: ARP and neighbour
// discovery by one rate, all other packets to groups by another. R056, R063.
bool ExceedsRates(const GuardedFrame& frame, Reason& reason) {
  const GuardKind kind = frame.packet().guard;
  if (!frame.from_device() || frame.device() >= kFirstPseudoDevice) return false;
  const Context& context = frame.context();
  const uint32_t slot = frame.policy().SlotOf(frame.device());
  if (kind == GuardKind::kArp || kind == GuardKind::kNeighbour) {
    reason = Reason::kArpRate;
    const uint32_t rate = frame.guards().arp_per_second;
    return !context.shield.TakeArp(slot, rate != 0 ? rate : kArpPerSecond, context.now);
  }
  if (kind == GuardKind::kLayer2 || !frame.packet().destination_mac.IsGroup()) return false;
  reason = Reason::kGroupRate;
  const uint32_t rate = frame.guards().group_per_second;
  return !context.shield.TakeGroup(slot, rate != 0 ? rate : kGroupPerSecond, context.now);
}

// Only what would pass, or be asked about, takes its part of a rate.
Decision JudgeWithRates(const GuardedFrame& frame) {
  const Decision decision = Judge(frame);
  Reason reason = Reason::kUndecided;
  const bool is_refused = decision.reason != Reason::kUndecided &&
                          decision.reason != Reason::kArpGuard &&
                          decision.reason != Reason::kNdGuard;
  if (is_refused || !ExceedsRates(frame, reason)) return decision;
  return frame.Refused(reason);
}

}  // namespace

Reason GuardedFrame::ReasonAgainstSender() const {
  if (device_ != kNoDevice && device_ != kUnknownDeviceIndex) return Reason::kUndecided;
  const Initiator sender = from_device() ? Initiator::kDevice : Initiator::kPeer;
  const Reason reason = ReasonOfStranger(policy(), key(), sender);
  const bool has_rules = device_ == kUnknownDeviceIndex && reason == Reason::kUnknownDevice;
  return has_rules ? Reason::kUndecided : reason;
}

bool GuardedFrame::IsDeviceLinkLocal(const IpAddress& ip) const {
  const MacAddress mac = MacOfLinkLocal(ip);
  return !mac.IsZero() && IsDeviceMac(mac);
}

bool GuardedFrame::IsOwnLinkLocal(const IpAddress& ip) const {
  if (!ip.IsV6LinkLocal()) return false;
  const DeviceIndex owner = policy().FindByIp(key().pair(), key().vlan(), ip);
  if (owner != kNoDevice) return owner == device_;
  const MacAddress mac = MacOfLinkLocal(ip);
  const DeviceIndex maker =
      mac.IsZero() ? kNoDevice : policy().FindByMac(key().pair(), key().vlan(), mac);
  return maker == kNoDevice || maker == device_;
}

void GuardStage(const Context& context, Burst& burst, Work& work) noexcept {
  ForEach(work.guarded, [&](size_t i) {
    Slot& slot = burst.slots[i];
    const Decision decision = JudgeWithRates(GuardedFrame(context, slot));
    const SlotMask bit = SlotMask{1} << i;
    if (decision.reason == Reason::kUndecided) {
      work.open |= bit;
      if (slot.packet.guard == GuardKind::kDhcp) work.teaching |= bit;
      return;
    }
    slot.decision = decision;
    slot.device = decision.device;
  });
  work.guarded = 0;
}

// Only what passed teaches: a frame that the device never saw has given it no address.
void LearnStage(const Context& context, Burst& burst, Work& work) noexcept {
  ForEach(work.teaching, [&](size_t i) {
    const Slot& slot = burst.slots[i];
    if (slot.decision.verdict != Verdict::kDrop) LearnFromDhcp(context, slot);
  });
  work.teaching = 0;
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// The guards: what is judged by who a frame claims to be and whom it is for, before any rule and
// each time. One file each. Private to pipeline/.
#pragma once

#include "dataplane/pipeline/identity.h"
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {

// One frame at a guard, with the words that their rules are written in.
class GuardedFrame {
 public:
  GuardedFrame(const Context& context, const Slot& slot) noexcept
      : context_(context), slot_(slot), device_(FindDevice(context.policy, slot.key)) {}

  const Packet& packet() const { return slot_.packet; }
  const FlowKey& key() const { return slot_.key; }
  bool from_device() const { return slot_.side == Side::kDevice; }
  DeviceIndex device() const { return device_; }  // see FindDevice
  const Context& context() const { return context_; }
  const PolicyTable& policy() const { return context_.policy; }
  const PairGuards& guards() const { return policy().GuardsOf(key().pair()); }

  Decision Refused(Reason reason) const { return RefuseFlow(policy(), device_, key(), reason); }
  Decision Passed(Reason reason) const {
    return {Verdict::kForward, reason, device_, kNoRuleIndex, 0};
  }

  // Why nothing of it may pass, whatever it says: nobody's, or another pair's device.
  Reason ReasonAgainstSender() const;
  bool IsDeviceMac(MacAddress mac) const {
    return policy().FindByMac(key().pair(), key().vlan(), mac) != kNoDevice;
  }
  // Bound to a device of this pair and VLAN, or leased to one.
  bool IsDeviceIp(const IpAddress& ip) const { return IsTaken(context_, key(), ip); }
  // Whether the sender may speak for `ip`, or the receiver be spoken to under it.
  bool BelongsToDevice(const IpAddress& ip) const { return MayUse(context_, device_, key(), ip); }
  // Link-local addresses are made by the devices themselves and need not be bound; but one that is
  // bound, or made from another device's MAC, is its owner's.
  bool IsOwnLinkLocal(const IpAddress& ip) const;
  // Nobody binds a link-local address, but the one made from a device's MAC (RFC 4291, appendix A)
  // is the device's: a stranger who claimed it would make the device give up IPv6 (RFC 4862 5.4.5).
  bool IsDeviceLinkLocal(const IpAddress& ip) const;
  bool HasDevices() const { return policy().ScopeOf(key().pair(), key().vlan()).has_devices; }
  // Somebody whose addresses are not known may be the one who is asked for.
  bool MayBeAnybodys() const {
    return policy().ScopeOf(key().pair(), key().vlan()).has_unbound_devices ||
           policy().HasUnknownDeviceRules();
  }
  // An announcement is for all of a VLAN; where no device can be, it is for none.
  bool SomebodyListens() const {
    return device_ != kGroupDevice || policy().HasUnknownDeviceRules() || HasDevices();
  }

 private:
  const Context& context_;
  const Slot& slot_;
  const DeviceIndex device_;
};

// Whether a guard looks at such frames at all.
inline bool IsGuarded(const Packet& packet) {
  return packet.guard != GuardKind::kNone || packet.destination_mac.IsGroup();
}

// A reason of kUndecided: nothing against it, the rules decide.
Decision JudgeLayer2(const GuardedFrame& frame) noexcept;
Decision JudgeArp(const GuardedFrame& frame) noexcept;
Decision JudgeNeighbour(const GuardedFrame& frame) noexcept;
Decision JudgeDhcp(const GuardedFrame& frame) noexcept;
Decision JudgeMembership(const GuardedFrame& frame) noexcept;

// What a DHCP frame that was forwarded says about who holds which address.
void LearnFromDhcp(const Context& context, const Slot& slot) noexcept;

}  // namespace cordon::dp

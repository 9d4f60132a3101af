// SPDX-License-Identifier: Apache-2.0
// ARP and IPv6 neighbour discovery pass by what is bound, not by rules. What a frame claims (sender
// address, advertised target) must belong to who sends it; what it asks for must be a device's.
//
// Broadcast questions for an address that may be anybody's (a device of the pair has no bound
// addresses, or unknown devices are allowed) cannot be told apart from questions for that device,
// so they pass.
#include "dataplane/pipeline/identity.h"
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {
namespace {

constexpr uint16_t kArpRequest = 1;
constexpr uint8_t kRouterSolicitation = 133, kNeighbourSolicitation = 135;

// One frame at the guard, with the words that the rules below are written in.
class Guard {
 public:
  Guard(const PolicyTable& policy, const Slot& slot)
      : policy_(policy),
        packet_(slot.packet),
        key_(slot.key),
        from_device_(slot.side == Side::kDevice),
        device_(FindDevice(policy, slot.key)) {}

  Decision Decide() const {
    if (device_ == kNoDevice) return Refused(Reason::kUnknownDevice);
    const bool is_arp = packet_.layer3 == Layer3::kArp;
    if (!is_arp && !packet_.nd.hop_limit_ok) return Refused(Reason::kNdInvalid);
    if (!from_device_ && IsDeviceMac(packet_.source_mac)) {
      return Refused(Reason::kDeviceMacOnNetworkSide);
    }
    const Reason reason = is_arp ? (from_device_ ? ArpFromDevice() : ArpFromNetwork())
                                 : (from_device_ ? NdFromDevice() : NdFromNetwork());
    if (reason != Reason::kUndecided) return Refused(reason);
    return {Verdict::kForward, is_arp ? Reason::kArpGuard : Reason::kNdGuard, device_, kNoRuleIndex,
            0};
  }

 private:
  Decision Refused(Reason reason) const { return RefuseFlow(policy_, device_, key_, reason); }
  bool IsDeviceMac(MacAddress mac) const {
    return policy_.FindByMac(key_.pair(), key_.vlan(), mac) != kNoDevice;
  }
  bool IsDeviceIp(const IpAddress& ip) const {
    return policy_.FindByIp(key_.pair(), key_.vlan(), ip) != kNoDevice;
  }
  // Nobody binds a link-local address, but the one made from a device's MAC (RFC 4291, appendix A)
  // is the device's: a stranger who claimed it would make the device give up IPv6 (RFC 4862 5.4.5).
  bool IsDeviceLinkLocal(const IpAddress& ip) const {
    constexpr uint64_t kUniversalBit = 0x020000000000;
    if (ip.hi != 0xfe80000000000000ULL || (ip.lo >> 24 & 0xffff) != 0xfffe) return false;
    return IsDeviceMac({((ip.lo >> 40) << 24 | (ip.lo & 0xffffff)) ^ kUniversalBit});
  }
  bool BelongsToDevice(const IpAddress& ip) const { return MayUse(policy_, device_, key_, ip); }
  // Somebody whose addresses are not known may be the one who is asked for.
  bool MayBeAnybodys() const {
    return policy_.ScopeOf(key_.pair(), key_.vlan()).has_unbound_devices ||
           policy_.HasUnknownDeviceRules();
  }

  // An announcement is for all of a VLAN; where no device can be, it is for none.
  bool SomebodyListens() const {
    return device_ != kGroupDevice || policy_.HasUnknownDeviceRules() ||
           policy_.ScopeOf(key_.pair(), key_.vlan()).has_devices;
  }

  Reason ArpFromDevice() const {
    const ArpFacts& arp = packet_.arp;
    if (arp.sender_mac != packet_.source_mac) return Reason::kArpSenderMac;
    // A probe asks with the sender 0.0.0.0 (RFC 5227).
    const bool passes = arp.sender_ip.IsUnspecified() || BelongsToDevice(arp.sender_ip);
    return passes ? Reason::kUndecided : Reason::kArpSenderNotBound;
  }

  Reason ArpFromNetwork() const {
    const ArpFacts& arp = packet_.arp;
    if (IsDeviceIp(arp.sender_ip) || IsDeviceMac(arp.sender_mac)) {
      return Reason::kArpSenderNotBound;
    }
    const bool is_gratuitous = arp.sender_ip == arp.target_ip;
    if (is_gratuitous) return SomebodyListens() ? Reason::kUndecided : Reason::kArpTargetNotBound;
    const bool is_for_device =
        device_ == kGroupDevice
            ? IsDeviceIp(arp.target_ip) || (arp.operation == kArpRequest && MayBeAnybodys())
            : BelongsToDevice(arp.target_ip);
    return is_for_device ? Reason::kUndecided : Reason::kArpTargetNotBound;
  }

  Reason NdFromDevice() const {
    const IpAddress& source = packet_.source;
    const bool source_passes =
        source.IsUnspecified() || IsOwnLinkLocal(source) || BelongsToDevice(source);
    if (!source_passes) return Reason::kNdNotBound;
    const bool is_claim =
        packet_.icmp_type != kRouterSolicitation && packet_.icmp_type != kNeighbourSolicitation;
    const IpAddress& target = packet_.nd.target;
    const bool claim_holds = !is_claim || IsOwnLinkLocal(target) || BelongsToDevice(target);
    return claim_holds ? Reason::kUndecided : Reason::kNdNotBound;
  }

  Reason NdFromNetwork() const {
    const IpAddress& source = packet_.source;
    if (packet_.icmp_type == kRouterSolicitation || IsDeviceIp(source) ||
        IsDeviceLinkLocal(source)) {
      return Reason::kNdNotBound;  // devices are no routers; nor does the network own their address
    }
    const bool passes =
        packet_.icmp_type == kNeighbourSolicitation ? SolicitationPasses() : AdvertisementPasses();
    return passes ? Reason::kUndecided : Reason::kNdNotBound;
  }

  bool SolicitationPasses() const {
    const IpAddress& target = packet_.nd.target;
    if (device_ != kGroupDevice) return IsOwnLinkLocal(target) || BelongsToDevice(target);
    if (IsDeviceIp(target) || MayBeAnybodys()) return true;
    return target.IsV6LinkLocal() && IsSolicitedNodeGroup(packet_.destination) &&
           policy_.ScopeOf(key_.pair(), key_.vlan()).has_devices;
  }

  bool AdvertisementPasses() const {
    if (IsDeviceIp(packet_.nd.target) || IsDeviceLinkLocal(packet_.nd.target)) return false;
    if (device_ != kGroupDevice) return true;
    return IsAllNodesGroup(packet_.destination) && SomebodyListens();
  }

  // Link-local addresses are made by the devices themselves and need not be bound; but one that is
  // bound is its owner's.
  bool IsOwnLinkLocal(const IpAddress& ip) const {
    if (!ip.IsV6LinkLocal()) return false;
    const DeviceIndex owner = policy_.FindByIp(key_.pair(), key_.vlan(), ip);
    return owner == kNoDevice || owner == device_;
  }
  // ff02::1:ff00:0/104, RFC 4291 2.7.1
  static bool IsSolicitedNodeGroup(const IpAddress& ip) {
    return ip.hi == 0xff02000000000000ULL && ip.lo >> 24 == 0x1ff;
  }
  static bool IsAllNodesGroup(const IpAddress& ip) {
    return ip.hi == 0xff02000000000000ULL && ip.lo == 1;
  }

  const PolicyTable& policy_;
  const Packet& packet_;
  const FlowKey& key_;
  const bool from_device_;
  const DeviceIndex device_;
};

}  // namespace

void GuardStage(const Context& context, Burst& burst, Work& work) noexcept {
  ForEach(work.guarded, [&](size_t i) {
    Slot& slot = burst.slots[i];
    slot.decision = Guard(context.policy, slot).Decide();
    slot.device = slot.decision.device;
  });
  work.guarded = 0;
}

}  // namespace cordon::dp

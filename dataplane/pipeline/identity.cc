// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/identity.h"

#include <algorithm>
#include <bit>

#include "dataplane/pipeline/stages.h"

namespace cordon::dp {
namespace {

using l4_port::kDhcpClient, l4_port::kDhcpServer, l4_port::kDhcpv6Client, l4_port::kDhcpv6Server;

bool IsIcmp(uint8_t number) { return number == protocol::kIcmp || number == protocol::kIcmpv6; }

// The request that a message type belongs to: its own type for a request.
uint8_t RequestTypeOf(uint8_t number, uint8_t type) {
  if (number == protocol::kIcmpv6) return type == 129 ? 128 : type;
  switch (type) {
    case 0:
      return 8;
    case 14:
    case 16:
    case 18:
      return static_cast<uint8_t>(type - 1);
    default:
      return type;
  }
}

// Identifier and request type; the asker is the sender of a request and the receiver of a reply.
void SetIcmpPorts(FlowKey& key, uint8_t type, uint8_t code, uint16_t id, Side sender) {
  const uint8_t request = RequestTypeOf(key.protocol(), type);
  const bool is_reply = request != type;
  const bool asked_by_peer = (sender == Side::kNetwork) != is_reply;
  key.device_port = HasIcmpId(key.protocol(), type) ? id : static_cast<uint16_t>(type << 8 | code);
  key.peer_port = static_cast<uint16_t>(request << 8 | (asked_by_peer ? 1 : 0));
}

uint8_t IcmpTypeOf(const FlowKey& key) { return static_cast<uint8_t>(key.peer_port >> 8); }

bool IsUdp(const FlowKey& key, uint16_t device_port, uint16_t peer_port) {
  return key.protocol() == protocol::kUdp && key.device_port == device_port &&
         key.peer_port == peer_port;
}

bool IsDhcp(const FlowKey& key) { return IsUdp(key, kDhcpClient, kDhcpServer); }
bool IsDhcpv6(const FlowKey& key) { return IsUdp(key, kDhcpv6Client, kDhcpv6Server); }

// RFC 2710, RFC 3810.
bool IsMld(const FlowKey& key) {
  if (key.protocol() != protocol::kIcmpv6) return false;
  const uint8_t type = IcmpTypeOf(key);
  return (type >= 130 && type <= 132) || type == 143;
}

bool IsSourceBound(const Context& context, DeviceIndex device, const FlowKey& key) {
  const IpAddress& source = key.device_ip;
  if (source.IsMulticast() || source.IsLimitedBroadcast()) return false;
  if (source.IsUnspecified()) return source.IsV4() ? IsDhcp(key) : IsMld(key);
  if (MayUse(context, device, key, source)) return true;
  return source.IsV6LinkLocal() && (IsMld(key) || IsDhcpv6(key)) &&
         context.policy.FindByIp(key.pair(), key.vlan(), source) == kNoDevice;
}

bool IsDestinationBound(const Context& context, DeviceIndex device, const FlowKey& key) {
  if (IsDhcp(key) || IsDhcpv6(key)) return true;
  if (device == kGroupDevice) {
    // A group frame with the unicast address of one device would pass by the rules of another.
    return IsGroupAddress(key.device_ip, key.peer_ip) && !IsTaken(context, key, key.device_ip);
  }
  return MayUse(context, device, key, key.device_ip);
}

}  // namespace

FlowKey KeyOf(const Packet& packet, Side side, uint16_t pair) noexcept {
  const bool from_device = side == Side::kDevice;
  FlowKey key;
  key.identity = FlowKey::MakeIdentity(from_device ? packet.source_mac : packet.destination_mac,
                                       pair, packet.protocol);
  key.vlan_outer = packet.vlan.outer;
  key.vlan_inner = packet.vlan.inner;
  if (packet.layer3 == Layer3::kArp) {
    key.device_ip = from_device ? packet.arp.sender_ip : packet.arp.target_ip;
    key.peer_ip = from_device ? packet.arp.target_ip : packet.arp.sender_ip;
    return key;
  }
  key.device_ip = from_device ? packet.source : packet.destination;
  key.peer_ip = from_device ? packet.destination : packet.source;
  if (packet.icmp_kind != IcmpKind::kNone) {
    SetIcmpPorts(key, packet.icmp_type, packet.icmp_code, packet.icmp_id, side);
  } else {
    key.device_port = from_device ? packet.source_port : packet.destination_port;
    key.peer_port = from_device ? packet.destination_port : packet.source_port;
  }
  return key;
}

// The quoted packet travelled the other way: its sender is whom the error goes to.
bool QuotedKeyOf(const Packet& packet, Side side, uint16_t pair, FlowKey& key) noexcept {
  const QuotedFacts& quoted = packet.quoted;
  const bool to_device = side == Side::kNetwork;
  if (packet.destination != quoted.source) return false;
  if (!to_device && packet.source != quoted.destination) return false;
  const MacAddress device_mac = to_device ? packet.destination_mac : packet.source_mac;
  if (device_mac.IsGroup()) return false;
  key.identity = FlowKey::MakeIdentity(device_mac, pair, quoted.protocol);
  key.vlan_outer = packet.vlan.outer;
  key.vlan_inner = packet.vlan.inner;
  key.device_ip = to_device ? quoted.source : quoted.destination;
  key.peer_ip = to_device ? quoted.destination : quoted.source;
  if (IsIcmp(quoted.protocol)) {
    // The code of the quoted message is not known; types without identifier stay unmatched.
    if (!HasIcmpId(quoted.protocol, quoted.icmp_type)) return false;
    SetIcmpPorts(key, quoted.icmp_type, 0, quoted.icmp_id,
                 to_device ? Side::kDevice : Side::kNetwork);
  } else {
    key.device_port = to_device ? quoted.source_port : quoted.destination_port;
    key.peer_port = to_device ? quoted.destination_port : quoted.source_port;
  }
  return true;
}

DeviceIndex FindDevice(const PolicyTable& policy, const FlowKey& key) noexcept {
  if (key.device_mac().IsGroup()) return kGroupDevice;
  const DeviceIndex device = policy.FindByMac(key.pair(), key.vlan(), key.device_mac());
  if (device != kNoDevice) return device;
  if (policy.has_routed_devices()) {
    const DeviceIndex routed = policy.FindByIp(key.pair(), key.vlan(), key.device_ip);
    if (policy.IsRouted(routed)) return routed;
  }
  return policy.HasUnknownDeviceRules() ? kUnknownDeviceIndex : kNoDevice;
}

bool MayUse(const Context& context, DeviceIndex device, const FlowKey& key,
            const IpAddress& ip) noexcept {
  const PolicyTable& policy = context.policy;
  const DeviceIndex owner = policy.FindByIp(key.pair(), key.vlan(), ip);
  if (owner != kNoDevice) return owner == device;
  // Nobody's own address is a group's, though a frame to one station may be for a group.
  if (policy.HasBoundAddresses(device) || ip.IsMulticast() || ip.IsLimitedBroadcast()) return false;
  if (context.bindings.empty()) return true;
  const MacAddress holder = context.bindings.HolderOf(key.pair(), key.vlan(), ip, context.now);
  if (!holder.IsZero()) {
    return holder == key.device_mac() ||
           (device < kFirstPseudoDevice &&
            policy.FindByMac(key.pair(), key.vlan(), holder) == device);
  }
  // Hosts make link-local addresses beside those that they are given.
  const LeaseHolder self{key.device_mac(), key.pair(), key.vlan()};
  return ip.IsV6LinkLocal() || !context.bindings.HoldsAny(self, FamilyOf(ip), context.now);
}

bool IsTaken(const Context& context, const FlowKey& key, const IpAddress& ip) noexcept {
  return context.policy.FindByIp(key.pair(), key.vlan(), ip) != kNoDevice ||
         !context.bindings.HolderOf(key.pair(), key.vlan(), ip, context.now).IsZero();
}

bool IsGroupAddress(const IpAddress& ip, const IpAddress& sender) noexcept {
  if (ip.IsMulticast() || ip.IsLimitedBroadcast()) return true;
  if (!ip.IsV4() || !sender.IsV4()) return false;
  constexpr int kLeastHostBits = 4, kMostHostBits = 24;
  const int differing_bits = std::bit_width(ip.AsV4() ^ sender.AsV4());
  return differing_bits > 0 && differing_bits <= kMostHostBits &&
         std::countr_one(ip.AsV4()) >= std::max(differing_bits, kLeastHostBits);
}

MacAddress MacOfLinkLocal(const IpAddress& ip) noexcept {
  constexpr uint64_t kUniversalBit = 0x020000000000;
  if (ip.hi != 0xfe80000000000000ULL || (ip.lo >> 24 & 0xffff) != 0xfffe) return {};
  return {((ip.lo >> 40) << 24 | (ip.lo & 0xffffff)) ^ kUniversalBit};
}

Reason ReasonOfStranger(const PolicyTable& policy, const FlowKey& key, Initiator sender) noexcept {
  const bool is_elsewhere =
      sender == Initiator::kDevice && policy.IsOnOtherPair(key.pair(), key.device_mac());
  return is_elsewhere ? Reason::kMacOnOtherPair : Reason::kUnknownDevice;
}

Reason CheckIdentity(const Context& context, DeviceIndex device, const FlowKey& key,
                     Initiator sender) noexcept {
  const PolicyTable& policy = context.policy;
  if (device == kNoDevice || device == kUnknownDeviceIndex) [[unlikely]] {
    const Reason reason = ReasonOfStranger(policy, key, sender);
    if (device == kNoDevice || reason != Reason::kUnknownDevice) return reason;
  }
  if (sender == Initiator::kDevice) {
    return IsSourceBound(context, device, key) ? Reason::kUndecided : Reason::kSourceNotBound;
  }
  if (IsTaken(context, key, key.peer_ip)) return Reason::kDeviceMacOnNetworkSide;
  return IsDestinationBound(context, device, key) ? Reason::kUndecided
                                                  : Reason::kDestinationNotBound;
}

Decision RefuseFlow(const PolicyTable& policy, DeviceIndex device, const FlowKey& key,
                    Reason reason) noexcept {
  return device == kGroupDevice ? RefuseGroup(policy, key.pair(), key.vlan(), reason)
                                : Refuse(policy, device, reason);
}

bool CarriesDeviceMac(const PolicyTable& policy, const Packet& packet, Side side,
                      const FlowKey& key) noexcept {
  return side == Side::kNetwork &&
         policy.FindByMac(key.pair(), key.vlan(), packet.source_mac) != kNoDevice;
}

bool IsGuardedUdp(const FlowKey& key) noexcept {
  const auto is_dhcp = [](uint16_t l4_port) {
    return l4_port == kDhcpServer || l4_port == kDhcpClient || l4_port == kDhcpv6Client ||
           l4_port == kDhcpv6Server;
  };
  return is_dhcp(key.device_port) || is_dhcp(key.peer_port);
}

FlowQuestion QuestionOf(const FlowKey& key, Initiator initiator) noexcept {
  FlowQuestion question;
  question.initiator = initiator;
  question.protocol = key.protocol();
  question.vlan = key.vlan();
  question.peer = key.peer_ip;
  question.device_ip = key.device_ip;
  if (IsIcmp(key.protocol())) {
    question.icmp_type = IcmpTypeOf(key);
  } else {
    question.peer_port = key.peer_port;
    question.device_port = key.device_port;
  }
  return question;
}

Decision DecideByRules(const PolicyTable& policy, DeviceIndex device, const FlowKey& key,
                       Initiator initiator) noexcept {
  const FlowQuestion question = QuestionOf(key, initiator);
  return device == kGroupDevice ? DecideGroup(policy, key.pair(), question)
                                : Decide(policy, device, question);
}

Decision DecideFlow(const Context& context, const FlowKey& key, Initiator initiator) noexcept {
  const PolicyTable& policy = context.policy;
  const DeviceIndex device = FindDevice(policy, key);
  const Reason reason = CheckIdentity(context, device, key, initiator);
  if (reason != Reason::kUndecided) return RefuseFlow(policy, device, key, reason);
  return DecideByRules(policy, device, key, initiator);
}

}  // namespace cordon::dp

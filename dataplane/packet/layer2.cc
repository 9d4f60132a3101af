// SPDX-License-Identifier: Apache-2.0
// Frames that are neither ARP nor IP: which control protocol they are, if any (IEEE 802.1D,
// 802.1AB, 802.1X, 802.3). Only the addresses and headers that the protocol prescribes count: an
// LLDP ethertype toward a device is not LLDP.
#include "dataplane/packet/layers.h"

namespace cordon::dp {
namespace {

constexpr uint16_t kRarp = 0x8035, kSlowProtocols = 0x8809, kEapol = 0x888e, kLldp = 0x88cc,
                   kPtp = 0x88f7, kFirstEthertype = 0x0600;

constexpr MacAddress Reserved(uint8_t last) { return {0x0180c2000000 | uint64_t{last}}; }
constexpr MacAddress kProviderBridgeGroup = Reserved(8);
constexpr MacAddress kCiscoDiscoveryGroup = {0x01000ccccccc}, kCiscoTreeGroup = {0x01000ccccccd};
// A SNAP header of Cisco's with its protocol (RFC 1042).
constexpr uint64_t kCiscoDiscovery = 0xaaaa0300000c2000, kCiscoTree = 0xaaaa0300000c010b;

bool IsLldpGroup(MacAddress mac) {
  return mac == Reserved(0x0e) || mac == Reserved(3) || mac == Reserved(0);
}

// 802.1X 11.1.1: to the group of port access entities, or to the station itself.
bool IsForPortAccess(MacAddress mac) { return mac == Reserved(3) || !mac.IsGroup(); }

// 802.3 with a length: LLC follows (IEEE 802.2).
L2Kind KindOfLlc(Reader reader, MacAddress to, uint16_t length) {
  if (!reader.Truncate(length)) return L2Kind::kLlc;
  if (to == Reserved(0) || to == kProviderBridgeGroup) {
    const auto llc = reader.Peek<4>();
    const bool is_tree = llc && llc->U16<0>() == 0x4242 && llc->U8<2>() == 3;
    return is_tree ? L2Kind::kStp : L2Kind::kLlc;
  }
  const auto snap = reader.Peek<8>();
  if (!snap) return L2Kind::kLlc;
  if (to == kCiscoTreeGroup && snap->U64<0>() == kCiscoTree) return L2Kind::kStp;
  if (to == kCiscoDiscoveryGroup && snap->U64<0>() == kCiscoDiscovery) return L2Kind::kCdp;
  return L2Kind::kLlc;
}

// 802.3 annex 57A; link aggregation is subtype 1, its marker 2.
L2Kind KindOfSlowProtocol(const Reader& reader, MacAddress to) {
  const auto subtype = reader.Peek<1>();
  const bool is_aggregation =
      to == Reserved(2) && subtype && (subtype->U8<0>() == 1 || subtype->U8<0>() == 2);
  return is_aggregation ? L2Kind::kLacp : L2Kind::kOther;
}

L2Kind KindOf(const Reader& reader, const Packet& packet) {
  const MacAddress to = packet.destination_mac;
  if (packet.ethertype < kFirstEthertype) return KindOfLlc(reader, to, packet.ethertype);
  switch (packet.ethertype) {
    case kEapol:
      return IsForPortAccess(to) ? L2Kind::kEapol : L2Kind::kOther;
    case kLldp:
      return IsLldpGroup(to) ? L2Kind::kLldp : L2Kind::kOther;
    case kSlowProtocols:
      return KindOfSlowProtocol(reader, to);
    case kPtp:
      return L2Kind::kPtp;
    case kRarp:
      return L2Kind::kRarp;
    default:
      return L2Kind::kOther;
  }
}

}  // namespace

Reason ParseLayer2(Reader reader, Packet& packet) noexcept {
  packet.guard = GuardKind::kLayer2;
  packet.l2_kind = KindOf(reader, packet);
  return Reason::kEthertypeNotAllowed;
}

}  // namespace cordon::dp

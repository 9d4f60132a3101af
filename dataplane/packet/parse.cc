// SPDX-License-Identifier: Apache-2.0
// ParseFrame: Ethernet and VLAN tags, then the layer that the ethertype names.
//
// This is the first code that an attacker's bytes meet. Three things keep it safe: every read goes
// through reader.h, where an unchecked read does not compile; every loop has a bound that does not
// come from the frame; and a layer narrows its reader to the length it has checked before it hands
// it on, so that padding is never taken for payload.
//
// It is also on the path of every frame: Ethernet, IPv4 without options, TCP and UDP are inline
// here, all else is called.
#include "dataplane/packet/ipv4.h"
#include "dataplane/packet/layers.h"

namespace cordon::dp {
namespace {

constexpr uint16_t kEthertypeIpv4 = 0x0800, kEthertypeArp = 0x0806, kEthertypeIpv6 = 0x86dd;

constexpr bool IsVlanTag(uint16_t ethertype) {
  return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

// 802.1Q. Reads the one or two tags behind the MAC addresses; packet.ethertype is the tag's type on
// entry and that of the payload on success.
[[gnu::noinline]] Reason ParseVlanTags(Reader& reader, Packet& packet) noexcept {
  for (int depth = 0; IsVlanTag(packet.ethertype); ++depth) {
    if (depth == 2) return Reason::kVlanTooManyTags;
    const auto tag = reader.Take<4>();
    if (!tag) return Reason::kVlanTruncated;
    const uint16_t vid = tag->U16<0>() & 0xfff;
    // A priority tag (VID 0) stands alone: neither inside nor outside of another tag.
    const bool priority_tag_in_stack = depth == 1 && (vid == 0 || packet.vlan.outer == 0);
    if (vid == 0xfff || priority_tag_in_stack) return Reason::kVlanIdReserved;
    (depth == 0 ? packet.vlan.outer : packet.vlan.inner) = vid;
    packet.ethertype = tag->U16<2>();
  }
  return Reason::kUndecided;
}

// All that the layers may leave alone. The union is not touched: it is set where it applies.
void Clear(Packet& packet) {
  packet.vlan = {};
  packet.anomalies = 0;
  packet.layer3 = Layer3::kNone;
  packet.protocol = 0;
  packet.hop_limit = 0;
  packet.tcp_flags = 0;
  packet.tcp_window_scale = kNoWindowScale;
  packet.icmp_type = 0;
  packet.icmp_code = 0;
  packet.icmp_kind = IcmpKind::kNone;
  packet.guard = GuardKind::kNone;
  packet.l2_kind = L2Kind::kNone;
  packet.icmp_id = 0;
  packet.source_port = 0;
  packet.destination_port = 0;
  packet.tcp_window = 0;
  packet.tcp_sequence = 0;
  packet.tcp_acknowledgment = 0;
  packet.payload_length = 0;
  packet.fragment_id = 0;
  packet.fragment_offset = 0;
  packet.fragment_length = 0;
  packet.fragment_digest = 0;
  packet.is_fragment = false;
  packet.more_fragments = false;
  packet.has_router_alert = false;
  packet.source = {};
  packet.destination = {};
}

Reason ParseEthernet(const Frame& frame, Packet& packet) noexcept {
  Reader reader(frame.bytes, frame.length);
  const auto ethernet = reader.Take<14>();
  if (!ethernet) [[unlikely]] {
    packet.has_ethernet = false;
    packet.source_mac = packet.destination_mac = {};
    packet.ethertype = 0;
    return Reason::kFrameTooShort;
  }
  packet.has_ethernet = true;
  packet.destination_mac = ethernet->Mac<0>();
  packet.source_mac = ethernet->Mac<6>();
  packet.ethertype = ethernet->U16<12>();
  if (IsVlanTag(packet.ethertype)) {
    const Reason reason = ParseVlanTags(reader, packet);
    if (reason != Reason::kUndecided) return reason;
  }
  if (packet.source_mac.IsGroup() || packet.source_mac.IsZero()) [[unlikely]] {
    return Reason::kSourceMacInvalid;
  }
  switch (packet.ethertype) {
    case kEthertypeIpv4:
      return ParseIpv4(frame, reader, packet);
    case kEthertypeIpv6:
      return ParseIpv6(frame, reader, packet);
    case kEthertypeArp:
      return ParseArp(reader, packet);
    default:  // lengths of LLC frames (below 0x600) included
      return ParseLayer2(reader, packet);
  }
}

}  // namespace

Reason ParseFrame(const Frame& frame, Packet& packet) noexcept {
  Clear(packet);
  packet.frame_length = frame.length;
  packet.reason = ParseEthernet(frame, packet);
  return packet.reason;
}

}  // namespace cordon::dp

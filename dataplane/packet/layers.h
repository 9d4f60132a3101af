// SPDX-License-Identifier: Apache-2.0
// The layers of the parser, private to packet/. Each takes a reader at its first byte, fills its
// fields of `packet` and returns kUndecided or why the frame must be dropped.
#pragma once

#include <cstdint>

#include "dataplane/packet/packet.h"
#include "dataplane/packet/reader.h"

namespace cordon::dp {

// What layer 4 needs to know about the IP header in front of it.
struct IpEnvelope {
  uint8_t protocol = 0;
  bool has_extensions = false;     // IPv6 extension headers, a fragment header included
  ChecksumPart addresses_sum = 0;  // for the pseudo header (RFC 9293 3.1, RFC 8200 8.1)
};

// The end of an IPv6 extension chain.
struct Ipv6Chain {
  uint8_t protocol = 0;
  uint8_t extensions = 0;
  uint16_t bytes = 0;
  CheckMask anomalies = 0;  // but for kIpv6HopByHop and the kIpv6Option of a router alert
  bool has_hop_by_hop = false;
  bool has_router_alert = false;
  bool is_fragment = false;  // atomic ones are whole packets: RFC 6946
  bool more_fragments = false;
  uint16_t fragment_offset = 0;
  uint16_t fragment_length = 0;
  uint32_t fragment_id = 0;
  uint32_t fragment_digest = 0;
};

inline constexpr size_t kIpv4HeaderLength = 20;

// `length`: bytes behind the header that told of the fragment.
inline void NoteFragment(Packet& packet, uint32_t offset, bool more, uint32_t id, size_t length,
                         uint32_t digest) {
  packet.anomalies |= MaskOf(Check::kFragments);
  packet.is_fragment = true;
  packet.more_fragments = more;
  packet.fragment_offset = static_cast<uint16_t>(offset);
  packet.fragment_length = static_cast<uint16_t>(length);
  packet.fragment_id = id;
  packet.fragment_digest = digest;
}

// A frame that is neither ARP nor IP: says what it is. It always has a reason to be dropped, unless
// the guard knows better.
Reason ParseLayer2(Reader reader, Packet& packet) noexcept;
Reason ParseArp(Reader reader, Packet& packet) noexcept;
// For addresses that are not ordinary unicast or, as destination, a group; sets anomalies. Leaves
// an unspecified source to JudgeUnspecifiedSource.
Reason JudgeIpv4Addresses(Packet& packet) noexcept;
Reason JudgeIpv6Addresses(Packet& packet) noexcept;
// When layer 4 is known: whether it may have :: or 0.0.0.0 as its source.
Reason JudgeUnspecifiedSource(const Packet& packet) noexcept;
// `options`: a reader of exactly the option bytes; sets anomalies.
Reason ParseIpv4Options(Reader options, Packet& packet) noexcept;
Reason ParseIpv6(const Frame& frame, Reader reader, Packet& packet) noexcept;
// Walks from the header that chain.protocol names to layer 4 and leaves `reader` there. Also used
// on the packet that an ICMPv6 error quotes. Ends behind the fragment header of a later fragment.
Reason WalkIpv6Extensions(Reader& reader, Ipv6Chain& chain) noexcept;
// `options`: a reader of exactly the option bytes; sets window scale and anomalies.
Reason ParseTcpOptions(Reader options, Packet& packet) noexcept;
// ICMP, ICMPv6 and IGMP, checksum included.
Reason ParseControl(const Frame& frame, Reader reader, const IpEnvelope& ip,
                    Packet& packet) noexcept;
Reason ParseIcmp(Reader reader, const IpEnvelope& ip, Packet& packet) noexcept;
// `header`: the first 8 bytes; `reader`: behind them.
void ParseNeighbour(Reader reader, const HeaderView<8>& header, const IpEnvelope& ip,
                    Packet& packet) noexcept;
Reason ParseIgmp(Reader reader, Packet& packet) noexcept;

// Multicast listener discovery (RFC 2710, RFC 3810).
constexpr bool IsMld(const Packet& packet) {
  const uint8_t type = packet.icmp_type;
  return packet.protocol == protocol::kIcmpv6 && ((type >= 130 && type <= 132) || type == 143);
}

constexpr bool IsDhcpPort(bool is_v6, uint16_t l4_port) {
  const uint16_t first = is_v6 ? l4_port::kDhcpv6Client : l4_port::kDhcpServer;
  return l4_port == first || l4_port == first + 1;
}
// A UDP datagram, whose length is checked, to such a port. `reader`: at the UDP header.
Reason ParseDhcpDatagram(Reader reader, Packet& packet) noexcept;
// The message inside of it, by family.
Reason ParseDhcp(const Reader& message, Packet& packet) noexcept;
Reason ParseDhcpv6(Reader message, Packet& packet) noexcept;
// RFC 8520: option 161 of DHCP, 112 of DHCPv6.
bool IsMudUrl(Reader value) noexcept;

}  // namespace cordon::dp

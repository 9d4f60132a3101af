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
  bool has_extensions = false;  // IPv6 extension headers, a fragment header included
};

// The end of an IPv6 extension chain.
struct Ipv6Chain {
  uint8_t protocol = 0;
  uint8_t extensions = 0;
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
// `options`: a reader of exactly the option bytes.
Reason CheckIpv4Options(Reader options) noexcept;
Reason ParseIpv6(Reader reader, Packet& packet) noexcept;
// Walks from the first next-header value to layer 4 and leaves `reader` there. Also used on the
// packet that an ICMPv6 error quotes.
Reason WalkIpv6Extensions(uint8_t next_header, Reader& reader, Ipv6Chain& chain) noexcept;
Reason ParseIcmp(Reader reader, const IpEnvelope& ip, Packet& packet) noexcept;

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

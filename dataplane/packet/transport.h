// SPDX-License-Identifier: Apache-2.0
// TCP and UDP, private to packet/. Inline: this is on the path of nearly every frame.
#pragma once

#include <cstdint>

#include "dataplane/packet/layers.h"

namespace cordon::dp {

// Bit f is set if the flags f may occur. RFC 9293: a SYN stands without FIN and RST; everything
// after it carries ACK, except a RST. SYN+URG is sent by no stack and has broken some.
constexpr uint64_t LegalTcpFlags() {
  uint64_t legal = 0;
  for (unsigned flags = 0; flags < 64; ++flags) {
    using namespace tcp_flag;
    const bool syn_alone = (flags & (kFin | kRst | kUrg)) == 0;
    const bool rst_alone = (flags & kFin) == 0;
    const bool ok = (flags & kSyn) != 0   ? syn_alone
                    : (flags & kRst) != 0 ? rst_alone
                                          : (flags & kAck) != 0;
    if (ok) legal |= uint64_t{1} << flags;
  }
  return legal;
}

inline Reason ParseTcp(Reader reader, Packet& packet) noexcept {
  const auto tcp = reader.Peek<20>();
  if (!tcp) return Reason::kTcpTruncated;
  packet.source_port = tcp->U16<0>();
  packet.destination_port = tcp->U16<2>();
  packet.tcp_sequence = tcp->U32<4>();
  packet.tcp_acknowledgment = tcp->U32<8>();
  packet.tcp_window = tcp->U16<14>();
  packet.tcp_flags = tcp->U8<13>() & 0x3f;
  const size_t header_length = tcp->U8<12>() >> 4 << 2;
  if (header_length < 20 || header_length > reader.remaining()) [[unlikely]] {
    return Reason::kTcpHeaderLength;
  }
  packet.payload_length = static_cast<uint32_t>(reader.remaining() - header_length);
  constexpr uint64_t kLegal = LegalTcpFlags();
  if ((kLegal >> packet.tcp_flags & 1) == 0) [[unlikely]]
    return Reason::kTcpFlags;
  if (packet.source_port == 0 || packet.destination_port == 0) [[unlikely]] {
    return Reason::kPortZero;
  }
  return Reason::kUndecided;
}

inline Reason ParseUdp(Reader reader, Packet& packet) noexcept {
  const auto udp = reader.Peek<8>();
  if (!udp) return Reason::kUdpTruncated;
  packet.source_port = udp->U16<0>();
  packet.destination_port = udp->U16<2>();
  const size_t length = udp->U16<4>();
  if (length < 8) [[unlikely]]
    return Reason::kUdpLength;
  if (packet.is_fragment) [[unlikely]] {  // the length is that of the whole datagram
    packet.payload_length = static_cast<uint32_t>(reader.remaining() - 8);
  } else {
    if (length > reader.remaining()) [[unlikely]]
      return Reason::kUdpLength;
    packet.payload_length = static_cast<uint32_t>(length - 8);
  }
  if (packet.source_port == 0 || packet.destination_port == 0) [[unlikely]] {
    return Reason::kPortZero;
  }
  if (IsDhcpPort(packet.layer3 == Layer3::kIpv6, packet.destination_port)) [[unlikely]] {
    return ParseDhcpDatagram(reader, packet);
  }
  return Reason::kUndecided;
}

inline Reason ParseTransport(Reader reader, const IpEnvelope& ip, Packet& packet) noexcept {
  packet.protocol = ip.protocol;
  switch (ip.protocol) {
    case protocol::kTcp:
      return ParseTcp(reader, packet);
    case protocol::kUdp:
      return ParseUdp(reader, packet);
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      return ParseIcmp(reader, ip, packet);
    default:
      return Reason::kProtocolNotSupported;
  }
}

}  // namespace cordon::dp

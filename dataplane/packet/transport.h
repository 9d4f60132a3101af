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

// Whether the checksum of layer 4 holds, where it can be told: the pieces of a datagram share one.
// `pseudo`: sum of the pseudo header. Bytes behind `frame.bytes` count by frame.tail_sum; if a
// trailer lies among them too, no one can tell, and that is wrong.
inline bool HoldsChecksum(const Frame& frame, const Reader& reader, ChecksumPart pseudo) noexcept {
  ChecksumPart sum = pseudo + reader.SumOfReadable();
  if (reader.readable() != reader.remaining()) [[unlikely]] {
    if (!frame.has_tail) return true;
    const size_t tail = reader.remaining() - reader.readable();
    if (tail != frame.length - frame.bytes.size()) return false;
    const ChecksumPart tail_sum = ChecksumOfField(frame.tail_sum);
    sum += reader.readable() % 2 == 0 ? tail_sum : SwappedChecksum(tail_sum);
  }
  return IsChecksumRight(sum);
}

// Adds what the pseudo header has beside the addresses.
inline ChecksumPart PseudoSum(const IpEnvelope& ip, const Reader& reader) {
  return ip.addresses_sum + ChecksumOfField(ip.protocol) +
         ChecksumOfField(static_cast<uint16_t>(reader.remaining()));
}

inline void CheckL4Checksum(const Frame& frame, const Reader& reader, ChecksumPart pseudo,
                            Packet& packet) noexcept {
  if (packet.is_fragment) [[unlikely]]
    return;
  if (!HoldsChecksum(frame, reader, pseudo)) [[unlikely]] {
    packet.anomalies |= MaskOf(Check::kL4Checksum);
  }
}

// RFC 9293 3.1; URG is what CVE-2019-12255 and its kin live on.
inline void JudgeUrgent(uint16_t pointer, Packet& packet) noexcept {
  const bool urgent = (packet.tcp_flags & tcp_flag::kUrg) != 0;
  if (urgent) packet.anomalies |= MaskOf(Check::kTcpUrgent);
  if (urgent && pointer == 0) packet.anomalies |= MaskOf(Check::kTcpUrgentEmpty);
  if (!urgent) packet.anomalies |= MaskOf(Check::kTcpUrgentStray);
}

// Every segment of most connections has one option: two no-operations and timestamps (RFC 7323 A).
inline bool HasOnlyTimestamps(const Reader& options) {
  const auto words = options.Peek<12>();
  return options.remaining() == 12 && words && words->U32<0>() == 0x0101080a;
}

inline Reason ParseTcp(const Frame& frame, Reader reader, const IpEnvelope& ip,
                       Packet& packet) noexcept {
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
  const uint16_t urgent_pointer = tcp->U16<18>();
  if ((packet.tcp_flags & tcp_flag::kUrg) != 0 || urgent_pointer != 0) [[unlikely]] {
    JudgeUrgent(urgent_pointer, packet);
  }
  CheckL4Checksum(frame, reader, PseudoSum(ip, reader), packet);
  if (header_length == 20) return Reason::kUndecided;
  reader.Skip(20);
  const auto options = reader.Split(header_length - 20);
  if (!options) [[unlikely]]
    return Reason::kTcpTruncated;
  if (HasOnlyTimestamps(*options)) return Reason::kUndecided;
  return ParseTcpOptions(*options, packet);
}

// RFC 768. In IPv4 a checksum of 0 means that there is none; in IPv6 there must be one (RFC 8200
// 8.1).
inline Reason ParseUdp(const Frame& frame, Reader reader, const IpEnvelope& ip,
                       Packet& packet) noexcept {
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
    if (length < reader.remaining()) [[unlikely]]
      packet.anomalies |= MaskOf(Check::kUdpTrailer);
    if (!reader.Truncate(length)) [[unlikely]]
      return Reason::kUdpLength;
    packet.payload_length = static_cast<uint32_t>(length - 8);
    if (udp->U16<6>() != 0 || packet.layer3 == Layer3::kIpv6) {
      CheckL4Checksum(frame, reader, PseudoSum(ip, reader), packet);
    }
  }
  if (packet.source_port == 0 || packet.destination_port == 0) [[unlikely]] {
    return Reason::kPortZero;
  }
  if (IsDhcpPort(packet.layer3 == Layer3::kIpv6, packet.destination_port)) [[unlikely]] {
    return ParseDhcpDatagram(reader, packet);
  }
  return Reason::kUndecided;
}

// Protocols without ports are judged by their number alone: layer 4 says nothing of them.
inline Reason ParseTransport(const Frame& frame, Reader reader, const IpEnvelope& ip,
                             Packet& packet) noexcept {
  packet.protocol = ip.protocol;
  switch (ip.protocol) {
    case protocol::kTcp:
      return ParseTcp(frame, reader, ip, packet);
    case protocol::kUdp:
      return ParseUdp(frame, reader, ip, packet);
    case protocol::kIcmp:
    case protocol::kIgmp:
    case protocol::kIcmpv6:
      return ParseControl(frame, reader, ip, packet);
    default:
      return Reason::kUndecided;
  }
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// The short way through the parser, for the frames that nearly all traffic of running conversations
// is made of. Inline: it is the first thing that happens to every frame.
//
// ParseOrdinary calls only frames ordinary that ParseFrame would find without fault and without
// anomaly, and then tells the same facts; the others are not wrong, only not ordinary. A test and a
// fuzzer hold the two together. MAC and IP addresses are not judged: they are the same in all
// frames of a flow, and the flow's first frame went the whole way.
#pragma once

#include <cstdint>

#include "dataplane/packet/checksum.h"
#include "dataplane/packet/packet.h"
#include "dataplane/packet/reader.h"

namespace cordon::dp {

enum class Ordinariness : uint8_t {
  kOther,     // only ParseFrame knows; not TCP, as far as could be seen
  kOtherTcp,  // the same, and it may be TCP
  kKeyed,     // TCP or UDP whose addresses and L4 ports are known, but not ordinary
  kOrdinary
};

// Not initialised: ParseOrdinary sets what applies.
struct OrdinaryPacket {
  struct Address {
    uint64_t hi;
    uint64_t lo;
    operator IpAddress() const { return IpAddress::V6(hi, lo); }
  };
  uint64_t source_mac;
  uint64_t destination_mac;
  uint16_t vlan_outer;
  uint16_t vlan_inner;
  bool is_ipv6;
  uint8_t protocol;   // TCP or UDP
  uint8_t tcp_flags;  // ACK, perhaps PSH; TCP only, as the next four
  uint16_t tcp_window;
  uint32_t tcp_sequence;
  uint32_t tcp_acknowledgment;
  uint32_t payload_length;
  uint16_t source_port;
  uint16_t destination_port;
  uint32_t source_v4;  // IPv4 only
  uint32_t destination_v4;
  Address source_v6;  // IPv6 only
  Address destination_v6;
};

namespace ordinary {

// What the network layer knows: the bytes of layer 4 and the sum of its pseudo header's addresses.
struct Envelope {
  std::span<const uint8_t> transport;
  ChecksumPart addresses = 0;
};

inline bool HasRightChecksum(const Envelope& ip, uint8_t number) noexcept {
  return IsChecksumRight(ip.addresses + ChecksumOfField(number) +
                         ChecksumOfField(static_cast<uint16_t>(ip.transport.size())) +
                         ChecksumOf(ip.transport));
}

// TCP between the opening and the end of a connection: no option but NOP NOP timestamps (RFC 7323
// appendix A), nothing urgent.
inline Ordinariness ParseTcp(const Envelope& ip, OrdinaryPacket& packet) noexcept {
  Reader reader(ip.transport, ip.transport.size());
  const auto tcp = reader.Take<20>();
  if (!tcp) return Ordinariness::kOtherTcp;
  packet.source_port = tcp->U16<0>();
  packet.destination_port = tcp->U16<2>();
  const uint32_t lead = tcp->U32<12>();          // offset 4, reserved 4, flags 8, window 16
  constexpr uint32_t kWithoutPush = 0xff370000;  // ECE and CWR are the ends' own matter: RFC 3168
  constexpr uint32_t kAckAlone = uint32_t{tcp_flag::kAck} << 16;
  size_t header_length = 20;
  if ((lead & kWithoutPush) != (0x50000000 | kAckAlone)) {
    if ((lead & kWithoutPush) != (0x80000000 | kAckAlone)) return Ordinariness::kKeyed;
    const auto options = reader.Peek<12>();
    if (!options || options->U32<0>() != 0x0101080a) return Ordinariness::kKeyed;
    header_length = 32;
  }
  const uint16_t urgent_pointer = tcp->U16<18>();
  if (packet.source_port == 0 || packet.destination_port == 0 || urgent_pointer != 0) {
    return Ordinariness::kKeyed;
  }
  packet.tcp_sequence = tcp->U32<4>();
  packet.tcp_acknowledgment = tcp->U32<8>();
  packet.tcp_flags = static_cast<uint8_t>(lead >> 16 & 0x3f);
  packet.tcp_window = static_cast<uint16_t>(lead);
  packet.payload_length = static_cast<uint32_t>(ip.transport.size() - header_length);
  return HasRightChecksum(ip, protocol::kTcp) ? Ordinariness::kOrdinary : Ordinariness::kKeyed;
}

inline Ordinariness ParseUdp(const Envelope& ip, OrdinaryPacket& packet) noexcept {
  const auto udp = Reader(ip.transport, ip.transport.size()).Peek<8>();
  if (!udp) return Ordinariness::kOther;
  packet.source_port = udp->U16<0>();
  packet.destination_port = udp->U16<2>();
  packet.tcp_flags = 0;
  packet.payload_length = static_cast<uint32_t>(ip.transport.size() - 8);
  if (udp->U16<4>() != ip.transport.size() || packet.source_port == 0 ||
      packet.destination_port == 0) {
    return Ordinariness::kKeyed;
  }
  // A checksum of 0 is none: RFC 768, and not for IPv6: RFC 8200 8.1.
  const bool is_right = udp->U16<6>() == 0 ? !packet.is_ipv6 : HasRightChecksum(ip, protocol::kUdp);
  return is_right ? Ordinariness::kOrdinary : Ordinariness::kKeyed;
}

inline Ordinariness ParseTransport(const Envelope& ip, OrdinaryPacket& packet) noexcept {
  if (packet.protocol == protocol::kTcp) return ParseTcp(ip, packet);
  return packet.protocol == protocol::kUdp ? ParseUdp(ip, packet) : Ordinariness::kOther;
}

// Without options and whole; don't-fragment may be set.
inline Ordinariness ParseIpv4(Reader reader, OrdinaryPacket& packet) noexcept {
  const auto header = reader.Peek<20>();
  if (!header) return Ordinariness::kOther;
  packet.protocol = header->U8<9>();
  const Ordinariness other =
      packet.protocol == protocol::kTcp ? Ordinariness::kOtherTcp : Ordinariness::kOther;
  if (header->U8<0>() != 0x45 || (header->U16<6>() & 0xbfff) != 0) return other;
  const size_t total_length = header->U16<2>();
  const auto datagram = reader.Bytes(total_length);
  if (total_length < 20 || !datagram) return other;
  if (!IsChecksumRight(ChecksumOf(datagram->first(20)))) return other;
  packet.is_ipv6 = false;
  packet.source_v4 = header->U32<12>();
  packet.destination_v4 = header->U32<16>();
  return ParseTransport({datagram->subspan(20), ChecksumOf(datagram->subspan(12, 8))}, packet);
}

// Without extension headers.
inline Ordinariness ParseIpv6(Reader reader, OrdinaryPacket& packet) noexcept {
  const auto header = reader.Peek<40>();
  if (!header || header->U8<0>() >> 4 != 6) return Ordinariness::kOther;
  packet.protocol = header->U8<6>();
  const auto datagram = reader.Bytes(size_t{40} + header->U16<4>());
  // Behind an extension header may be anything.
  const bool is_plain = packet.protocol == protocol::kTcp || packet.protocol == protocol::kUdp;
  if (!datagram || !is_plain) return Ordinariness::kOtherTcp;
  packet.is_ipv6 = true;
  packet.source_v6 = {header->U64<8>(), header->U64<16>()};
  packet.destination_v6 = {header->U64<24>(), header->U64<32>()};
  return ParseTransport({datagram->subspan(40), ChecksumOf(datagram->subspan(8, 32))}, packet);
}

}  // namespace ordinary

inline Ordinariness ParseOrdinary(const Frame& frame, OrdinaryPacket& packet) noexcept {
  if (frame.bytes.size() != frame.length) return Ordinariness::kOtherTcp;  // chained
  Reader reader(frame.bytes, frame.bytes.size());
  const auto ethernet = reader.Take<14>();
  if (!ethernet) return Ordinariness::kOther;
  packet.destination_mac = ethernet->Mac<0>().value;
  packet.source_mac = ethernet->Mac<6>().value;
  packet.vlan_outer = packet.vlan_inner = 0;
  uint16_t ethertype = ethernet->U16<12>();
  if (ethertype == 0x8100) {
    const auto tag = reader.Take<4>();
    if (!tag) return Ordinariness::kOther;
    packet.vlan_outer = tag->U16<0>() & 0xfff;
    // A priority tag is as good as none, but rare.
    if (packet.vlan_outer == 0 || packet.vlan_outer == 0xfff) return Ordinariness::kOtherTcp;
    ethertype = tag->U16<2>();
  }
  if (ethertype == 0x0800 || ethertype == 0x86dd) [[likely]] {
    const Ordinariness kind = ethertype == 0x0800 ? ordinary::ParseIpv4(reader, packet)
                                                  : ordinary::ParseIpv6(reader, packet);
    // A guard looks at every frame to a group, and the key of a device's flow does not tell.
    const bool is_guarded =
        kind == Ordinariness::kOrdinary && MacAddress{packet.destination_mac}.IsGroup();
    return is_guarded ? Ordinariness::kKeyed : kind;
  }
  return ethertype == 0x0806 ? Ordinariness::kOther : Ordinariness::kOtherTcp;
}

}  // namespace cordon::dp

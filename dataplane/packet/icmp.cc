// SPDX-License-Identifier: Apache-2.0
// ICMP (RFC 792), ICMPv6 (RFC 4443) and the neighbour discovery messages a guard needs (RFC 4861).
#include "dataplane/packet/ipv4.h"
#include "dataplane/packet/layers.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kRouterSolicitation = 133, kNeighbourSolicitation = 135,
                  kNeighbourAdvertisement = 136;

IcmpKind KindOf(uint8_t type) {
  switch (type) {
    case 0:
    case 14:
    case 16:
    case 18:
      return IcmpKind::kReply;
    case 3:
    case 11:
    case 12:
      return IcmpKind::kError;
    default:
      return IcmpKind::kRequest;
  }
}

IcmpKind KindOfV6(uint8_t type) {
  switch (type) {
    case 1:
    case 2:
    case 3:
    case 4:
      return IcmpKind::kError;
    case 129:
      return IcmpKind::kReply;
    case kRouterSolicitation:
    case kNeighbourSolicitation:
    case kNeighbourAdvertisement:
      return IcmpKind::kNeighbour;
    default:
      return IcmpKind::kRequest;
  }
}

// The first 8 bytes of layer 4, which every ICMP error must quote (RFC 792).
Reason ParseQuotedTransport(Reader reader, QuotedFacts& quoted) {
  const auto header = reader.Peek<8>();
  if (!header) return Reason::kIcmpTruncated;
  switch (quoted.protocol) {
    case protocol::kTcp:
    case protocol::kUdp:
      quoted.source_port = header->U16<0>();
      quoted.destination_port = header->U16<2>();
      break;
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      quoted.icmp_type = header->U8<0>();
      if (HasIcmpId(quoted.protocol, quoted.icmp_type)) quoted.icmp_id = header->U16<4>();
      break;
    default:
      break;
  }
  return Reason::kUndecided;
}

// A quote is cut short by nature, so the lengths inside are not compared with what is there.
Reason ParseQuotedIpv4(Reader reader, QuotedFacts& quoted) {
  const auto header = reader.Peek<kIpv4HeaderLength>();
  if (!header || header->U8<0>() >> 4 != 4) return Reason::kIcmpTruncated;
  const size_t header_length = static_cast<size_t>(header->U8<0>() & 0xf) * 4;
  if (header_length < kIpv4HeaderLength || !reader.Skip(header_length)) {
    return Reason::kIcmpTruncated;
  }
  if ((header->U16<6>() & kIpv4FragmentOffset) != 0) return Reason::kIcmpTruncated;
  quoted.source = header->V4<12>();
  quoted.destination = header->V4<16>();
  quoted.protocol = header->U8<9>();
  return ParseQuotedTransport(reader, quoted);
}

Reason ParseQuotedIpv6(Reader reader, QuotedFacts& quoted) {
  const auto header = reader.Take<40>();
  if (!header || header->U8<0>() >> 4 != 6) return Reason::kIcmpTruncated;
  quoted.source = header->V6<8>();
  quoted.destination = header->V6<24>();
  // A quoted v4-mapped address would compare equal to a real IPv4 flow's.
  if (quoted.source.IsV4() || quoted.destination.IsV4()) return Reason::kIcmpTruncated;
  Ipv6Chain chain;
  const Reason reason = WalkIpv6Extensions(header->U8<6>(), reader, chain);
  if (reason != Reason::kUndecided || chain.fragment_offset != 0) return Reason::kIcmpTruncated;
  quoted.protocol = chain.protocol;
  return ParseQuotedTransport(reader, quoted);
}

void ParseNeighbour(const Reader& message, const IpEnvelope& ip, Packet& packet) {
  packet.nd = NdFacts();
  bool long_enough = true;  // an RS has no target
  if (packet.icmp_type != kRouterSolicitation) {
    const auto body = message.Peek<24>();
    long_enough = body.has_value();
    if (body) packet.nd.target = body->V6<8>();
  }
  packet.nd.hop_limit_ok =
      long_enough && packet.hop_limit == 255 && packet.icmp_code == 0 && !ip.has_extensions;
}

}  // namespace

Reason ParseIcmp(Reader reader, const IpEnvelope& ip, Packet& packet) noexcept {
  const bool is_v6 = packet.layer3 == Layer3::kIpv6;
  if (is_v6 != (ip.protocol == protocol::kIcmpv6)) return Reason::kIcmpFamily;
  const auto header = reader.Peek<8>();
  if (!header) return Reason::kIcmpTruncated;
  packet.icmp_type = header->U8<0>();
  packet.icmp_code = header->U8<1>();
  packet.icmp_kind = is_v6 ? KindOfV6(packet.icmp_type) : KindOf(packet.icmp_type);
  if (HasIcmpId(ip.protocol, packet.icmp_type)) packet.icmp_id = header->U16<4>();
  if (packet.icmp_kind == IcmpKind::kNeighbour) ParseNeighbour(reader, ip, packet);
  if (packet.icmp_kind != IcmpKind::kError) return Reason::kUndecided;
  packet.quoted = QuotedFacts();
  reader.Skip(8);
  return is_v6 ? ParseQuotedIpv6(reader, packet.quoted) : ParseQuotedIpv4(reader, packet.quoted);
}

}  // namespace cordon::dp

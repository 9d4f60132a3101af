// SPDX-License-Identifier: Apache-2.0
// ICMP (RFC 792) and ICMPv6 (RFC 4443); neighbour discovery is in neighbour.cc.
#include "dataplane/packet/ipv4.h"
#include "dataplane/packet/layers.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kDestinationUnreachable = 3, kFragmentationNeeded = 4, kPacketTooBig = 2;
constexpr uint16_t kLeastMtu = 576;     // RFC 791 3.2: what everybody must take
constexpr uint32_t kLeastMtuV6 = 1280;  // RFC 8200 5

IcmpKind KindOf(uint8_t type) {
  switch (type) {
    case 0:
    case 14:
    case 16:
    case 18:
      return IcmpKind::kReply;
    case 3:
    case 11:
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
    case 133:
    case 135:
    case 136:
      return IcmpKind::kNeighbour;
    case 134:
      return IcmpKind::kRouterAdvertisement;
    case 137:
      return IcmpKind::kRedirect;
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
  chain.protocol = header->U8<6>();
  const Reason reason = WalkIpv6Extensions(reader, chain);
  if (reason != Reason::kUndecided || chain.fragment_offset != 0) return Reason::kIcmpTruncated;
  quoted.protocol = chain.protocol;
  return ParseQuotedTransport(reader, quoted);
}

// A path MTU that makes a stack cut its data to shreds (CVE-2020-11910).
bool AsksForTinyMtu(const HeaderView<8>& header, const Packet& packet) {
  if (packet.layer3 == Layer3::kIpv6) {
    return packet.icmp_type == kPacketTooBig && header.U32<4>() < kLeastMtuV6;
  }
  return packet.icmp_type == kDestinationUnreachable && packet.icmp_code == kFragmentationNeeded &&
         header.U16<6>() < kLeastMtu;
}

bool IsNeighbourDiscovery(IcmpKind kind) {
  return kind == IcmpKind::kNeighbour || kind == IcmpKind::kRouterAdvertisement ||
         kind == IcmpKind::kRedirect;
}

}  // namespace

Reason ParseIcmp(Reader reader, const IpEnvelope& ip, Packet& packet) noexcept {
  const bool is_v6 = packet.layer3 == Layer3::kIpv6;
  const auto header = reader.Take<8>();
  if (!header) return Reason::kIcmpTruncated;
  packet.icmp_type = header->U8<0>();
  packet.icmp_code = header->U8<1>();
  packet.icmp_kind = is_v6 ? KindOfV6(packet.icmp_type) : KindOf(packet.icmp_type);
  if (HasIcmpId(ip.protocol, packet.icmp_type)) packet.icmp_id = header->U16<4>();
  if (IsMld(packet)) packet.guard = GuardKind::kMembership;
  if (IsNeighbourDiscovery(packet.icmp_kind)) {
    packet.guard = GuardKind::kNeighbour;
    ParseNeighbour(reader, *header, ip, packet);
  }
  if (packet.icmp_kind != IcmpKind::kError) return Reason::kUndecided;
  if (AsksForTinyMtu(*header, packet)) packet.anomalies |= MaskOf(Check::kIcmpMtu);
  packet.quoted = QuotedFacts();
  return is_v6 ? ParseQuotedIpv6(reader, packet.quoted) : ParseQuotedIpv4(reader, packet.quoted);
}

Reason ParseControl(const Frame& frame, Reader reader, const IpEnvelope& ip,
                    Packet& packet) noexcept {
  const bool is_v6 = packet.layer3 == Layer3::kIpv6;
  if (is_v6 != (ip.protocol == protocol::kIcmpv6)) return Reason::kIcmpFamily;
  CheckL4Checksum(frame, reader, is_v6 ? PseudoSum(ip, reader) : 0, packet);
  return ip.protocol == protocol::kIgmp ? ParseIgmp(reader, packet) : ParseIcmp(reader, ip, packet);
}

}  // namespace cordon::dp

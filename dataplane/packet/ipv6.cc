// SPDX-License-Identifier: Apache-2.0
// IPv6 and its extension headers (RFC 8200).
#include "dataplane/packet/layers.h"
#include "dataplane/packet/transport.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kNoNextHeader = 59,
                  kDestinationOptions = 60;
constexpr size_t kIpv6HeaderLength = 40;

// ::ffff:0:0/96 and ::/96, but for :: and ::1 (RFC 4291 2.5.5).
bool IsMappedOrCompatible(const IpAddress& ip) {
  return ip.hi == 0 && (ip.lo >> 32 == 0xffff || (ip.lo >> 32 == 0 && ip.lo > 1));
}

// RFC 8200 4.1: each header once (destination options twice), hop-by-hop in front. The rest of the
// order is only recommended, but everybody keeps to it.
class SeenExtensions {
 public:
  Reason Admit(uint8_t type, Ipv6Chain& chain) {
    if (chain.extensions++ == kMaxIpv6Extensions) return Reason::kIpv6ExtensionLimit;
    const int rank = RankOf(type);
    if (type == kDestinationOptions ? ++destination_options_ > 2 : seen_[rank]) {
      return Reason::kIpv6ExtensionChain;
    }
    if (type == kHopByHop && chain.extensions != 1) return Reason::kIpv6ExtensionChain;
    if (rank < last_rank_) chain.anomalies |= MaskOf(Check::kIpv6ExtensionOrder);
    seen_[rank] = true;
    last_rank_ = rank;
    return Reason::kUndecided;
  }

 private:
  // Destination options stand in front of a routing header or at the end.
  int RankOf(uint8_t type) const {
    switch (type) {
      case kHopByHop:
        return 0;
      case kDestinationOptions:
        return last_rank_ >= 1 ? 4 : 1;
      case kRouting:
        return 2;
      default:
        return 3;
    }
  }

  bool seen_[5] = {};
  int destination_options_ = 0;
  int last_rank_ = -1;
};

// RFC 8200 4.2. Padding is all that a packet for a device needs; MLD has a router alert as well.
// Each turn consumes at least one byte.
Reason WalkOptions(uint8_t header_type, Reader options, Ipv6Chain& chain) {
  constexpr uint8_t kPad1 = 0, kPadN = 1, kRouterAlert = 5, kJumboPayload = 0xc2;
  while (const auto type = options.Take<1>()) {
    if (type->U8<0>() == kPad1) continue;
    const auto length = options.Take<1>();
    if (!length || !options.Skip(length->U8<0>())) return Reason::kIpv6OptionMalformed;
    if (type->U8<0>() == kPadN) continue;
    if (type->U8<0>() == kJumboPayload) return Reason::kIpv6Jumbo;
    if (header_type == kHopByHop && type->U8<0>() == kRouterAlert && length->U8<0>() == 2) {
      chain.has_router_alert = true;
    } else {
      chain.anomalies |= MaskOf(Check::kIpv6Option);
    }
  }
  return Reason::kUndecided;
}

Reason WalkFragmentHeader(Reader& reader, Ipv6Chain& chain) {
  const auto header = reader.Take<8>();
  if (!header) return Reason::kIpv6ExtensionTruncated;
  chain.protocol = header->U8<0>();
  const uint16_t offset_and_flag = header->U16<2>();
  chain.fragment_offset = offset_and_flag & 0xfff8;
  chain.more_fragments = (offset_and_flag & 1) != 0;
  chain.is_fragment = chain.fragment_offset != 0 || chain.more_fragments;
  chain.fragment_id = header->U32<4>();
  chain.fragment_length = static_cast<uint16_t>(reader.remaining());
  if (chain.is_fragment) chain.fragment_digest = reader.Digest();
  return Reason::kUndecided;
}

// RFC 8200 4.4. The destination address is only the next stop while segments are left, so no rule
// could judge where the packet goes. (The same position holds "segments left" in every type.)
Reason JudgeRoutingHeader(const HeaderView<8>& header, Ipv6Chain& chain) {
  if (header.U8<2>() == 0) return Reason::kIpv6RoutingHeader0;
  if (header.U8<3>() != 0) return Reason::kIpv6SourceRoute;
  chain.anomalies |= MaskOf(Check::kIpv6RoutingHeader);
  return Reason::kUndecided;
}

// Hop-by-hop, destination options and routing headers: next header, length in 8 bytes beyond the
// first 8.
Reason WalkSizedHeader(uint8_t type, Reader& reader, Ipv6Chain& chain) {
  const auto header = reader.Peek<8>();
  if (!header) return Reason::kIpv6ExtensionTruncated;
  const size_t length = (header->U8<1>() + size_t{1}) * 8;
  auto body = reader.Split(length);
  if (!body) return Reason::kIpv6ExtensionTruncated;
  chain.protocol = header->U8<0>();
  chain.bytes = static_cast<uint16_t>(chain.bytes + length);
  if (chain.bytes > kMaxIpv6ExtensionBytes) return Reason::kIpv6ExtensionLimit;
  if (type == kRouting) return JudgeRoutingHeader(*header, chain);
  chain.has_hop_by_hop |= type == kHopByHop;
  body->Skip(2);
  return WalkOptions(type, *body, chain);
}

// What MLD may have and nothing else.
void JudgeHopByHop(const Ipv6Chain& chain, Packet& packet) {
  if (!chain.has_hop_by_hop || IsMld(packet)) return;
  packet.anomalies |= MaskOf(Check::kIpv6HopByHop);
  if (chain.has_router_alert) packet.anomalies |= MaskOf(Check::kIpv6Option);
}

// 2000::/3 and fc00::/7: global and unique local unicast.
bool IsOrdinary(const IpAddress& ip) { return ip.hi >> 61 == 1 || ip.hi >> 57 == 0xfc >> 1; }

// IANA's registry of IPv6 address space: the ordinary ones, link- and site-local, NAT64 (RFC 6052,
// RFC 8215), and groups of a scope that can leave a host (RFC 7346).
bool IsAssigned(const IpAddress& ip) {
  if (IsOrdinary(ip)) return true;
  if (ip.hi >> 55 == 0xfe80 >> 7) return true;  // fe80::/10 and fec0::/10
  if (ip.hi >> 32 == 0x0064ff9b || ip.IsUnspecified()) return true;
  const uint64_t scope = ip.hi >> 48 & 0xf;
  return ip.IsMulticast() && scope >= 2 && scope != 0xf;
}

// RFC 4291 2.5.6 and what hosts do: without a global address they look for neighbours, routers,
// groups and leases, and announce themselves to their link.
bool MayUseLinkLocal(const Packet& packet) {
  constexpr uint16_t kDhcpClient = 546, kDhcpServer = 547;
  if (packet.destination.hi >> 48 == 0xff02 || IsMld(packet)) return true;
  if (packet.protocol == protocol::kUdp) {
    return (packet.source_port == kDhcpClient || packet.source_port == kDhcpServer) &&
           (packet.destination_port == kDhcpClient || packet.destination_port == kDhcpServer);
  }
  return packet.protocol == protocol::kIcmpv6 && packet.icmp_type >= 133 && packet.icmp_type <= 137;
}

bool IsExtension(uint8_t type) {
  return type == kHopByHop || type == kDestinationOptions || type == kRouting || type == kFragment;
}

// What needs layer 4 to be known.
Reason JudgeWhole(const Ipv6Chain& chain, Packet& packet) {
  JudgeHopByHop(chain, packet);
  const bool is_link_local = packet.source.IsV6LinkLocal() || packet.destination.IsV6LinkLocal();
  if (is_link_local && !MayUseLinkLocal(packet)) packet.anomalies |= MaskOf(Check::kIpv6LinkLocal);
  return packet.source.IsUnspecified() ? JudgeUnspecifiedSource(packet) : Reason::kUndecided;
}

}  // namespace

Reason WalkIpv6Extensions(Reader& reader, Ipv6Chain& chain) noexcept {
  SeenExtensions seen;
  while (IsExtension(chain.protocol)) {
    const uint8_t type = chain.protocol;
    Reason reason = seen.Admit(type, chain);
    if (reason != Reason::kUndecided) return reason;
    reason = type == kFragment ? WalkFragmentHeader(reader, chain)
                               : WalkSizedHeader(type, reader, chain);
    if (reason != Reason::kUndecided) return reason;
    if (chain.fragment_offset != 0) break;  // what follows is the middle of something
  }
  return Reason::kUndecided;
}

Reason JudgeIpv6Addresses(Packet& packet) noexcept {
  constexpr IpAddress kLoopback = IpAddress::V6(0, 1);
  const IpAddress &source = packet.source, &destination = packet.destination;
  if (IsOrdinary(source) && IsOrdinary(destination)) [[likely]] {
    return source == destination ? Reason::kLand : Reason::kUndecided;
  }
  if (source.IsMulticast()) return Reason::kSourceMulticast;
  if (source == kLoopback || destination == kLoopback) return Reason::kLoopbackAddress;
  if (destination.IsUnspecified()) return Reason::kZeroNetwork;
  if (source == destination) return Reason::kLand;
  if (!IsAssigned(source) || !IsAssigned(destination)) {
    packet.anomalies |= MaskOf(Check::kReservedAddress);
  }
  return Reason::kUndecided;
}

Reason ParseIpv6(const Frame& frame, Reader reader, Packet& packet) noexcept {
  const auto header = reader.Take<kIpv6HeaderLength>();
  if (!header) return Reason::kIpv6Truncated;
  if (header->U8<0>() >> 4 != 6) return Reason::kIpv6Version;
  const IpAddress source = header->V6<8>();
  const IpAddress destination = header->V6<24>();
  // Such addresses are not even stored: IpAddress would take them for IPv4.
  if (IsMappedOrCompatible(source) || IsMappedOrCompatible(destination)) {
    return Reason::kIpv6AddressMapped;
  }
  packet.layer3 = Layer3::kIpv6;
  packet.source = source;
  packet.destination = destination;
  packet.hop_limit = header->U8<7>();
  packet.anomalies = MaskOf(Check::kIpv6);

  Ipv6Chain chain;
  chain.protocol = header->U8<6>();
  packet.protocol = chain.protocol;
  const size_t payload_length = header->U16<4>();
  if (payload_length == 0 && chain.protocol == kHopByHop) return Reason::kIpv6Jumbo;
  if (payload_length == 0 && chain.protocol != kNoNextHeader) return Reason::kIpv6PayloadLength;
  if (!reader.Truncate(payload_length)) return Reason::kIpv6PayloadLength;

  Reason reason = JudgeIpv6Addresses(packet);
  if (reason != Reason::kUndecided) return reason;
  reason = WalkIpv6Extensions(reader, chain);
  packet.has_router_alert = chain.has_router_alert;
  packet.protocol = chain.protocol;
  packet.anomalies |= chain.anomalies;
  if (chain.is_fragment) {
    NoteFragment(packet, chain.fragment_offset, chain.more_fragments, chain.fragment_id,
                 chain.fragment_length, chain.fragment_digest);
  }
  if (reason != Reason::kUndecided) return reason;
  if (chain.fragment_offset == 0) {
    const IpEnvelope ip{chain.protocol, chain.extensions != 0, header->Sum<8, 32>()};
    reason = ParseTransport(frame, reader, ip, packet);
    if (reason != Reason::kUndecided) return reason;
  }
  return JudgeWhole(chain, packet);
}

}  // namespace cordon::dp

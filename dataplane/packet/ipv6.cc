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

// RFC 8200 4.1: each header once (destination options twice), hop-by-hop in front.
class SeenExtensions {
 public:
  bool Admit(uint8_t type) {
    if (count_ == kMaxIpv6Extensions) return false;
    const bool first = count_++ == 0;
    switch (type) {
      case kHopByHop:
        return first;
      case kDestinationOptions:
        return ++destination_options_ <= 2;
      case kRouting:
        return ++routing_ <= 1;
      default:
        return ++fragment_ <= 1;
    }
  }

 private:
  int count_ = 0, destination_options_ = 0, routing_ = 0, fragment_ = 0;
};

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

// Hop-by-hop, destination options and routing headers: next header, length in 8 bytes beyond the
// first 8.
Reason WalkSizedHeader(uint8_t type, Reader& reader, Ipv6Chain& chain) {
  const auto header = reader.Peek<8>();
  if (!header) return Reason::kIpv6ExtensionTruncated;
  if (type == kRouting) {
    if (header->U8<2>() == 0) return Reason::kIpv6RoutingHeader0;
    // The destination address is only the next stop, so no rule could judge where it goes. (The
    // same position holds "segments left" in every type: RFC 8200 4.4.)
    if (header->U8<3>() != 0) return Reason::kIpv6SourceRoute;
  }
  chain.protocol = header->U8<0>();
  if (!reader.Skip((header->U8<1>() + size_t{1}) * 8)) return Reason::kIpv6ExtensionTruncated;
  return Reason::kUndecided;
}

}  // namespace

Reason WalkIpv6Extensions(uint8_t next_header, Reader& reader, Ipv6Chain& chain) noexcept {
  SeenExtensions seen;
  chain.protocol = next_header;
  while (chain.protocol == kHopByHop || chain.protocol == kDestinationOptions ||
         chain.protocol == kRouting || chain.protocol == kFragment) {
    const uint8_t type = chain.protocol;
    if (!seen.Admit(type)) return Reason::kIpv6ExtensionChain;
    ++chain.extensions;
    const Reason reason = type == kFragment ? WalkFragmentHeader(reader, chain)
                                            : WalkSizedHeader(type, reader, chain);
    if (reason != Reason::kUndecided) return reason;
    if (chain.fragment_offset != 0) break;  // what follows is the middle of something
  }
  return Reason::kUndecided;
}

Reason ParseIpv6(Reader reader, Packet& packet) noexcept {
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

  const uint8_t next_header = header->U8<6>();
  packet.protocol = next_header;
  const size_t payload_length = header->U16<4>();
  if (payload_length == 0 && next_header != kNoNextHeader) return Reason::kIpv6PayloadLength;
  if (!reader.Truncate(payload_length)) return Reason::kIpv6PayloadLength;

  Ipv6Chain chain;
  const Reason reason = WalkIpv6Extensions(next_header, reader, chain);
  packet.protocol = chain.protocol;
  if (chain.is_fragment) {
    NoteFragment(packet, chain.fragment_offset, chain.more_fragments, chain.fragment_id,
                 chain.fragment_length, chain.fragment_digest);
  }
  if (reason != Reason::kUndecided || chain.fragment_offset != 0) return reason;
  return ParseTransport(reader, {chain.protocol, chain.extensions != 0}, packet);
}

}  // namespace cordon::dp

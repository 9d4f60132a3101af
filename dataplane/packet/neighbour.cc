// SPDX-License-Identifier: Apache-2.0
// IPv6 neighbour discovery (RFC 4861): what the ND guard must know, judged as a receiver must.
#include "dataplane/packet/layers.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kRouterSolicitation = 133, kRouterAdvertisement = 134,
                  kNeighbourSolicitation = 135, kNeighbourAdvertisement = 136, kRedirect = 137;

// ff02::1:ff00:0/104, RFC 4291 2.7.1
bool IsSolicitedNodeGroup(const IpAddress& ip) {
  return ip.hi == 0xff02000000000000ULL && ip.lo >> 24 == 0x1ff;
}

// RFC 4861 4.6: type, length in 8 bytes. Each turn consumes at least 8 bytes.
bool ReadOptions(Reader options, NdFacts& nd) {
  constexpr uint8_t kSourceLinkLayer = 1, kTargetLinkLayer = 2;
  while (options.remaining() != 0) {
    const auto option = options.Peek<8>();
    if (!option || option->U8<1>() == 0 || !options.Skip(option->U8<1>() * size_t{8})) return false;
    const uint8_t type = option->U8<0>();
    if (type != kSourceLinkLayer && type != kTargetLinkLayer) continue;
    if (option->U8<1>() != 1) return false;  // not an Ethernet address
    (type == kSourceLinkLayer ? nd.source_link_layer : nd.target_link_layer) = option->Mac<2>();
  }
  return true;
}

// What stands between the first 8 bytes and the options. RFC 4861 4.1 to 4.5.
bool ReadBody(Reader& reader, const Packet& packet, NdFacts& nd) {
  switch (packet.icmp_type) {
    case kRouterSolicitation:
      return true;
    case kRouterAdvertisement:
      return reader.Skip(8);
    case kRedirect: {
      const auto addresses = reader.Take<32>();
      if (addresses) nd.target = addresses->V6<0>();
      return addresses && !addresses->V6<16>().IsMulticast();
    }
    default: {
      const auto target = reader.Take<16>();
      if (target) nd.target = target->V6<0>();
      return target && !nd.target.IsMulticast();
    }
  }
}

// RFC 4861 6.1.1, 6.1.2, 7.1.1, 7.1.2, 8.1.
bool FitAddresses(const Packet& packet, const NdFacts& nd, bool is_solicited) {
  const IpAddress& source = packet.source;
  switch (packet.icmp_type) {
    case kRouterSolicitation:
      return !source.IsUnspecified() || nd.source_link_layer.IsZero();
    case kNeighbourSolicitation:
      return !source.IsUnspecified() ||
             (IsSolicitedNodeGroup(packet.destination) && nd.source_link_layer.IsZero());
    case kNeighbourAdvertisement:
      return !packet.destination.IsMulticast() || !is_solicited;
    default:  // router advertisement, redirect
      return source.IsV6LinkLocal();
  }
}

}  // namespace

void ParseNeighbour(Reader reader, const HeaderView<8>& header, const IpEnvelope& ip,
                    Packet& packet) noexcept {
  NdFacts nd;
  const bool is_solicited = (header.U8<4>() & 0x40) != 0;
  const bool is_whole = ReadBody(reader, packet, nd) && ReadOptions(reader, nd);
  const bool has_right_checksum = (packet.anomalies & MaskOf(Check::kL4Checksum)) == 0;
  nd.hop_limit_ok = is_whole && has_right_checksum && packet.hop_limit == 255 &&
                    packet.icmp_code == 0 && !ip.has_extensions &&
                    FitAddresses(packet, nd, is_solicited);
  packet.nd = nd;
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet/ipv4.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kEndOfOptions = 0, kNoOperation = 1, kRecordRoute = 7, kTimestamp = 68,
                  kLooseSourceRoute = 131, kStrictSourceRoute = 137, kRouterAlert = 148;

// RFC 7126. What goes another way than the addresses say, or tells of one, is refused always.
Reason JudgeOption(uint8_t type, Packet& packet) {
  switch (type) {
    case kLooseSourceRoute:
    case kStrictSourceRoute:
      return Reason::kIpv4SourceRoute;
    case kRecordRoute:
      return Reason::kIpv4RecordRoute;
    case kTimestamp:
      packet.anomalies |= MaskOf(Check::kIpv4Timestamp);
      break;
    case kRouterAlert:
      packet.has_router_alert = true;
      // RFC 2236 2: IGMP has it always.
      if (packet.protocol != protocol::kIgmp) {
        packet.anomalies |= MaskOf(Check::kIpv4RouterAlert);
      }
      break;
    default:
      packet.anomalies |= MaskOf(Check::kIpv4OtherOption);
  }
  return Reason::kUndecided;
}

constexpr bool IsIn(uint32_t address, uint32_t block, int length) {
  return (address ^ block) >> (32 - length) == 0;
}

// RFC 1122 3.2.1.3, RFC 6890.
Reason JudgeEither(uint32_t address, Packet& packet) {
  constexpr uint32_t kBroadcast = 0xffffffff;
  if (IsIn(address, 0x7f000000, 8)) return Reason::kLoopbackAddress;
  if (IsIn(address, 0xf0000000, 4) && address != kBroadcast) {
    packet.anomalies |= MaskOf(Check::kReservedAddress);
  }
  if (IsIn(address, 0xa9fe0000, 16)) packet.anomalies |= MaskOf(Check::kIpv4LinkLocal);
  return Reason::kUndecided;
}

}  // namespace

// At most 40 bytes, at least one of which each turn consumes.
Reason ParseIpv4Options(Reader options, Packet& packet) noexcept {
  bool only_padding = true;
  while (const auto type = options.Take<1>()) {
    if (type->U8<0>() == kEndOfOptions) break;
    if (type->U8<0>() == kNoOperation) continue;
    only_padding = false;
    const auto length = options.Take<1>();
    if (!length || length->U8<0>() < 2 || !options.Skip(length->U8<0>() - 2u)) {
      return Reason::kIpv4OptionMalformed;
    }
    const Reason reason = JudgeOption(type->U8<0>(), packet);
    if (reason != Reason::kUndecided) return reason;
  }
  if (only_padding) packet.anomalies |= MaskOf(Check::kIpv4OtherOption);
  return Reason::kUndecided;
}

Reason JudgeIpv4Addresses(Packet& packet) noexcept {
  const uint32_t source = packet.source.AsV4(), destination = packet.destination.AsV4();
  if (packet.source.IsMulticast()) return Reason::kSourceMulticast;
  if (packet.source.IsLimitedBroadcast()) return Reason::kSourceBroadcast;
  if (IsIn(destination, 0, 8) || (IsIn(source, 0, 8) && source != 0)) return Reason::kZeroNetwork;
  if (source == destination) return Reason::kLand;
  const Reason reason = JudgeEither(source, packet);
  return reason != Reason::kUndecided ? reason : JudgeEither(destination, packet);
}

// RFC 2131 4.1 (DHCP), RFC 3376 4.2.13 (IGMP), RFC 4861 4.1 and 4.3 (a host without an address asks
// for routers and whether its address is taken), RFC 3590 (MLD).
Reason JudgeUnspecifiedSource(const Packet& packet) noexcept {
  constexpr uint16_t kDhcpServer = 67, kDhcpClient = 68;
  constexpr uint8_t kRouterSolicitation = 133, kNeighbourSolicitation = 135;
  bool passes = false;
  if (packet.protocol == protocol::kUdp) {
    passes = packet.layer3 == Layer3::kIpv4 && packet.source_port == kDhcpClient &&
             packet.destination_port == kDhcpServer;
  } else if (packet.protocol == protocol::kIcmpv6) {
    passes = IsMld(packet) || packet.icmp_type == kRouterSolicitation ||
             packet.icmp_type == kNeighbourSolicitation;
  } else {
    passes = packet.protocol == protocol::kIgmp;
  }
  return passes ? Reason::kUndecided : Reason::kSourceUnspecified;
}

}  // namespace cordon::dp

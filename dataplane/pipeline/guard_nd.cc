// SPDX-License-Identifier: Apache-2.0
// IPv6 neighbour discovery (RFC 4861, 4862, 6105, 6620). Solicitations and advertisements pass by
// what is bound. A router advertisement passes from the network side only, and only where a rule
// names it (ICMPv6 type 134): it decides where all traffic of a device goes. A redirect never does.
#include "dataplane/pipeline/guard.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kRouterSolicitation = 133, kNeighbourSolicitation = 135;

// ff02::1:ff00:0/104, RFC 4291 2.7.1
bool IsSolicitedNodeGroup(const IpAddress& ip) {
  return ip.hi == 0xff02000000000000ULL && ip.lo >> 24 == 0x1ff;
}
bool IsAllNodesGroup(const IpAddress& ip) { return ip.hi == 0xff02000000000000ULL && ip.lo == 1; }

bool IsOwn(const GuardedFrame& frame, const IpAddress& ip) {
  return frame.IsOwnLinkLocal(ip) || frame.BelongsToDevice(ip);
}

Reason FromDevice(const GuardedFrame& frame) {
  const Packet& packet = frame.packet();
  const NdFacts& nd = packet.nd;
  const auto is_foreign = [&](MacAddress mac) { return !mac.IsZero() && mac != packet.source_mac; };
  if (is_foreign(nd.source_link_layer) || is_foreign(nd.target_link_layer)) {
    return Reason::kNdLinkLayer;
  }
  const bool has_source = !packet.source.IsUnspecified();
  if (has_source && !IsOwn(frame, packet.source)) return Reason::kNdNotBound;
  if (packet.icmp_type == kRouterSolicitation) return Reason::kUndecided;
  // A solicitation without a source asks whether its target is free to be taken: RFC 4862 5.4.
  const bool is_question = packet.icmp_type == kNeighbourSolicitation && has_source;
  return is_question || IsOwn(frame, nd.target) ? Reason::kUndecided : Reason::kNdNotBound;
}

bool SolicitationPasses(const GuardedFrame& frame) {
  const IpAddress& target = frame.packet().nd.target;
  if (frame.device() != kGroupDevice) return IsOwn(frame, target);
  if (frame.IsDeviceIp(target) || frame.MayBeAnybodys()) return true;
  return target.IsV6LinkLocal() && IsSolicitedNodeGroup(frame.packet().destination) &&
         frame.HasDevices();
}

bool AdvertisementPasses(const GuardedFrame& frame) {
  const IpAddress& target = frame.packet().nd.target;
  if (frame.IsDeviceIp(target) || frame.IsDeviceLinkLocal(target)) return false;
  if (frame.device() != kGroupDevice) return true;
  return IsAllNodesGroup(frame.packet().destination) && frame.SomebodyListens();
}

Reason FromNetwork(const GuardedFrame& frame) {
  const Packet& packet = frame.packet();
  if (frame.IsDeviceMac(packet.nd.source_link_layer) ||
      frame.IsDeviceMac(packet.nd.target_link_layer)) {
    return Reason::kNdLinkLayer;
  }
  // Nobody on the network side owns a device's address; and devices are no routers to be asked.
  if (frame.IsDeviceIp(packet.source) || frame.IsDeviceLinkLocal(packet.source) ||
      packet.icmp_type == kRouterSolicitation) {
    return Reason::kNdNotBound;
  }
  if (packet.icmp_kind == IcmpKind::kRouterAdvertisement) return Reason::kUndecided;
  const bool passes = packet.icmp_type == kNeighbourSolicitation ? SolicitationPasses(frame)
                                                                 : AdvertisementPasses(frame);
  return passes ? Reason::kUndecided : Reason::kNdNotBound;
}

}  // namespace

Decision JudgeNeighbour(const GuardedFrame& frame) noexcept {
  const Packet& packet = frame.packet();
  const bool is_router = packet.icmp_kind == IcmpKind::kRouterAdvertisement;
  if (packet.icmp_kind == IcmpKind::kRedirect) return frame.Refused(Reason::kNdRedirect);
  if (is_router && frame.from_device()) return frame.Refused(Reason::kNdRouterOnDeviceSide);
  if (!packet.nd.hop_limit_ok) return frame.Refused(Reason::kNdInvalid);
  if (!frame.from_device() && frame.IsDeviceMac(packet.source_mac)) {
    return frame.Refused(Reason::kDeviceMacOnNetworkSide);
  }
  const Reason reason = frame.from_device() ? FromDevice(frame) : FromNetwork(frame);
  if (reason != Reason::kUndecided) return frame.Refused(reason);
  return is_router ? Decision{} : frame.Passed(Reason::kNdGuard);
}

}  // namespace cordon::dp

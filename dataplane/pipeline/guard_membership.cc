// SPDX-License-Identifier: Apache-2.0
// Who wants which multicast group: IGMP (RFC 2236, RFC 3376) and MLD (RFC 2710, RFC 3810). Messages
// of a link carry TTL 1 and the router alert option, MLD comes from a link-local address; all else
// was not made on this link. Routers ask, and they are on the network side.
#include "dataplane/pipeline/guard.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kIgmpQuery = 0x11, kIgmpReportV1 = 0x12, kMldQuery = 130;

bool IsQuery(const Packet& packet) {
  return packet.protocol == protocol::kIgmp ? packet.igmp.type == kIgmpQuery
                                            : packet.icmp_type == kMldQuery;
}

bool IsOfThisLink(const Packet& packet) {
  if (packet.hop_limit != 1) return false;
  if (packet.protocol == protocol::kIgmp) {
    // RFC 1112 knows no router alert.
    return packet.has_router_alert || packet.igmp.type == kIgmpReportV1;
  }
  // RFC 3590: a host that has no address yet reports without one.
  const bool has_link_address =
      packet.source.IsV6LinkLocal() || (packet.source.IsUnspecified() && !IsQuery(packet));
  return packet.has_router_alert && has_link_address;
}

}  // namespace

Decision JudgeMembership(const GuardedFrame& frame) noexcept {
  const Packet& packet = frame.packet();
  if (!IsOfThisLink(packet)) return frame.Refused(Reason::kMembershipInvalid);
  if (IsQuery(packet) && frame.from_device()) {
    return frame.Refused(Reason::kMembershipQueryFromDevice);
  }
  return {};
}

}  // namespace cordon::dp

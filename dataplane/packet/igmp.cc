// SPDX-License-Identifier: Apache-2.0
// IGMP (RFC 2236, RFC 3376): type and group.
#include "dataplane/packet/layers.h"

namespace cordon::dp {

// Each version's messages have 8 bytes at least; a version 3 report has group records behind them.
Reason ParseIgmp(Reader reader, Packet& packet) noexcept {
  constexpr uint8_t kReportV3 = 0x22;
  const auto header = reader.Take<8>();
  if (!header) return Reason::kIgmpTruncated;
  packet.guard = GuardKind::kMembership;
  packet.igmp = IgmpFacts{header->U8<0>(), header->V4<4>()};
  if (packet.igmp.type != kReportV3) return Reason::kUndecided;
  packet.igmp.group = IpAddress::V4(0);
  if (header->U16<6>() == 0) return Reason::kUndecided;
  const auto record = reader.Peek<8>();
  if (!record) return Reason::kIgmpTruncated;
  packet.igmp.group = record->V4<4>();
  return Reason::kUndecided;
}

}  // namespace cordon::dp

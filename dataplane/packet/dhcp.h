// SPDX-License-Identifier: Apache-2.0
// What a guard must know of DHCP (RFC 2131, with BOOTP, RFC 951) and DHCPv6 (RFC 8415).
#pragma once

#include <cstdint>

#include "dataplane/packet/address.h"

namespace cordon::dp {

namespace l4_port {
inline constexpr uint16_t kDhcpServer = 67, kDhcpClient = 68, kDhcpv6Client = 546,
                          kDhcpv6Server = 547;
}

// Who sends messages of that kind: op 1 or 2 of BOOTP, the message type of DHCPv6.
enum class DhcpRole : uint8_t { kClient, kServer, kRelay };

namespace dhcp_type {  // option 53; 0 is plain BOOTP
inline constexpr uint8_t kDiscover = 1, kOffer = 2, kRequest = 3, kDecline = 4, kAck = 5, kNak = 6,
                         kRelease = 7, kInform = 8, kForceRenew = 9;
}
namespace dhcpv6_type {
inline constexpr uint8_t kSolicit = 1, kAdvertise = 2, kRequest = 3, kConfirm = 4, kRenew = 5,
                         kRebind = 6, kReply = 7, kRelease = 8, kDecline = 9, kReconfigure = 10,
                         kInformationRequest = 11, kRelayForward = 12, kRelayReply = 13;
}

inline constexpr uint32_t kInfiniteLease = 0xffffffff;

// Of a well-formed message of either family. Of a relay message only role and type are set.
struct DhcpFacts {
  DhcpRole role = DhcpRole::kClient;
  uint8_t type = 0;                // dhcp_type or dhcpv6_type
  bool is_relayed = false;         // DHCP: a relay has put its address or option 82 in
  bool several_addresses = false;  // DHCPv6: more than one is leased; `address` is the first
  uint32_t transaction = 0;        // 24 bits in DHCPv6
  uint32_t lease_seconds = 0;      // of `address`; plain BOOTP leases for ever
  MacAddress client;               // chaddr; zero in DHCPv6
  // What a server gives: yiaddr, or the first address of an IA. Unspecified if it gives none.
  IpAddress address;
};

}  // namespace cordon::dp

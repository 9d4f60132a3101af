// SPDX-License-Identifier: Apache-2.0
// ARP for IPv4 over Ethernet (RFC 826): nothing else is spoken on the data path.
#include "dataplane/packet/layers.h"

namespace cordon::dp {

Reason ParseArp(Reader reader, Packet& packet) noexcept {
  const auto arp = reader.Peek<28>();
  if (!arp) return Reason::kArpTruncated;
  const uint16_t operation = arp->U16<6>();
  const bool is_ethernet_ipv4 =
      arp->U16<0>() == 1 && arp->U16<2>() == 0x0800 && arp->U8<4>() == 6 && arp->U8<5>() == 4;
  if (!is_ethernet_ipv4 || operation < 1 || operation > 2) return Reason::kArpMalformed;
  packet.layer3 = Layer3::kArp;
  packet.guard = GuardKind::kArp;
  packet.arp = {operation, arp->Mac<8>(), arp->V4<14>(), arp->V4<24>()};
  return Reason::kUndecided;
}

}  // namespace cordon::dp

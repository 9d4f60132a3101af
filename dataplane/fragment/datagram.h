// SPDX-License-Identifier: Apache-2.0
// Which pieces belong together, and what each must look like on its own.
#pragma once

#include <cstdint>

#include "dataplane/flow/key.h"
#include "dataplane/packet/packet.h"

namespace cordon::dp {

// Pieces with equal keys are one datagram. The device's MAC address, the VLAN tags, the pair and
// the side are part of it: a piece from somewhere else, or from somebody else, joins nothing. The
// peer's MAC address is not: routers that share the load may send the pieces of one datagram.
struct DatagramKey {
  IpAddress source;
  IpAddress destination;
  MacAddress device_mac;
  uint32_t id = 0;
  VlanTags vlan;
  uint16_t pair = 0;
  uint8_t protocol = 0;  // IPv4 (RFC 791); 0 for IPv6, whose receivers do not look (RFC 8200 4.5)
  Side side = Side::kDevice;

  friend bool operator==(const DatagramKey&, const DatagramKey&) = default;
};

// Of a packet that is a fragment.
DatagramKey DatagramKeyOf(const Packet& packet, Side side, uint16_t pair) noexcept;

// Keyed, as that of the flow table is: nobody who does not know the seed can fill one bucket.
uint64_t Hash(const DatagramKey& key, const HashSeed& seed) noexcept;

// One piece of a datagram. Offset and length count the bytes that are reassembled.
struct Piece {
  uint16_t offset = 0;
  uint16_t length = 0;
  bool more = false;
  uint32_t digest = 0;  // of the bytes: tells a duplicate from a forgery; not secret, not exact

  bool is_first() const { return offset == 0; }
  uint32_t end() const { return uint32_t{offset} + length; }
};

Piece PieceOf(const Packet& packet) noexcept;

// What is wrong with a piece whatever the others are: kFragmentMisaligned, kFragmentTooBig,
// kFragmentTooSmall, kIpv6ExtensionChain (a fragment in a fragment); else kUndecided.
Reason CheckPiece(const Piece& piece, uint8_t protocol, Layer3 layer3) noexcept;

}  // namespace cordon::dp

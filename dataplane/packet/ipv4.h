// SPDX-License-Identifier: Apache-2.0
// IPv4, private to packet/. Inline: this is on the path of nearly every frame.
#pragma once

#include <cstdint>

#include "dataplane/packet/layers.h"
#include "dataplane/packet/transport.h"

namespace cordon::dp {

inline constexpr uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr uint16_t kIpv4FragmentOffset = 0x1fff;

// RFC 791, RFC 1812 5.2.2. The header checksum is left to the receiver: the gateway changes
// nothing.
inline Reason ParseIpv4(Reader reader, Packet& packet) noexcept {
  const auto header = reader.Peek<kIpv4HeaderLength>();
  if (!header) return Reason::kIpv4Truncated;
  const uint8_t version_and_length = header->U8<0>();
  if (version_and_length >> 4 != 4) [[unlikely]]
    return Reason::kIpv4Version;
  packet.layer3 = Layer3::kIpv4;
  packet.source = header->V4<12>();
  packet.destination = header->V4<16>();
  packet.protocol = header->U8<9>();

  const size_t header_length = static_cast<size_t>(version_and_length & 0xf) * 4;
  if (header_length < kIpv4HeaderLength) [[unlikely]]
    return Reason::kIpv4HeaderLength;
  const size_t total_length = header->U16<2>();
  if (total_length < header_length || !reader.Truncate(total_length)) [[unlikely]] {
    // A header longer than the frame itself is named as such.
    return header_length > reader.remaining() ? Reason::kIpv4HeaderLength
                                              : Reason::kIpv4TotalLength;
  }
  reader.Skip(kIpv4HeaderLength);
  if (header_length > kIpv4HeaderLength) [[unlikely]] {
    const auto options = reader.Split(header_length - kIpv4HeaderLength);
    if (!options) return Reason::kIpv4HeaderLength;
    const Reason reason = CheckIpv4Options(*options);
    if (reason != Reason::kUndecided) return reason;
  }
  packet.hop_limit = header->U8<8>();
  const uint16_t fragment = header->U16<6>() & (kIpv4MoreFragments | kIpv4FragmentOffset);
  if (fragment != 0) [[unlikely]] {
    NoteFragment(packet, (fragment & kIpv4FragmentOffset) * 8u,
                 (fragment & kIpv4MoreFragments) != 0, header->U16<4>(), reader.remaining(),
                 reader.Digest());
    if (packet.fragment_offset != 0) return Reason::kUndecided;
  }
  return ParseTransport(reader, {packet.protocol, false}, packet);
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// IPv4, private to packet/. Inline: this is on the path of nearly every frame.
#pragma once

#include <cstdint>

#include "dataplane/packet/layers.h"
#include "dataplane/packet/transport.h"

namespace cordon::dp {

inline constexpr uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr uint16_t kIpv4FragmentOffset = 0x1fff;

// First octets of addresses that JudgeIpv4Addresses must see: 0, 127, 169 and those from 224 on, of
// which groups are ordinary destinations.
class UnusualOctets {
 public:
  constexpr explicit UnusualOctets(bool with_groups) {
    for (const unsigned octet : {0u, 127u, 169u}) Add(octet);
    for (unsigned octet = with_groups ? 224 : 240; octet < 256; ++octet) Add(octet);
  }
  constexpr bool Contain(uint32_t address) const {
    return (words_[address >> 30] >> (address >> 24 & 63) & 1) != 0;
  }

 private:
  constexpr void Add(unsigned octet) { words_[octet >> 6] |= uint64_t{1} << (octet & 63); }
  uint64_t words_[4] = {};
};
inline constexpr UnusualOctets kUnusualSources(true), kUnusualDestinations(false);

constexpr bool HasUnusualIpv4Addresses(uint32_t source, uint32_t destination) {
  return kUnusualSources.Contain(source) || kUnusualDestinations.Contain(destination) ||
         source == destination;
}

// RFC 791, RFC 1812 5.2.2.
inline Reason ParseIpv4(const Frame& frame, Reader reader, Packet& packet) noexcept {
  const auto header = reader.Peek<kIpv4HeaderLength>();
  if (!header) return Reason::kIpv4Truncated;
  const uint8_t version_and_length = header->U8<0>();
  if (version_and_length >> 4 != 4) [[unlikely]]
    return Reason::kIpv4Version;
  packet.layer3 = Layer3::kIpv4;
  packet.source = header->V4<12>();
  packet.destination = header->V4<16>();
  packet.hop_limit = header->U8<8>();
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
  const ChecksumPart addresses_sum = header->Sum<12, 8>();
  const ChecksumPart header_sum = addresses_sum + header->Sum<0, 12>();
  if (header_length > kIpv4HeaderLength) [[unlikely]] {
    const auto options = reader.Split(header_length - kIpv4HeaderLength);
    if (!options) return Reason::kIpv4HeaderLength;
    if (!IsChecksumRight(header_sum + options->SumOfReadable())) return Reason::kIpv4Checksum;
    const Reason reason = ParseIpv4Options(*options, packet);
    if (reason != Reason::kUndecided) return reason;
  } else if (!IsChecksumRight(header_sum)) [[unlikely]] {
    return Reason::kIpv4Checksum;
  }
  if (HasUnusualIpv4Addresses(packet.source.AsV4(), packet.destination.AsV4())) [[unlikely]] {
    const Reason reason = JudgeIpv4Addresses(packet);
    if (reason != Reason::kUndecided) return reason;
  }
  const uint16_t fragment = header->U16<6>() & (kIpv4MoreFragments | kIpv4FragmentOffset);
  if (fragment != 0) [[unlikely]] {
    NoteFragment(packet, (fragment & kIpv4FragmentOffset) * 8u,
                 (fragment & kIpv4MoreFragments) != 0, header->U16<4>(), reader.remaining(),
                 reader.Digest());
    if (packet.fragment_offset != 0) return Reason::kUndecided;
  }
  const Reason reason =
      ParseTransport(frame, reader, {packet.protocol, false, addresses_sum}, packet);
  if (packet.source.AsV4() == 0 && reason == Reason::kUndecided) [[unlikely]] {
    return JudgeUnspecifiedSource(packet);
  }
  return reason;
}

}  // namespace cordon::dp

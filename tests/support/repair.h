// SPDX-License-Identifier: Apache-2.0
// Mutated frames would all end at the same check if nobody repaired their IPv4 header checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cordon::dp::testing {

// Sets the checksum of an IPv4 header behind at most two VLAN tags; other frames stay as they are.
inline void RepairIpv4Checksum(std::span<uint8_t> frame) {
  const auto word = [&](size_t at) {
    return static_cast<uint32_t>(frame[at] << 8 | frame[at + 1]);
  };
  size_t at = 12;
  for (int tags = 0; tags < 2 && at + 6 <= frame.size(); ++tags) {
    if (word(at) == 0x8100 || word(at) == 0x88a8 || word(at) == 0x9100) at += 4;
  }
  if (at + 2 + 20 > frame.size() || word(at) != 0x0800) return;
  at += 2;
  const size_t length = static_cast<size_t>(frame[at] & 0xf) * 4;
  if (length < 20 || at + length > frame.size()) return;
  frame[at + 10] = frame[at + 11] = 0;
  uint32_t sum = 0;
  for (size_t i = 0; i < length; i += 2) sum += word(at + i);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  frame[at + 10] = static_cast<uint8_t>(~sum >> 8);
  frame[at + 11] = static_cast<uint8_t>(~sum);
}

}  // namespace cordon::dp::testing

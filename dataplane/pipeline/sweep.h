// SPDX-License-Identifier: Apache-2.0
// How fast the flow table is walked for flows that are idle or were decided under an older policy.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace cordon::dp {

// Paced by time, not by bursts, so that its cost does not depend on the load: every entry is looked
// at once a round. With the usual round a revoked flow ends within a second of the ACK even if it
// is idle.
class Sweep {
 public:
  static constexpr uint64_t kUsualRound = 800'000'000;  // nanoseconds
  static constexpr size_t kAtLeast = 8;                 // entries that are worth a call
  static constexpr size_t kAtMost = 4096;               // entries of one call: bounds the stall

  explicit Sweep(uint64_t round) : round_(round) {}

  // How many of `entries` are due at `now` (nanoseconds, monotonic); 0 nearly always.
  size_t Due(uint64_t now, size_t entries) noexcept {
    const uint64_t elapsed = std::min(now - last_, round_);
    const uint64_t due = elapsed * entries / round_;
    if (due < std::min(kAtLeast, entries)) [[likely]]
      return 0;
    last_ = now;
    return std::min<uint64_t>(due, kAtMost);
  }

 private:
  const uint64_t round_;
  uint64_t last_ = 0;  // time of the last call that was worth it
};

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// Gateway time: nanoseconds since the process started, from the time stamp counter. Monotonic, the
// same on all cores (invariant TSC), and cheap enough to be read once per RunOnce.
#pragma once

#include <rte_cycles.h>

#include <cstdint>

namespace cordon::dp {

class TscClock {
 public:
  // Call after EAL has calibrated the counter.
  TscClock() : start_(rte_rdtsc()), nanoseconds_per_2_32_(Factor(rte_get_tsc_hz())) {}

  static uint64_t Cycles() { return rte_rdtsc(); }
  uint64_t ToNanoseconds(uint64_t cycles) const {
    return static_cast<uint64_t>(static_cast<Wide>(cycles - start_) * nanoseconds_per_2_32_ >> 32);
  }
  uint64_t Now() const { return ToNanoseconds(Cycles()); }

 private:
  __extension__ using Wide = unsigned __int128;
  static uint64_t Factor(uint64_t hz) {
    return static_cast<uint64_t>((static_cast<Wide>(1'000'000'000) << 32) / hz);
  }

  uint64_t start_;
  uint64_t nanoseconds_per_2_32_;
};

}  // namespace cordon::dp

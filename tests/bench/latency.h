// SPDX-License-Identifier: Apache-2.0
// Percentiles of times without keeping them: 16 buckets an octave, an error below 7 %.
#pragma once

#include <array>
#include <cstdint>

namespace cordon::bench {

class LatencyHistogram {
 public:
  void Add(uint64_t cycles) { ++buckets_[BucketOf(cycles)]; }
  void Clear() { buckets_.fill(0); }
  // Cycles below which `share` (0 to 1) of all samples lie; 0 if there are none.
  double Percentile(double share) const;

 private:
  static constexpr int kPerOctave = 16;
  static unsigned BucketOf(uint64_t cycles);
  static double ValueOf(unsigned bucket);
  std::array<uint64_t, 64 * kPerOctave> buckets_{};
};

}  // namespace cordon::bench

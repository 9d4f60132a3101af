// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/latency.h"

#include <bit>

namespace cordon::bench {

unsigned LatencyHistogram::BucketOf(uint64_t cycles) {
  if (cycles < kPerOctave) return static_cast<unsigned>(cycles);
  const int exponent = std::bit_width(cycles) - 1;
  return static_cast<unsigned>((exponent - 3) * kPerOctave +
                               static_cast<int>(cycles >> (exponent - 4) & (kPerOctave - 1)));
}

double LatencyHistogram::ValueOf(unsigned bucket) {
  if (bucket < kPerOctave) return bucket;
  const unsigned exponent = bucket / kPerOctave + 3;
  return static_cast<double>(static_cast<uint64_t>(kPerOctave + bucket % kPerOctave)
                             << (exponent - 4));
}

double LatencyHistogram::Percentile(double share) const {
  uint64_t total = 0, seen = 0;
  for (uint64_t n : buckets_) total += n;
  for (unsigned i = 0; i < buckets_.size() && total > 0; ++i) {
    seen += buckets_[i];
    if (static_cast<double>(seen) >= share * static_cast<double>(total)) return ValueOf(i);
  }
  return 0;
}

}  // namespace cordon::bench

// SPDX-License-Identifier: Apache-2.0
// Random choices: of a seed, or read from a fuzzer's bytes, so that the fuzzer steers them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace cordon::dp::testing {

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  // Once the bytes are used up the choices go on from a fixed seed; see exhausted().
  explicit Dice(std::span<const uint8_t> bytes) : engine_(1), bytes_(bytes), from_bytes_(true) {}

  uint64_t Next() {
    if (!from_bytes_ || bytes_.empty()) return engine_();
    uint64_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    if (!bytes_.empty()) {
      value |= static_cast<uint64_t>(bytes_.front()) << 8;
      bytes_ = bytes_.subspan(1);
    }
    return value;
  }
  bool exhausted() const { return from_bytes_ && bytes_.empty(); }

  size_t Below(size_t n) { return Next() % n; }
  bool Percent(size_t p) { return Below(100) < p; }
  template <typename T>
  const T& Of(const std::vector<T>& values) {
    return values[Below(values.size())];
  }

 private:
  std::mt19937_64 engine_;
  std::span<const uint8_t> bytes_;
  bool from_bytes_ = false;
};

}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// A token bucket that holds what is owed, so that a zeroed one is full and nothing has to run when
// nothing is taken. Integers only: what is earned is elapsed nanoseconds times rate, in units of a
// thousand-millionth, without rounding; so there is no drift, however often or seldom it is asked.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/packet/packet.h"

namespace cordon::dp {

// A rate, and what may come at once: a quarter of a second's worth, but at least `floor`.
struct RateLimit {
  uint64_t per_second = 0;  // 0: no limit
  uint64_t floor = 1;

  uint64_t depth() const { return std::max(per_second / 4, floor); }
};

class RateBucket {
 public:
  // Faster than any port: what is above is no limit in practice, and what is owed fits 64 bits.
  static constexpr uint64_t kMaxRate = uint64_t{1} << 34;

  // Whether something may be taken. Who takes more than there is owes the rest, so that frames of
  // any size pass a small bucket, and the rate holds all the same.
  bool HasRoom(const RateLimit& limit, uint64_t now) const noexcept {
    if (limit.per_second == 0) return true;
    const RateLimit used = Bounded(limit);
    return DebtAt(used, now) < used.depth() * kUnit;
  }
  // To be called after HasRoom; `units` < 2^20.
  void Charge(const RateLimit& limit, uint64_t units, uint64_t now) noexcept {
    if (limit.per_second == 0) return;
    debt_ = DebtAt(Bounded(limit), now) + units * kUnit;
    last_ = std::max(last_, now);
  }
  bool Take(const RateLimit& limit, uint64_t units, uint64_t now) noexcept {
    if (!HasRoom(limit, now)) return false;
    Charge(limit, units, now);
    return true;
  }

 private:
  static constexpr uint64_t kUnit = 1'000'000'000;
  __extension__ using Wide = unsigned __int128;

  static RateLimit Bounded(const RateLimit& limit) {
    return {std::min(limit.per_second, kMaxRate), std::min(limit.floor, kMaxRate / 4)};
  }
  uint64_t DebtAt(const RateLimit& limit, uint64_t now) const noexcept {
    const uint64_t elapsed = now > last_ ? now - last_ : 0;
    const Wide earned = static_cast<Wide>(elapsed) * limit.per_second;
    return earned >= debt_ ? 0 : debt_ - static_cast<uint64_t>(earned);
  }

  uint64_t debt_ = 0;
  uint64_t last_ = 0;  // when debt_ was true
};

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/profile/evidence.h"

#include <algorithm>
#include <cstdio>
#include <limits>

namespace cordon::cp {
namespace {

uint64_t SaturatingSum(uint64_t a, uint64_t b) {
  constexpr auto kMax = std::numeric_limits<uint64_t>::max();
  return b > kMax - a ? kMax : a + b;
}

}  // namespace

void Evidence::Add(const Observation& seen) {
  devices_.insert(seen.device);
  days_.insert(seen.days.begin(), seen.days.end());
  flows_ = SaturatingSum(flows_, seen.flows);
  bytes_ = SaturatingSum(bytes_, seen.bytes);
  answered_ = answered_ || seen.answered;
  first_seen_ = std::min(first_seen_, seen.first_seen);
  last_seen_ = std::max(last_seen_, seen.last_seen);
}

std::string Evidence::Describe() const {
  return Counted(devices(), "device") + ", " + Counted(days(), "day") + ", " +
         Counted(flows_, "flow") + ", first " + DateOf(first_seen_) + ", last " +
         DateOf(last_seen_);
}

std::string Counted(uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string DateOf(std::chrono::system_clock::time_point time) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

}  // namespace cordon::cp

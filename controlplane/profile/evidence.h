// SPDX-License-Identifier: Apache-2.0
// What speaks for a proposed rule, summed up over observations. Private to profile/.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

#include "controlplane/profile/learn.h"

namespace cordon::cp {

// The order in which observations are added does not matter.
class Evidence {
 public:
  void Add(const Observation& seen);

  uint32_t devices() const { return static_cast<uint32_t>(devices_.size()); }
  uint32_t days() const { return static_cast<uint32_t>(days_.size()); }
  uint64_t flows() const { return flows_; }
  uint64_t bytes() const { return bytes_; }
  bool answered() const { return answered_; }
  std::chrono::system_clock::time_point first_seen() const { return first_seen_; }
  std::chrono::system_clock::time_point last_seen() const { return last_seen_; }
  // "3 devices, 12 days, 140 flows, first 2026-11-01, last 2026-11-23"
  std::string Describe() const;

 private:
  std::set<std::string> devices_;
  std::set<int32_t> days_;
  uint64_t flows_ = 0, bytes_ = 0;
  bool answered_ = false;
  std::chrono::system_clock::time_point first_seen_ = std::chrono::system_clock::time_point::max();
  std::chrono::system_clock::time_point last_seen_ = std::chrono::system_clock::time_point::min();
};

std::string Counted(uint64_t count, const std::string& noun);    // "1 day", "12 days"
std::string DateOf(std::chrono::system_clock::time_point time);  // "2026-11-23", UTC

}  // namespace cordon::cp

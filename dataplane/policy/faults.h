// SPDX-License-Identifier: Apache-2.0
// Collects the faults of a policy. Private to policy/.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/policy/table.h"

namespace cordon::dp {

// A policy comes over the network: the list of its faults is bounded.
inline constexpr size_t kMaxFaults = 1000;

class FaultList {
 public:
  void Add(std::string path, std::string message) {
    if (faults_.size() < kMaxFaults) {
      faults_.push_back({std::move(path), std::move(message)});
    } else {
      ++left_out_;
    }
  }
  bool empty() const { return faults_.empty(); }
  std::vector<Fault> Take() {
    if (left_out_ != 0) {
      faults_.push_back({"", "and " + std::to_string(left_out_) + " more faults"});
    }
    return std::move(faults_);
  }

 private:
  std::vector<Fault> faults_;
  size_t left_out_ = 0;
};

// "devices[3]", "devices[3].ips[0]", "unknown_device_ruleset"
inline std::string Element(std::string_view list, size_t i) {
  return std::string(list) + "[" + std::to_string(i) + "]";
}

// Names travel into logs, metrics and reports.
inline constexpr size_t kMaxNameLength = 256;

}  // namespace cordon::dp

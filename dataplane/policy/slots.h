// SPDX-License-Identifier: Apache-2.0
// A small number for each device that stays the same from one policy table to the next, so that
// what workers keep per device (rates, quotas) survives a push.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cordon::dp {

// Of frames that belong to no device. Devices have 1, 2, ...
inline constexpr uint32_t kNobodysSlot = 0;

// The publisher owns it and passes it to Compile. Not thread-safe.
class DeviceSlots {
 public:
  // The slots of `names` (unique), in their order. Names that are not among them lose theirs; it is
  // given away as late as possible, when no worker has a flow of its former owner any more.
  std::vector<uint32_t> Assign(std::span<const std::string_view> names);
  // Slots are below this.
  uint32_t end() const { return end_; }

 private:
  struct Holder {
    uint32_t slot = 0;
    uint64_t round = 0;  // of Assign that named it last
  };
  std::unordered_map<std::string, Holder> holders_;
  std::deque<uint32_t> free_;  // the longest so first
  uint32_t end_ = kNobodysSlot + 1;
  uint64_t round_ = 0;
};

}  // namespace cordon::dp

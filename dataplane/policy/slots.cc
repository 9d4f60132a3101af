// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/slots.h"

namespace cordon::dp {

std::vector<uint32_t> DeviceSlots::Assign(std::span<const std::string_view> names) {
  ++round_;
  std::vector<uint32_t> slots(names.size(), kNobodysSlot);
  for (size_t i = 0; i < names.size(); ++i) {
    const auto [holder, is_new] = holders_.try_emplace(std::string(names[i]));
    if (is_new) {
      if (free_.empty()) free_.push_back(end_++);
      holder->second.slot = free_.front();
      free_.pop_front();
    }
    holder->second.round = round_;
    slots[i] = holder->second.slot;
  }
  if (holders_.size() == names.size()) return slots;
  for (auto holder = holders_.begin(); holder != holders_.end();) {
    if (holder->second.round == round_) {
      ++holder;
      continue;
    }
    free_.push_back(holder->second.slot);
    holder = holders_.erase(holder);
  }
  return slots;
}

}  // namespace cordon::dp

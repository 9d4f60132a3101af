// SPDX-License-Identifier: Apache-2.0
// How many flows of a table belong to which device, by device slot: what quotas ask, and who may
// make others leave a full table. The table keeps it up to date in Insert and Erase, through which
// every flow comes and goes. One thread owns it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cordon::dp {

class DeviceFlows {
 public:
  // Devices with slots beyond `slots` (at least 1) share the last entry.
  DeviceFlows(size_t slots, size_t capacity)
      : capacity_(capacity), devices_(std::max<size_t>(slots, 1)) {}

  void Add(uint32_t slot) noexcept {
    if (At(slot).flows++ == 0) ++active_;
  }
  void Remove(uint32_t slot) noexcept {
    if (--At(slot).flows == 0) --active_;
  }
  void AddHalfOpen(uint32_t slot) noexcept { ++At(slot).half_open; }
  void RemoveHalfOpen(uint32_t slot) noexcept { --At(slot).half_open; }

  uint32_t flows(uint32_t slot) const noexcept { return At(slot).flows; }
  uint32_t half_open(uint32_t slot) const noexcept { return At(slot).half_open; }
  // Devices that have a flow.
  size_t active() const noexcept { return active_; }

  // Quotas of a device whose policy names none: an eighth of the table, so that one device cannot
  // take it whole, and a quarter of that half open; small tables are not divided.
  uint32_t default_flows() const noexcept { return Part(8, 4096); }
  uint32_t default_half_open() const noexcept { return Part(32, 1024); }

  // Whether the device has its part of a full table already. Then no flow of others makes room for
  // it.
  bool HasFairShare(uint32_t slot) const noexcept {
    const size_t others = active_ + (At(slot).flows == 0 ? 1 : 0);
    return At(slot).flows >= capacity_ / std::max<size_t>(others, 1);
  }

 private:
  struct Device {
    uint32_t flows = 0;
    uint32_t half_open = 0;
  };
  uint32_t Part(size_t divisor, size_t at_least) const noexcept {
    return static_cast<uint32_t>(std::max(capacity_ / divisor, at_least));
  }
  Device& At(uint32_t slot) noexcept {
    return devices_[std::min<size_t>(slot, devices_.size() - 1)];
  }
  const Device& At(uint32_t slot) const noexcept {
    return devices_[std::min<size_t>(slot, devices_.size() - 1)];
  }

  size_t capacity_;
  std::vector<Device> devices_;
  size_t active_ = 0;
};

}  // namespace cordon::dp

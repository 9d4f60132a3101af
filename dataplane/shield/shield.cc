// SPDX-License-Identifier: Apache-2.0
#include "dataplane/shield/shield.h"

namespace cordon::dp {

Shield::Shield(size_t slots) : devices_(std::max<size_t>(slots, 1)) {}

Reason Shield::TakeNewFlow(uint32_t slot, const LimitSpec& limits, Side from,
                           uint64_t now) noexcept {
  const RateLimit flows{RatesOf(limits, from).new_flows_per_second, kFlowFloor};
  Direction& used = DeviceAt(slot).directions[static_cast<size_t>(from)];
  return used.new_flows.Take(flows, 1, now) ? Reason::kUndecided : Reason::kDeviceNewFlowRate;
}

bool Shield::TakeArp(uint32_t slot, uint32_t per_second, uint64_t now) noexcept {
  return DeviceAt(slot).arp.Take({per_second, kArpFloor}, 1, now);
}

bool Shield::TakeGroup(uint32_t slot, uint32_t per_second, uint64_t now) noexcept {
  return DeviceAt(slot).group.Take({per_second, kGroupFloor}, 1, now);
}

}  // namespace cordon::dp

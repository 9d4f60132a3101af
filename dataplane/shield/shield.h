// SPDX-License-Identifier: Apache-2.0
// The flood shield of one worker: how much of its limits each device has used up. A flood at one
// device, or from one, meets that device's limits and costs the others nothing.
//
//   const Reason reason = shield.Take(slot, policy.LimitsOf(device), side, frame_length, now);
//   if (reason != Reason::kUndecided) ...  // drop the frame; it has taken nothing
//
// State lies in a fixed array by device slot (see DeviceSlots), so it survives a push of policy. A
// device's frames all reach one worker, so what is counted here is all of it. Devices with slots
// beyond the array share the last entry. No locks, no allocation after the constructor; about 10 ns
// a frame of a device with limits, one compare for others.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/packet/packet.h"
#include "dataplane/packet/reason.h"
#include "dataplane/policy/spec.h"
#include "dataplane/shield/rate_bucket.h"

namespace cordon::dp {

inline bool HasRates(const RateLimits& rates) {
  return (rates.packets_per_second | rates.bytes_per_second | rates.new_flows_per_second) != 0;
}
// Whether frames of the device have to be asked about at all.
inline bool HasRates(const LimitSpec& limits) {
  return HasRates(limits.toward) || HasRates(limits.from);
}

class Shield {
 public:
  // Slots below `slots` have state of their own; at least 1.
  explicit Shield(size_t slots);

  // Whether a frame may pass: kUndecided, or why it must be dropped (kDevicePacketRate,
  // kDeviceByteRate). From the device side it is one that the device sends, from the network side
  // one that reaches it.
  Reason Ask(uint32_t slot, const LimitSpec& limits, Side from, uint64_t now) const noexcept {
    const RateLimits& rates = RatesOf(limits, from);
    const Direction& used = DeviceAt(slot).directions[static_cast<size_t>(from)];
    if (!used.packets.HasRoom(PacketLimit(rates), now)) return Reason::kDevicePacketRate;
    if (!used.bytes.HasRoom(ByteLimit(rates), now)) return Reason::kDeviceByteRate;
    return Reason::kUndecided;
  }
  // The same for a frame that passes if it may: then it has taken its part.
  Reason Take(uint32_t slot, const LimitSpec& limits, Side from, uint32_t bytes,
              uint64_t now) noexcept {
    const Reason reason = Ask(slot, limits, from, now);
    if (reason != Reason::kUndecided) return reason;
    const RateLimits& rates = RatesOf(limits, from);
    Direction& used = DeviceAt(slot).directions[static_cast<size_t>(from)];
    used.packets.Charge(PacketLimit(rates), 1, now);
    used.bytes.Charge(ByteLimit(rates), bytes, now);
    return reason;
  }

  // A flow that would be admitted, opened from `from`. Else: kDeviceNewFlowRate.
  Reason TakeNewFlow(uint32_t slot, const LimitSpec& limits, Side from, uint64_t now) noexcept;

  // ARP and neighbour discovery, and broadcast and multicast, that a device sends. False: drop it.
  bool TakeArp(uint32_t slot, uint32_t per_second, uint64_t now) noexcept;
  bool TakeGroup(uint32_t slot, uint32_t per_second, uint64_t now) noexcept;

  // What may come at once where a quarter of the second's worth is less: a window of full frames,
  // the connections that a device makes when it starts, the questions of its start.
  static constexpr uint64_t kPacketFloor = 16, kByteFloor = 16 * 1514, kFlowFloor = 8,
                            kArpFloor = 8, kGroupFloor = 8;

 private:
  struct Direction {
    RateBucket packets;
    RateBucket bytes;
    RateBucket new_flows;
  };
  struct alignas(64) Device {
    std::array<Direction, kSideCount> directions;  // by the side that frames come from
    RateBucket arp;
    RateBucket group;
  };
  static_assert(sizeof(Device) == 128);

  static const RateLimits& RatesOf(const LimitSpec& limits, Side from) {
    return from == Side::kDevice ? limits.from : limits.toward;
  }
  static RateLimit PacketLimit(const RateLimits& rates) {
    return {rates.packets_per_second, kPacketFloor};
  }
  static RateLimit ByteLimit(const RateLimits& rates) {
    return {rates.bytes_per_second, kByteFloor};
  }
  const Device& DeviceAt(uint32_t slot) const {
    return devices_[std::min<size_t>(slot, devices_.size() - 1)];
  }
  Device& DeviceAt(uint32_t slot) { return devices_[std::min<size_t>(slot, devices_.size() - 1)]; }

  std::vector<Device> devices_;
};

}  // namespace cordon::dp

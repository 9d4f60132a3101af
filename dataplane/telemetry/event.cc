// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/event.h"

#include <algorithm>
#include <bit>

namespace cordon::dp {

// head_ and tail_ only grow; their difference is the number of events in the ring.
EventRing::EventRing(size_t capacity) {
  const size_t slots = std::bit_ceil(std::max<size_t>(capacity, 1));
  slots_ = std::make_unique<FlowEvent[]>(slots);
  mask_ = slots - 1;
}

bool EventRing::Push(const FlowEvent& event) noexcept {
  const size_t head = head_.load(std::memory_order_relaxed);
  if (head - tail_.load(std::memory_order_acquire) > mask_) return false;
  slots_[head & mask_] = event;
  head_.store(head + 1, std::memory_order_release);
  return true;
}

bool EventRing::Pop(FlowEvent& event) noexcept {
  const size_t tail = tail_.load(std::memory_order_relaxed);
  if (tail == head_.load(std::memory_order_acquire)) return false;
  event = slots_[tail & mask_];
  tail_.store(tail + 1, std::memory_order_release);
  return true;
}

}  // namespace cordon::dp

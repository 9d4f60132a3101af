// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/flow_mailbox.h"

#include <bit>

namespace cordon::dp {

FlowMailbox::FlowMailbox(size_t capacity)
    : slots_(std::make_unique<Answers[]>(std::bit_ceil(capacity))),
      mask_(std::bit_ceil(capacity) - 1) {}

void FlowMailbox::Ask() {
  if (++asked_ == kNone) ++asked_;
  question_.store(asked_, std::memory_order_release);
}

void FlowMailbox::Cancel() { question_.store(kNone, std::memory_order_release); }

bool FlowMailbox::Take(FlowEvent& event) {
  for (;;) {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return false;
    const Answers& slot = slots_[tail & mask_];
    const bool is_wanted = slot.question == asked_;
    if (is_wanted) event = slot.event;
    tail_.store(tail + 1, std::memory_order_release);
    if (is_wanted) return true;
  }
}

bool FlowMailbox::done() const {
  return answered_.load(std::memory_order_acquire) == asked_ &&
         tail_.load(std::memory_order_relaxed) == head_.load(std::memory_order_acquire);
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// A question about all live flows of one worker. The agent puts it in, the worker finds it at its
// next burst and answers with some flows a burst, until it has walked its table once.
//
//   mailbox.Ask();                                  // agent
//   while (!mailbox.done()) while (mailbox.Take(event)) ...
//
//   if (mailbox.HasQuestion()) mailbox.Answer(flows.high_water(), describe);   // worker, per burst
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/telemetry/event.h"

namespace cordon::dp {

class FlowMailbox {
 public:
  static constexpr size_t kAtOnce = 64;  // entries the worker looks at in one call

  // Answers wait in a ring of `capacity` (rounded up to a power of two); the worker never waits for
  // it to be emptied, but goes on in a later burst.
  explicit FlowMailbox(size_t capacity = 1024);

  // --- one asker at a time
  void Ask();     // a new question; what is left of an earlier one is dropped
  void Cancel();  // the worker stops at its next call
  bool Take(FlowEvent& event);
  // The worker has walked its whole table and all that it said was taken.
  bool done() const;

  // --- the worker
  // One relaxed load of a line that is rarely written.
  bool HasQuestion() const noexcept {
    return question_.load(std::memory_order_relaxed) != finished_;
  }
  // Walks on through entries [0, `end`) at most kAtOnce at a time. describe(i, event) fills the
  // event, or says false for an entry that is not in use.
  template <typename Describe>
  void Answer(uint32_t end, Describe&& describe) noexcept {
    const uint32_t question = question_.load(std::memory_order_acquire);
    if (question != current_) {
      current_ = question;
      next_ = 0;
    }
    for (size_t looked_at = 0; question != kNone && next_ < end; ++looked_at) {
      Answers* slot = looked_at < kAtOnce ? FreeSlot() : nullptr;
      if (slot == nullptr) return;
      if (!describe(next_++, slot->event)) continue;
      slot->question = question;
      head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    finished_ = question;
    answered_.store(question, std::memory_order_release);
  }

 private:
  static constexpr uint32_t kNone = 0;
  struct Answers {
    uint32_t question = kNone;
    FlowEvent event;
  };
  // Null if the ring is full.
  Answers* FreeSlot() noexcept {
    const size_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) > mask_) return nullptr;
    return &slots_[head & mask_];
  }

  std::unique_ptr<Answers[]> slots_;
  size_t mask_;
  uint32_t asked_ = kNone;                 // by the asker: the number of its last question
  std::atomic<uint32_t> question_{kNone};  // written by the asker
  // Written by the worker.
  alignas(64) std::atomic<size_t> head_{0};
  std::atomic<uint32_t> answered_{kNone};
  uint32_t finished_ = kNone;  // the worker's own
  uint32_t current_ = kNone;
  uint32_t next_ = 0;
  // Written by the asker.
  alignas(64) std::atomic<size_t> tail_{0};
};

}  // namespace cordon::dp

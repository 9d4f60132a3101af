// SPDX-License-Identifier: Apache-2.0
// Where workers find the current policy, and how the publisher learns that all of them use it.
//
// Quiescent-state scheme: a worker acquires the table at the start of a burst and says Quiesce when
// it holds no reference any more. A table that every worker has left may be reclaimed. Workers
// never wait; only the publisher does.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "dataplane/policy/table.h"

namespace cordon::dp {

inline constexpr size_t kMaxWorkers = 64;

class PolicySlot {
 public:
  // `workers`: how many threads will call Acquire and Quiesce, ids 0..workers-1. Until the first
  // Publish the slot holds an empty table of generation 0 that denies everything (kNoPolicy).
  explicit PolicySlot(size_t workers);

  // --- worker threads
  // The table to decide one burst with. Valid until this worker's next Quiesce.
  const PolicyTable& Acquire(size_t worker) noexcept;
  // The worker holds no table. Call after every burst, also after an empty one.
  void Quiesce(size_t worker) noexcept;

  // --- one publisher at a time (serialised inside); may block for the lock, never for workers
  // Makes `table` current and returns its stamp. Older tables are reclaimed by later calls of
  // Reclaim once no worker can hold them.
  uint32_t Publish(std::unique_ptr<PolicyTable> table);
  // True once every worker has acquired the table of this stamp or a newer one: from then on no
  // frame is decided under an older policy. This is what ACK means.
  bool IsEnforced(uint32_t stamp) const noexcept;
  // Frees tables that no worker can hold; returns how many remain beside the current one.
  size_t Reclaim();

  // --- any thread
  // The current table, kept alive by the pointer. Not for the packet path (takes a lock).
  std::shared_ptr<const PolicyTable> Current() const;
  // The table of a stamp if it is still known (the last few are kept for naming old events).
  std::shared_ptr<const PolicyTable> FindByStamp(uint32_t stamp) const;
  size_t worker_count() const { return workers_; }

 private:
  struct alignas(64) WorkerState {
    // Written by the worker, read by the publisher. Stamp last acquired; the top bit is set while
    // the worker is inside a burst.
    std::atomic<uint64_t> seen{0};
  };
  const size_t workers_;
  std::atomic<const PolicyTable*> current_{nullptr};
  std::unique_ptr<WorkerState[]> states_;
  mutable std::mutex mutex_;                                // guards what follows
  std::vector<std::shared_ptr<const PolicyTable>> tables_;  // oldest first, last is current
  uint32_t next_stamp_ = 1;
};

}  // namespace cordon::dp

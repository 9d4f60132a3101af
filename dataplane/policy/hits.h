// SPDX-License-Identifier: Apache-2.0
// How often each rule of one table was used, and when last: beside the table, an array a worker.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace cordon::dp {

struct RuleHit {
  uint64_t count = 0;
  uint64_t last_seconds = 0;  // on the workers' monotonic clock; 0: never
};

// Each worker writes its own counters, anybody may read all. Memory of rules that were never used
// is not touched.
class RuleHits {
 public:
  RuleHits() = default;
  RuleHits(size_t workers, size_t rules)
      : cells_(static_cast<Cell*>(std::calloc(workers * rules + 1, sizeof(Cell)))),
        workers_(cells_ ? workers : 0),
        rules_(rules) {}

  // --- the worker's own thread: two plain stores
  void Count(size_t worker, uint32_t rule, uint64_t now_seconds) noexcept {
    if (rule >= rules_ || worker >= workers_) return;
    Cell& cell = cells_.get()[worker * rules_ + rule];
    cell.count.store(cell.count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    cell.last_seconds.store(now_seconds, std::memory_order_relaxed);
  }
  // The rule is in use without a new flow.
  void Refresh(size_t worker, uint32_t rule, uint64_t last_seconds) noexcept {
    if (rule >= rules_ || worker >= workers_) return;
    Cell& cell = cells_.get()[worker * rules_ + rule];
    if (cell.last_seconds.load(std::memory_order_relaxed) < last_seconds) {
      cell.last_seconds.store(last_seconds, std::memory_order_relaxed);
    }
  }

  // --- any thread: the sum of all workers
  RuleHit Of(uint32_t rule) const noexcept {
    RuleHit sum;
    for (size_t worker = 0; rule < rules_ && worker < workers_; ++worker) {
      const Cell& cell = cells_.get()[worker * rules_ + rule];
      sum.count += cell.count.load(std::memory_order_relaxed);
      const uint64_t last = cell.last_seconds.load(std::memory_order_relaxed);
      if (last > sum.last_seconds) sum.last_seconds = last;
    }
    return sum;
  }
  size_t memory_bytes() const { return workers_ * rules_ * sizeof(Cell); }

 private:
  // All bits zero is a cell that was never used.
  struct Cell {
    std::atomic<uint64_t> count;
    std::atomic<uint64_t> last_seconds;
  };
  struct Free {
    void operator()(Cell* cells) const { std::free(cells); }
  };
  std::unique_ptr<Cell, Free> cells_;
  size_t workers_ = 0;
  size_t rules_ = 0;
};

}  // namespace cordon::dp

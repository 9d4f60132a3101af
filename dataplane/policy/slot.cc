// SPDX-License-Identifier: Apache-2.0
// Why this is safe. A worker may hold a table only between Acquire and Quiesce. Acquire first says
// "inside" (with the stamp it acquired last) and then loads current_; Publish first stores current_
// and Reclaim then reads what the workers say. All four are sequentially consistent, so for each
// worker one of two things holds:
//  - Reclaim sees "inside": the worker holds a table at least as new as the stamp it shows, because
//    current_ only grows newer. Reclaim keeps all from that stamp on.
//  - Reclaim sees "outside": the worker's next store of "inside" comes later in the single order of
//    such operations, hence its load of current_ does too, and yields the table that was current
//    then or a newer one. Nothing older can be reached; and what the worker read before it left
//    happens before its release in Quiesce, thus before the memory is freed.
// The stamp in `seen` is raised only after the table was loaded, so IsEnforced is never early.
#include "dataplane/policy/slot.h"

#include <algorithm>
#include <utility>

namespace cordon::dp {
namespace {

constexpr uint64_t kInside = uint64_t{1} << 63;

// Old tables are kept for naming the rules and devices of late events: a few, and not too heavy.
constexpr size_t kKeptTables = 8;
constexpr size_t kKeptBytes = size_t{256} << 20;

constexpr uint64_t StampOf(uint64_t seen) { return seen & ~kInside; }

}  // namespace

PolicySlot::PolicySlot(size_t workers)
    : workers_(std::min(workers, kMaxWorkers)), states_(std::make_unique<WorkerState[]>(workers_)) {
  tables_.push_back(std::make_shared<const PolicyTable>());
  current_.store(tables_.back().get());
}

const PolicyTable& PolicySlot::Acquire(size_t worker) noexcept {
  std::atomic<uint64_t>& seen = states_[worker].seen;
  seen.store(seen.load(std::memory_order_relaxed) | kInside, std::memory_order_seq_cst);
  const PolicyTable* table = current_.load(std::memory_order_seq_cst);
  seen.store(table->stamp() | kInside, std::memory_order_release);
  return *table;
}

void PolicySlot::Quiesce(size_t worker) noexcept {
  std::atomic<uint64_t>& seen = states_[worker].seen;
  seen.store(StampOf(seen.load(std::memory_order_relaxed)), std::memory_order_release);
}

uint32_t PolicySlot::Publish(std::unique_ptr<PolicyTable> table) {
  const std::lock_guard lock(mutex_);
  const uint32_t stamp = next_stamp_++;
  table->stamp_ = stamp;
  table->hits_ = RuleHits(workers_, table->rule_count());
  tables_.push_back(std::move(table));
  current_.store(tables_.back().get(), std::memory_order_seq_cst);
  return stamp;
}

bool PolicySlot::IsEnforced(uint32_t stamp) const noexcept {
  for (size_t i = 0; i < workers_; ++i) {
    if (StampOf(states_[i].seen.load(std::memory_order_acquire)) < stamp) return false;
  }
  return true;
}

size_t PolicySlot::Reclaim() {
  const std::lock_guard lock(mutex_);
  uint64_t oldest_held = tables_.back()->stamp();
  for (size_t i = 0; i < workers_; ++i) {
    const uint64_t seen = states_[i].seen.load(std::memory_order_seq_cst);
    if ((seen & kInside) != 0) oldest_held = std::min(oldest_held, StampOf(seen));
  }
  const auto first_held = std::find_if(tables_.begin(), tables_.end(), [&](const auto& table) {
    return table->stamp() >= oldest_held;
  });
  size_t bytes = 0;
  for (const auto& table : tables_) bytes += table->memory_bytes();
  auto keep_from = tables_.begin();
  while (keep_from != first_held &&
         (tables_.end() - keep_from > static_cast<ptrdiff_t>(kKeptTables) || bytes > kKeptBytes)) {
    bytes -= (*keep_from++)->memory_bytes();
  }
  const auto held = static_cast<size_t>(tables_.end() - first_held) - 1;
  tables_.erase(tables_.begin(), keep_from);
  return held;
}

std::shared_ptr<const PolicyTable> PolicySlot::Current() const {
  const std::lock_guard lock(mutex_);
  return tables_.back();
}

std::shared_ptr<const PolicyTable> PolicySlot::FindByStamp(uint32_t stamp) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(tables_.begin(), tables_.end(),
                                  [&](const auto& table) { return table->stamp() == stamp; });
  return found == tables_.end() ? nullptr : *found;
}

}  // namespace cordon::dp

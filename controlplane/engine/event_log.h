// SPDX-License-Identifier: Apache-2.0
// Refused and audited flows: the last ones, and what happens now. Everything is bounded: who reads
// too slowly misses records and is told how many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/engine/flow_record.h"
#include "controlplane/engine/waker.h"

namespace cordon::cp {

struct EventFilter {
  std::string device;   // empty: all
  std::string gateway;  // empty: all
  bool Matches(const FlowRecord& record) const {
    return (device.empty() || device == record.device) &&
           (gateway.empty() || gateway == record.gateway);
  }
};

using FlowRecordPtr = std::shared_ptr<const FlowRecord>;

// One reader's queue. Thread-safe.
class EventSubscription {
 public:
  struct Batch {
    std::vector<FlowRecordPtr> records;
    uint64_t lost = 0;  // since the batch before
    bool empty() const { return records.empty() && lost == 0; }
  };
  Batch Take(size_t at_most);

 private:
  friend class EventLog;
  EventSubscription(EventFilter filter, size_t limit, std::shared_ptr<Waker> waker)
      : filter_(std::move(filter)), limit_(limit), waker_(std::move(waker)) {}
  // True if a record was lost to make room.
  bool Push(const FlowRecordPtr& record);

  const EventFilter filter_;
  const size_t limit_;
  const std::shared_ptr<Waker> waker_;
  std::mutex mutex_;
  std::deque<FlowRecordPtr> queue_;  // guarded by mutex_
  uint64_t lost_ = 0;                // guarded by mutex_
};

struct EventLogOptions {
  size_t remembered = 10'000;
  size_t queue = 1'024;  // of one reader, on top of the remembered records it asked for
  size_t readers = 256;
};

// Thread-safe.
class EventLog {
 public:
  explicit EventLog(const EventLogOptions& options = {}) : options_(options) {}

  void Append(std::vector<FlowRecord> records);
  // The newest `last` records that match, oldest first.
  std::vector<FlowRecordPtr> Remembered(const EventFilter& filter, size_t last) const;
  // A queue that starts with the newest `last` records and then gets what happens; the waker is
  // called when there is something in it. It ends when the last pointer to it is dropped. Null if
  // there are as many readers as there may be.
  std::shared_ptr<EventSubscription> Subscribe(const EventFilter& filter, size_t last,
                                               std::shared_ptr<Waker> waker);
  uint64_t dropped() const;  // records that some reader missed

 private:
  std::vector<FlowRecordPtr> RememberedLocked(const EventFilter& filter, size_t last) const;

  const EventLogOptions options_;
  mutable std::mutex mutex_;
  std::deque<FlowRecordPtr> remembered_;                       // guarded by mutex_; oldest first
  std::vector<std::weak_ptr<EventSubscription>> subscribers_;  // guarded by mutex_
  uint64_t dropped_ = 0;                                       // guarded by mutex_
};

}  // namespace cordon::cp

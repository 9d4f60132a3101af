// SPDX-License-Identifier: Apache-2.0
// Empties the workers' event rings and keeps what is to be reported: a bounded backlog for the
// controller, live records for the watchers of the status socket, and a count of unknown devices.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "cordon/v1/gateway_control.pb.h"
#include "dataplane/agent/flow_record.h"
#include "dataplane/agent/runtime.h"

namespace cordon::dp {

// The queue of one watcher. Filled by the reporter, emptied by the watcher; when it is full the
// newest records are missed and counted.
class EventWatch {
 public:
  EventWatch(std::string device, size_t capacity)
      : device_(std::move(device)), capacity_(capacity) {}

  void Push(const v1::FlowRecord& record);
  // Waits until there is something or the time is over. Returns records and how many were missed
  // since the last call.
  uint64_t Wait(std::chrono::milliseconds at_most, std::vector<v1::FlowRecord>& records);

 private:
  const std::string device_;  // empty: all
  const size_t capacity_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<v1::FlowRecord> queue_;  // guarded by mutex_
  uint64_t missed_ = 0;               // guarded by mutex_
};

struct ReporterOptions {
  size_t backlog = 8192;  // records kept for the controller
  size_t records_per_report = 2048;
  size_t watch_queue = 1024;
  size_t unknown_devices = 65'536;  // distinct MAC addresses counted at most
  std::chrono::milliseconds drain_interval{50};
};

class FlowReporter {
 public:
  FlowReporter(const GatewayRuntime& runtime, const ReporterOptions& options);
  ~FlowReporter();  // Stop
  void Start();
  void Stop();

  // Empties the rings once. On the reporter's thread, or, in tests, instead of it.
  void Drain();

  // --- any thread
  // Takes the oldest records; false if there are none.
  bool Take(v1::FlowReport& report);
  // Gives records back that could not be sent.
  void Return(const v1::FlowReport& report);
  // Refused and audited flows from now on; ends when the pointer is dropped.
  std::shared_ptr<EventWatch> Watch(const std::string& device);
  uint64_t unknown_devices() const { return unknown_devices_.load(std::memory_order_relaxed); }
  // Events lost since start: rings or backlog were full.
  uint64_t lost() const;

 private:
  EventNames NamesNow() const;
  void Count(const FlowEvent& event);
  void Deliver(RecordMap& live);

  const GatewayRuntime& runtime_;
  const ReporterOptions options_;
  std::unordered_set<uint64_t> unknown_macs_;  // draining thread
  uint32_t unknown_stamp_ = 0;                 // draining thread
  std::atomic<uint64_t> unknown_devices_{0};

  mutable std::mutex mutex_;
  RecordMap backlog_;                             // guarded by mutex_
  std::list<std::weak_ptr<EventWatch>> watches_;  // guarded by mutex_
  std::condition_variable wake_;
  bool stop_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace cordon::dp

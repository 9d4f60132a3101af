// SPDX-License-Identifier: Apache-2.0
// Writes to the store what nobody waits for (observations, what gateways said last) on a thread of
// its own, so that a slow disk never holds up a gateway's session.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/store/store.h"

namespace cordon::cp {

// Thread-safe. Bounded: observations beyond the queue are dropped and counted; of a gateway's
// records only the newest waits.
class StoreWriter {
 public:
  explicit StoreWriter(Store& store, size_t max_observations = 100'000);
  ~StoreWriter();  // writes what waits, then ends
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  void Save(const GatewayRecord& record);
  void Add(std::vector<Observation> observations);
  // Waits until everything handed over before is written or failed.
  void Flush();

  uint64_t errors() const { return errors_.load(std::memory_order_relaxed); }
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void Run();
  void Report(const absl::Status& status);

  Store& store_;
  const size_t max_observations_;
  std::atomic<uint64_t> errors_{0};
  std::atomic<uint64_t> dropped_{0};
  bool failing_ = false;  // only the thread: log a failure once, not once a second

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  std::map<std::string, GatewayRecord> gateways_;  // guarded by mutex_
  std::vector<Observation> observations_;          // guarded by mutex_
  bool busy_ = false;                              // guarded by mutex_
  bool stopping_ = false;                          // guarded by mutex_
  std::thread thread_;
};

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// A worker: one thread on one core that carries the frames of its pairs through the pipeline.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "dataplane/io/clock.h"
#include "dataplane/io/lane.h"
#include "dataplane/io/options.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/policy/slot.h"
#include "dataplane/telemetry/counters.h"

namespace cordon::dp {

// What a worker works with; owned by app/, which shows parts of it to the agent. Must outlive it.
struct WorkerParts {
  PolicySlot* policy = nullptr;
  Pipeline* pipeline = nullptr;
  WorkerCounters* counters = nullptr;
};

class Worker {
 public:
  Worker(size_t id, std::vector<Lane> lanes, const WorkerParts& parts, const TscClock& clock,
         const IdleBackoff& backoff);

  // Runs on the worker's own thread until Stop. Receives from every lane in turn.
  void Run() noexcept;
  // Any thread: the worker returns after the round at hand; nothing passes after that.
  void Stop() noexcept { stop_.store(true, std::memory_order_relaxed); }

 private:
  size_t RunOnce(Lane& lane) noexcept;
  void CountTime(uint64_t cycles) noexcept;
  void Rest(size_t received) noexcept;

  const size_t worker_id_;
  std::vector<Lane> lanes_;
  PolicySlot& policy_slot_;
  Pipeline& pipeline_;
  WorkerCounters& counters_;
  const TscClock& clock_;
  const IdleBackoff backoff_;
  Burst burst_;
  HeldFrames held_;
  uint64_t last_cycles_ = 0;
  bool was_busy_ = false;
  uint32_t idle_polls_ = 0;
  std::chrono::nanoseconds nap_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace cordon::dp

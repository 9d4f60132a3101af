// SPDX-License-Identifier: Apache-2.0
// The counters of all workers added up, as plain numbers.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/telemetry/counters.h"

namespace cordon::dp {

struct PairSummary {
  // [side][verdict]
  std::array<std::array<uint64_t, kVerdictCount>, kSideCount> frames{};
  std::array<std::array<uint64_t, kVerdictCount>, kSideCount> bytes{};
};

struct CounterSummary {
  std::array<PairSummary, kMaxCountedPairs> pairs{};
  // [verdict][reason]
  std::array<std::array<uint64_t, kReasonCount>, kVerdictCount> reasons{};
  uint64_t flows = 0;
  uint64_t flow_capacity = 0;
  uint64_t flows_admitted = 0;
  uint64_t flows_evicted = 0;
  uint64_t flows_expired = 0;
  uint64_t flows_stale = 0;
  uint64_t events_lost = 0;
  uint64_t busy_cycles = 0;
  uint64_t total_cycles = 0;
  uint64_t polls = 0;
  uint64_t transmit_failed = 0;
};

// Any thread, at any time: each number is exact, but they are not of one instant.
CounterSummary Summarise(std::span<const WorkerCounters* const> workers);

}  // namespace cordon::dp

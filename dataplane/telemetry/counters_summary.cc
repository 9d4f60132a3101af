// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/counters_summary.h"

#include <cstddef>

namespace cordon::dp {
namespace {

template <size_t Rows, size_t Columns>
void Add(std::array<std::array<uint64_t, Columns>, Rows>& sum,
         const std::array<std::array<Counter, Columns>, Rows>& counters) {
  for (size_t i = 0; i < Rows; ++i) {
    for (size_t j = 0; j < Columns; ++j) sum[i][j] += counters[i][j].Get();
  }
}

}  // namespace

CounterSummary Summarise(std::span<const WorkerCounters* const> workers) {
  CounterSummary sum;
  for (const WorkerCounters* worker : workers) {
    for (size_t pair = 0; pair < kMaxCountedPairs; ++pair) {
      Add(sum.pairs[pair].frames, worker->pairs[pair].frames);
      Add(sum.pairs[pair].bytes, worker->pairs[pair].bytes);
    }
    Add(sum.reasons, worker->reasons);
    sum.flows += worker->flows.Get();
    sum.flow_capacity += worker->flow_capacity.Get();
    sum.flows_admitted += worker->flows_admitted.Get();
    sum.flows_evicted += worker->flows_evicted.Get();
    sum.flows_expired += worker->flows_expired.Get();
    sum.flows_stale += worker->flows_stale.Get();
    sum.events_lost += worker->events_lost.Get();
    sum.busy_cycles += worker->busy_cycles.Get();
    sum.total_cycles += worker->total_cycles.Get();
    sum.polls += worker->polls.Get();
    sum.transmit_failed += worker->transmit_failed.Get();
  }
  return sum;
}

}  // namespace cordon::dp

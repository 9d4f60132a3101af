// SPDX-License-Identifier: Apache-2.0
// Everything the gateway tells Prometheus. Label values are pairs, sides, verdicts, reasons,
// workers and the like: bounded by the configuration, never a device or an address.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "dataplane/agent/agent_state.h"
#include "dataplane/agent/flow_reporter.h"
#include "dataplane/agent/runtime.h"

namespace cordon::dp {

// Sums over all workers.
uint64_t FramesOf(const GatewayRuntime& runtime, Verdict verdict, Reason reason);

// Thread-safe.
class GatewayMetrics {
 public:
  GatewayMetrics(const GatewayRuntime& runtime, const AgentState& state,
                 const FlowReporter& reporter);
  std::string Render();

 private:
  struct Cycles {
    uint64_t busy = 0, total = 0;
    double ratio = 0;
  };
  void UpdateBusyRatios();

  const GatewayRuntime& runtime_;
  const AgentState& state_;
  const FlowReporter& reporter_;
  std::mutex mutex_;
  std::vector<Cycles> cycles_;                      // guarded by mutex_; by worker
  std::chrono::steady_clock::time_point measured_;  // guarded by mutex_
};

}  // namespace cordon::dp

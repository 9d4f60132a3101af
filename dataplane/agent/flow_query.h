// SPDX-License-Identifier: Apache-2.0
// Asks every worker for its live flows and picks those that fit.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>

#include "cordon/v1/gateway_status.pb.h"
#include "dataplane/agent/runtime.h"

namespace cordon::dp {

class FlowQuery {
 public:
  // Takes one message; false: nobody listens any more.
  using Write = std::function<bool(const v1::ListFlowsResponse&)>;
  enum class Outcome { kDone, kBusy, kWorkerSilent, kNobodyListens };

  // `runtime` must outlive it.
  explicit FlowQuery(const GatewayRuntime& runtime) : runtime_(runtime) {}

  // Any thread; one question at a time, others are told kBusy. A worker that does not move on for
  // `patience` is given up.
  Outcome Run(const v1::ListFlowsRequest& request, const Write& write,
              std::chrono::milliseconds patience = std::chrono::seconds(2));

 private:
  const GatewayRuntime& runtime_;
  std::mutex asking_;
};

}  // namespace cordon::dp

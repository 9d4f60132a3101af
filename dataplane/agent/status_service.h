// SPDX-License-Identifier: Apache-2.0
// The gateway's own status on a local Unix socket: works while the controller is gone. Read-only.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cordon/v1/gateway_status.grpc.pb.h"
#include "dataplane/agent/agent_state.h"
#include "dataplane/agent/flow_query.h"
#include "dataplane/agent/flow_reporter.h"
#include "dataplane/agent/hit_ledger.h"
#include "dataplane/agent/runtime.h"

namespace cordon::dp {

class StatusService final : public v1::GatewayStatusService::Service {
 public:
  // `rules` says which rules are in force and how they were used. Any thread.
  StatusService(const GatewayRuntime& runtime, const AgentState& state, FlowReporter& reporter,
                std::function<std::vector<RuleUseRecord>()> rules, std::string controller_address);
  ~StatusService() override;  // Stop

  // Serves on the Unix socket `path` (mode 0660), with the health and reflection services. False,
  // with the reason, if it cannot be bound.
  bool Start(const std::string& path, std::string& error);
  void Stop();

  grpc::Status GetGatewayStatus(grpc::ServerContext* context,
                                const v1::GetGatewayStatusRequest* request,
                                v1::GatewayStatus* status) override;
  grpc::Status WatchEvents(grpc::ServerContext* context,
                           const v1::WatchGatewayEventsRequest* request,
                           grpc::ServerWriter<v1::WatchGatewayEventsResponse>* writer) override;
  grpc::Status ListRules(grpc::ServerContext* context, const v1::ListRulesRequest* request,
                         grpc::ServerWriter<v1::ListRulesResponse>* writer) override;
  grpc::Status ListFlows(grpc::ServerContext* context, const v1::ListFlowsRequest* request,
                         grpc::ServerWriter<v1::ListFlowsResponse>* writer) override;

 private:
  void FillPolicy(const AgentSnapshot& state, v1::GatewayStatus& status) const;
  void FillController(const AgentSnapshot& state, v1::GatewayStatus& status) const;
  void FillPairs(v1::GatewayStatus& status) const;
  void FillWorkers(v1::GatewayStatus& status) const;
  void FillReasons(v1::GatewayStatus& status) const;

  const GatewayRuntime& runtime_;
  const AgentState& state_;
  FlowReporter& reporter_;
  const std::function<std::vector<RuleUseRecord>()> rules_;
  FlowQuery flows_;
  const std::string controller_address_;
  std::atomic<int> watchers_{0};
  std::atomic<bool> stopping_{false};
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace cordon::dp

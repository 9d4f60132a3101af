// SPDX-License-Identifier: Apache-2.0
// The stream of WatchRollout: who has answered a generation, until everybody concerned has.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "controlplane/engine/engine.h"
#include "controlplane/rpc/stream.h"
#include "cordon/v1/policy_service.pb.h"
#include "grpcpp/support/server_callback.h"

namespace cordon::cp {

using RolloutStream = PullStream<grpc::ServerWriteReactor<v1::RolloutUpdate>, v1::RolloutUpdate>;

// What a generation means to one gateway now. Pure.
v1::RolloutUpdate DescribeRollout(const GatewayStatus& status, uint64_t generation,
                                  std::chrono::system_clock::time_point stored,
                                  std::chrono::system_clock::time_point now);

class RolloutWatch final : public RolloutStream {
 public:
  RolloutWatch(Engine& engine, uint64_t generation, Rollout rollout);

 private:
  Next Fill(v1::RolloutUpdate& message, std::optional<grpc::Status>& end) override;

  Engine& engine_;
  const uint64_t generation_;
  const Rollout rollout_;
  std::map<std::string, v1::RolloutState> told_;  // what the client knows of each gateway
  // Last: from then on other threads call Fill. False: too many watch already.
  const bool listening_;
};

}  // namespace cordon::cp

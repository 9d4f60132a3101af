// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/rollout_watch.h"

#include <algorithm>
#include <utility>

#include "controlplane/rpc/convert.h"

namespace cordon::cp {

v1::RolloutUpdate DescribeRollout(const GatewayStatus& status, uint64_t generation,
                                  std::chrono::system_clock::time_point stored,
                                  std::chrono::system_clock::time_point now) {
  v1::RolloutUpdate update;
  update.set_gateway(status.gateway);
  const bool enforces = status.view.enforced >= generation && !status.foreign;
  const bool refused = status.view.state == GatewayState::kRefused;
  if (enforces) {
    update.set_state(v1::ROLLOUT_STATE_ENFORCED);
    update.set_note(status.view.note);
  } else if (!status.connected) {
    update.set_state(v1::ROLLOUT_STATE_DISCONNECTED);
  } else if (refused) {
    update.set_state(v1::ROLLOUT_STATE_REFUSED);
    ToProto(status.view.faults, *update.mutable_faults());
  } else {
    update.set_state(v1::ROLLOUT_STATE_PENDING);
  }
  const bool answered = enforces || refused;
  const auto until = answered && status.answered > stored ? status.answered : now;
  *update.mutable_elapsed() =
      ToProto(std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(until - stored)));
  return update;
}

RolloutWatch::RolloutWatch(Engine& engine, uint64_t generation, Rollout rollout)
    : engine_(engine),
      generation_(generation),
      rollout_(std::move(rollout)),
      listening_(engine.fleet().AddListener(waker())) {}

RolloutStream::Next RolloutWatch::Fill(v1::RolloutUpdate& message,
                                       std::optional<grpc::Status>& end) {
  if (!listening_) {
    end = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                       "too many clients watch rollouts already: end some of them");
    return Next::kNothing;
  }
  bool waiting = false;
  for (const std::string& gateway : rollout_.gateways) {
    const auto status = engine_.fleet().Find(gateway);
    if (!status) continue;  // no longer configured: nobody will answer
    v1::RolloutUpdate update =
        DescribeRollout(*status, generation_, rollout_.stored, std::chrono::system_clock::now());
    const auto told = told_.find(gateway);
    if (told == told_.end() || told->second != update.state()) {
      told_[gateway] = update.state();
      message = std::move(update);
      return Next::kMessage;
    }
    waiting = waiting || update.state() == v1::ROLLOUT_STATE_PENDING;
  }
  if (!waiting) end = grpc::Status::OK;
  return Next::kNothing;
}

}  // namespace cordon::cp

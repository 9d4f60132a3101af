// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rollout/session.h"

#include <algorithm>
#include <utility>

namespace cordon::cp {

void GatewaySession::SetIntended(uint64_t generation, SteadyTime /*now*/) {
  intended_ = std::max(intended_, generation);
}

bool GatewaySession::Connect(const std::string& instance, uint64_t enforced, SteadyTime /*now*/) {
  if (connected_ && instance != instance_) return false;
  enforced = std::min(enforced, intended_ + kMaxLead);
  // The same process still enforces what it could not store; another one must have found it stored.
  if (instance != instance_ || enforced != enforced_) note_.clear();
  connected_ = true;
  ever_seen_ = true;
  instance_ = instance;
  enforced_ = enforced;
  in_flight_ = 0;
  refused_ = 0;
  faults_.clear();
  return true;
}

void GatewaySession::Disconnect(const std::string& instance, SteadyTime /*now*/) {
  if (!connected_ || instance != instance_) return;
  connected_ = false;
  in_flight_ = 0;
}

std::optional<uint64_t> GatewaySession::NextPush(SteadyTime now) {
  if (!connected_ || in_flight_ != 0) return std::nullopt;
  if (intended_ <= enforced_ || intended_ == refused_) return std::nullopt;
  in_flight_ = intended_;
  pushed_at_ = now;
  return in_flight_;
}

std::optional<std::chrono::nanoseconds> GatewaySession::Answered(uint64_t generation,
                                                                 SteadyTime now) {
  if (!connected_ || in_flight_ == 0 || generation != in_flight_) return std::nullopt;
  in_flight_ = 0;
  return std::max(std::chrono::nanoseconds(0),
                  std::chrono::duration_cast<std::chrono::nanoseconds>(now - pushed_at_));
}

std::optional<std::chrono::nanoseconds> GatewaySession::OnAck(uint64_t generation,
                                                              const std::string& note,
                                                              SteadyTime now) {
  const auto took = Answered(generation, now);
  if (!took) return std::nullopt;
  enforced_ = generation;
  refused_ = 0;
  faults_.clear();
  note_ = note;
  return took;
}

std::optional<std::chrono::nanoseconds> GatewaySession::OnNack(uint64_t generation,
                                                               std::vector<InputFault> faults,
                                                               SteadyTime now) {
  const auto took = Answered(generation, now);
  if (!took) return std::nullopt;
  refused_ = generation;
  faults_ = std::move(faults);
  if (faults_.size() > kMaxFaults) {
    const size_t more = faults_.size() - kMaxFaults;
    faults_.resize(kMaxFaults);
    faults_.push_back({"generation " + std::to_string(generation),
                       "and " + std::to_string(more) + " more faults"});
  }
  return took;
}

GatewayState GatewaySession::State() const {
  if (!ever_seen_) return GatewayState::kNeverSeen;
  if (!connected_) return GatewayState::kDisconnected;
  if (enforced_ > intended_) return GatewayState::kRefused;
  if (intended_ != 0 && enforced_ == intended_) return GatewayState::kEnforcing;
  if (intended_ != 0 && refused_ == intended_) return GatewayState::kRefused;
  return GatewayState::kPending;
}

GatewayView GatewaySession::View() const {
  GatewayView view;
  view.state = State();
  view.intended = intended_;
  view.enforced = enforced_;
  if (refused_ != 0 && refused_ == intended_) view.faults = faults_;
  view.note = note_;
  return view;
}

}  // namespace cordon::cp

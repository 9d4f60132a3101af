// SPDX-License-Identifier: Apache-2.0
// The gateway, put together: slot, flow tables, counters and rings; io and agent, which meet here
// and nowhere else; the order of start and stop.
#pragma once

#include <memory>
#include <string>

#include "dataplane/app/config.h"

namespace cordon::dp {

class Gateway {
 public:
  // Starts in an order that fails closed: stored policy, ports, workers; then, with the policy
  // enforced, status socket, metrics and controller. Null, with a message that names the
  // configuration key in `error`, if a step fails; then nothing is left running. Once a process.
  static std::unique_ptr<Gateway> Start(const GatewayConfig& config, std::string& error);
  // Stops in the other order: nothing passes once the workers have stopped.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

 private:
  struct State;
  explicit Gateway(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cordon::dp

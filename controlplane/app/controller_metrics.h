// SPDX-License-Identifier: Apache-2.0
// Everything the controller tells Prometheus. Label values are gateways, states, RPCs and codes:
// bounded by the configuration and the API, never a device or an address.
#pragma once

#include <optional>
#include <string>

#include "controlplane/app/config.h"
#include "controlplane/engine/engine.h"
#include "controlplane/rpc/rpc_counters.h"

namespace cordon::cp {

// Thread-safe.
class ControllerMetrics {
 public:
  ControllerMetrics(Engine& engine, const RpcCounters& rpcs, const std::optional<TcpListen>& tcp)
      : engine_(engine), rpcs_(rpcs), tcp_(tcp) {}
  std::string Render() const;

 private:
  Engine& engine_;
  const RpcCounters& rpcs_;
  const std::optional<TcpListen> tcp_;
};

}  // namespace cordon::cp

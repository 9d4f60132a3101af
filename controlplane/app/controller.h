// SPDX-License-Identifier: Apache-2.0
// The controller, put together: store, engine, gRPC server, metrics; the order of start and stop.
#pragma once

#include <memory>
#include <string>

#include "controlplane/app/config.h"
#include "controlplane/app/controller_metrics.h"
#include "controlplane/engine/engine.h"
#include "controlplane/rpc/server.h"
#include "dataplane/daemon/http_server.h"

namespace cordon::cp {

class Controller {
 public:
  // Null, with a message that names the configuration key in `error`, if a step fails; then nothing
  // is left running.
  static std::unique_ptr<Controller> Start(const ControllerConfig& config, std::string& error);
  // Ends the sessions, writes what waits, closes the store.
  ~Controller() = default;

  Engine& engine() { return *engine_; }
  int tcp_port() const { return server_->tcp_port(); }
  uint16_t metrics_port() const { return http_ ? http_->l4_port() : 0; }

 private:
  Controller() = default;
  bool StartServer(const ControllerConfig& config, std::string& error);
  bool StartHttp(const ControllerConfig& config, std::string& error);

  // Destroyed from the last to the first.
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<RpcServer> server_;
  std::unique_ptr<ControllerMetrics> metrics_;
  std::unique_ptr<dp::HttpServer> http_;
};

}  // namespace cordon::cp

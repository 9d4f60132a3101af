// SPDX-License-Identifier: Apache-2.0
// The gateway's side of the control plane: keeps the last good policy, the session with the
// controller, the reports and the local status socket. On threads of its own, never on a worker.
//
//   GatewayAgent agent(runtime, options);
//   agent.PublishStored();        // before the workers start: they begin under the stored policy
//   StartWorkers();
//   if (!agent.Start(error)) ...  // dials the controller, serves the status socket
//   ...
//   agent.Stop();                 // before the workers stop and before EAL goes
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/agent/runtime.h"
#include "dataplane/policy/table.h"

namespace grpc {
class ChannelCredentials;
}  // namespace grpc

namespace cordon::dp {

struct AgentOptions {
  // "controller.example:7443" or "unix:/run/cordon/controller.sock"; empty: no controller, the
  // stored policy is all there is.
  std::string controller_address;
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  // When the gateway's certificate expires; absent without TLS. An alarm begins 30 days before.
  std::optional<std::chrono::system_clock::time_point> certificate_expiry;
  // Where the last good policy is kept. Created (0700) if it is missing.
  std::filesystem::path state_directory;
  // Path of the local status socket (mode 0660); empty: none.
  std::string status_socket;
  PolicyLimits limits;
  // How long all workers may take to decide under a new policy.
  std::chrono::milliseconds enforce_timeout{5000};
  // Pause before dialling again: doubles from the first to the second, with jitter.
  std::chrono::milliseconds backoff_min{200};
  std::chrono::milliseconds backoff_max{10'000};
  // How often the workers' event rings are emptied.
  std::chrono::milliseconds drain_interval{50};
};

class GatewayAgent {
 public:
  GatewayAgent(GatewayRuntime runtime, AgentOptions options);
  ~GatewayAgent();  // Stop
  GatewayAgent(const GatewayAgent&) = delete;
  GatewayAgent& operator=(const GatewayAgent&) = delete;

  // Loads the last good policy, else the one before, and publishes it; with neither, the slot stays
  // empty: everything is denied. Returns sentences for the log: what was loaded, and what is wrong.
  // Call once, before the workers start.
  std::vector<std::string> PublishStored();
  // Starts the threads. False, with the reason, if the status socket cannot be served.
  bool Start(std::string& error);
  // Ends the session and the threads. Idempotent.
  void Stop();

  // --- any thread, after Start
  std::string RenderMetrics();
  // nullopt: healthy. Unhealthy is what a supervisor should see: no policy is enforced, or a worker
  // did not take over a policy. A missing controller is not: the last good policy is enforced.
  std::optional<std::string> Unhealthy() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// The controller's gRPC server: every service, on the local socket and, with mutual TLS, on TCP.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controlplane/engine/engine.h"
#include "controlplane/rpc/auth.h"
#include "controlplane/rpc/rpc_counters.h"
#include "controlplane/rpc/services.h"
#include "controlplane/rpc/unix_listener.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"

namespace cordon::cp {

struct RpcServerOptions {
  std::string unix_socket;                                   // path; empty: none
  std::string tcp_address;                                   // "0.0.0.0:9443"; empty: none
  std::shared_ptr<grpc::ServerCredentials> tcp_credentials;  // of mutual TLS
  GatewayControlOptions gateway_control;
};

class RpcServer {
 public:
  // FailedPrecondition if an address cannot be used. The engine must outlive the server.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(Engine& engine,
                                                          const RpcServerOptions& options);
  ~RpcServer();  // Shutdown
  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

  // Lets running calls finish for a moment, then cancels them. Returns when all are over.
  void Shutdown();
  int tcp_port() const { return tcp_port_; }  // the bound one; 0 if none
  const RpcCounters& counters() const { return counters_; }

 private:
  RpcServer() : authenticator_(users_) {}

  LocalUsers users_;
  Authenticator authenticator_;
  RpcCounters counters_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<UnixListener> listener_;
  int tcp_port_ = 0;
};

}  // namespace cordon::cp

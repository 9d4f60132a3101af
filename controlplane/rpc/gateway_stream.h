// SPDX-License-Identifier: Apache-2.0
// One stream of GatewayControl.Connect: Hello, Welcome, then pushes one way and answers, reports
// and heartbeats the other.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>

#include "controlplane/engine/engine.h"
#include "controlplane/rpc/services.h"
#include "controlplane/rpc/stream.h"
#include "cordon/v1/gateway_control.pb.h"
#include "grpcpp/support/server_callback.h"

namespace cordon::cp {

class GatewayStreams;

class GatewayStream final
    : public PullStream<grpc::ServerBidiReactor<v1::GatewayMessage, v1::ControllerMessage>,
                        v1::ControllerMessage> {
 public:
  GatewayStream(const ServiceContext& context, const grpc::CallbackServerContext& call,
                GatewayStreams& streams, const GatewayControlOptions& options);

  void Begin();  // after construction: reads the first message
  // Ends the stream if the gateway has been silent for too long. Any thread.
  void EndIfSilent(std::chrono::steady_clock::time_point now);

 private:
  Next Fill(v1::ControllerMessage& message, std::optional<grpc::Status>& end) override;
  void OnReadDone(bool ok) override;
  void OnOver() override;

  // One handler a message; the status is OK or why the stream must end.
  grpc::Status Handle(const v1::GatewayMessage& message);
  grpc::Status OnHello(const v1::Hello& hello);
  grpc::Status OnFlowReport(const v1::FlowReport& report);
  void OnHeartbeat(const v1::Heartbeat& heartbeat);

  const ServiceContext context_;
  const grpc::CallbackServerContext& call_;
  GatewayStreams& streams_;
  const GatewayControlOptions options_;
  v1::GatewayMessage incoming_;       // gRPC's while a read is outstanding, else OnReadDone's
  std::string gateway_;               // set by OnHello, before session_
  std::atomic<uint64_t> session_{0};  // 0 before Hello was accepted
  std::atomic<std::chrono::steady_clock::time_point> heard_;
  bool welcomed_ = false;  // guarded by the stream's lock
};

// All live streams, for the watchdog that ends silent ones. Thread-safe.
class GatewayStreams {
 public:
  explicit GatewayStreams(size_t most) : most_(most) {}
  // False if there are as many as there may be.
  bool Add(GatewayStream* stream);
  void Remove(GatewayStream* stream);
  void EndSilent(std::chrono::steady_clock::time_point now);

 private:
  const size_t most_;
  std::mutex mutex_;  // held while a stream is looked at, so that it cannot go meanwhile
  std::set<GatewayStream*> streams_;  // guarded by mutex_
};

}  // namespace cordon::cp

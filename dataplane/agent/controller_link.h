// SPDX-License-Identifier: Apache-2.0
// The session with the controller: dials, says Hello, hands pushes on, sends answers, heartbeats
// and flow reports, and dials again with growing pauses when the stream ends. Two threads: one
// dials and reads, one writes.
#pragma once

#include <grpcpp/security/credentials.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cordon/v1/gateway_control.grpc.pb.h"
#include "dataplane/agent/agent_state.h"

namespace cordon::dp {

struct LinkOptions {
  std::string address;
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  std::chrono::milliseconds backoff_min{200};
  std::chrono::milliseconds backoff_max{10'000};
  // How long the controller may take to answer Hello.
  std::chrono::milliseconds welcome_timeout{10'000};
};

// Called on the link's threads.
struct LinkCallbacks {
  std::function<v1::Hello()> hello;
  std::function<v1::Heartbeat()> heartbeat;
  std::function<void(v1::PolicySet)> on_push;
  // Takes what is to be reported; false if there is nothing.
  std::function<bool(v1::FlowReport&)> take_report;
  // Gives a report back that could not be sent.
  std::function<void(const v1::FlowReport&)> return_report;
};

class ControllerLink {
 public:
  ControllerLink(LinkOptions options, LinkCallbacks callbacks, AgentState& state);
  ~ControllerLink();  // Stop
  void Start();
  void Stop();
  // Queues an answer for the session that is open now; without one it is dropped, because the next
  // Hello says what is enforced. Any thread.
  void Send(v1::GatewayMessage message);

 private:
  using Stream = grpc::ClientReaderWriter<v1::GatewayMessage, v1::ControllerMessage>;
  struct Session {
    grpc::ClientContext context;
    std::unique_ptr<Stream> stream;
    // Guarded by mutex_.
    bool ended = false;
    bool welcomed = false;
    std::chrono::milliseconds report_interval{10'000};
    std::deque<v1::GatewayMessage> outbox;
  };

  void Run();
  // One session from dialling to its end; true if the controller welcomed it.
  bool RunSession();
  void Read(Session& session);
  void Write(Session& session);
  void OnWelcome(Session& session, const v1::Welcome& welcome);
  bool WriteReports(Session& session);
  void RecordEnd(const grpc::Status& status);
  void Pause(std::chrono::milliseconds pause);

  const LinkOptions options_;
  const LinkCallbacks callbacks_;
  AgentState& state_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;           // guarded by mutex_
  Session* session_ = nullptr;  // guarded by mutex_; the open one
  std::thread thread_;
};

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// A gateway without ports, and a controller in the same process, for the agent's tests.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cordon/v1/gateway_control.grpc.pb.h"
#include "dataplane/agent/runtime.h"

namespace cordon::dp {

inline constexpr std::chrono::seconds kPatience{10};

// Polls until `done` holds; false if it never does.
inline bool Eventually(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// A directory that goes when the test goes.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    static std::atomic<int> next{0};
    path_ = std::filesystem::temp_directory_path() /
            ("cordon-agent-" + std::to_string(getpid()) + "-" + std::to_string(next++));
    std::filesystem::create_directories(path_);
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A policy set for gateway gw-1, pair ward: device pump-1 with one rule.
inline v1::PolicySet MakePolicySet(uint64_t generation) {
  v1::PolicySet set;
  set.set_gateway("gw-1");
  set.set_generation(generation);
  set.add_pairs("ward");
  v1::Ruleset& ruleset = *set.add_rulesets();
  ruleset.set_name("pump");
  v1::Rule& rule = *ruleset.add_rules();
  rule.set_origin("pump/hl7");
  rule.set_initiator(v1::INITIATOR_DEVICE);
  rule.set_protocol(v1::PROTOCOL_TCP);
  rule.mutable_prefixes()->add_prefixes("10.20.0.5");
  v1::PortRange& range = *rule.add_peer_ports();
  range.set_first(2575);
  range.set_last(2575);
  v1::DevicePolicy& device = *set.add_devices();
  device.set_name("pump-1");
  device.set_pair("ward");
  device.add_macs("02:00:00:00:10:01");
  device.add_ips("10.30.0.1");
  device.set_mode(v1::MODE_ENFORCE);
  return set;
}

// Slot, counters and rings of `workers` workers; the workers turn over only while running.
class TestGateway {
 public:
  explicit TestGateway(size_t workers = 1) : slot_(workers) {
    for (size_t i = 0; i < workers; ++i) {
      counters_.push_back(std::make_unique<WorkerCounters>());
      rings_.push_back(std::make_unique<EventRing>(1024));
    }
  }
  ~TestGateway() { StopWorkers(); }

  void StartWorkers() {
    running_ = true;
    for (size_t i = 0; i < counters_.size(); ++i) {
      threads_.emplace_back([this, i] {
        while (running_) {
          slot_.Acquire(i);
          slot_.Quiesce(i);
          counters_[i]->polls.Add(1);
          std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
      });
    }
  }
  void StopWorkers() {
    running_ = false;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  GatewayRuntime Runtime() {
    GatewayRuntime runtime;
    runtime.gateway = "gw-1";
    runtime.software_version = "1.2.3";
    runtime.pairs = {"ward"};
    runtime.slot = &slot_;
    for (size_t i = 0; i < counters_.size(); ++i) {
      runtime.workers.push_back(
          {static_cast<uint32_t>(i), {"ward"}, counters_[i].get(), rings_[i].get()});
    }
    runtime.ports = [] {
      return std::vector<PortSample>{{.pair = "ward", .name = "net_ring0", .driver = "net_ring"}};
    };
    runtime.pools = [] { return std::vector<PoolSample>{{"frames", 4096, 4000}}; };
    runtime.now_ns = [] { return uint64_t{5'000'000'000}; };
    return runtime;
  }

  PolicySlot& slot() { return slot_; }
  EventRing& ring(size_t worker) { return *rings_[worker]; }
  WorkerCounters& counters(size_t worker) { return *counters_[worker]; }

 private:
  PolicySlot slot_;
  std::vector<std::unique_ptr<WorkerCounters>> counters_;
  std::vector<std::unique_ptr<EventRing>> rings_;
  std::atomic<bool> running_{false};
  std::vector<std::thread> threads_;
};

// Serves GatewayControl on a Unix socket: keeps what gateways say, pushes what tests ask for.
class FakeController final : public v1::GatewayControl::Service {
 public:
  explicit FakeController(std::filesystem::path socket) : socket_(std::move(socket)) {}
  ~FakeController() override { Stop(); }

  std::string address() const { return "unix:" + socket_.string(); }

  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address(), grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  void Stop() {
    if (!server_) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
  }

  // What the next Hello is answered with; OK welcomes.
  void RefuseWith(grpc::Status status) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(status);
  }
  void Push(const v1::PolicySet& set) {
    v1::ControllerMessage message;
    *message.mutable_policy_set() = set;
    const std::lock_guard lock(mutex_);
    if (stream_ != nullptr) stream_->Write(message);
  }

  // The next message of a kind, in order of arrival.
  std::optional<v1::Hello> NextHello() { return Next(hellos_); }
  std::optional<v1::Ack> NextAck() { return Next(acks_); }
  std::optional<v1::Nack> NextNack() { return Next(nacks_); }
  std::optional<v1::FlowReport> NextReport() { return Next(reports_); }
  std::optional<v1::Heartbeat> NextHeartbeat() { return Next(heartbeats_); }
  bool HasAnswer() {
    const std::lock_guard lock(mutex_);
    return !acks_.empty() || !nacks_.empty();
  }

 private:
  using Stream = grpc::ServerReaderWriter<v1::ControllerMessage, v1::GatewayMessage>;

  grpc::Status Connect(grpc::ServerContext*, Stream* stream) override {
    v1::GatewayMessage message;
    if (!stream->Read(&message) || !message.has_hello()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "Hello comes first"};
    }
    {
      const std::lock_guard lock(mutex_);
      hellos_.push_back(message.hello());
      if (!refusal_.ok()) {
        arrived_.notify_all();
        return refusal_;
      }
      v1::ControllerMessage welcome;
      welcome.mutable_welcome()->mutable_report_interval()->set_nanos(100'000'000);
      stream->Write(welcome);
      stream_ = stream;
    }
    arrived_.notify_all();
    while (stream->Read(&message)) Keep(message);
    const std::lock_guard lock(mutex_);
    stream_ = nullptr;
    return grpc::Status::OK;
  }

  void Keep(const v1::GatewayMessage& message) {
    {
      const std::lock_guard lock(mutex_);
      if (message.has_ack()) acks_.push_back(message.ack());
      if (message.has_nack()) nacks_.push_back(message.nack());
      if (message.has_flow_report()) reports_.push_back(message.flow_report());
      if (message.has_heartbeat() && heartbeats_.size() < 100) {
        heartbeats_.push_back(message.heartbeat());
      }
    }
    arrived_.notify_all();
  }

  template <typename T>
  std::optional<T> Next(std::deque<T>& queue) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, kPatience, [&] { return !queue.empty(); })) return std::nullopt;
    T first = std::move(queue.front());
    queue.pop_front();
    return first;
  }

  const std::filesystem::path socket_;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  Stream* stream_ = nullptr;  // guarded by mutex_, as is what follows
  grpc::Status refusal_;
  std::deque<v1::Hello> hellos_;
  std::deque<v1::Ack> acks_;
  std::deque<v1::Nack> nacks_;
  std::deque<v1::FlowReport> reports_;
  std::deque<v1::Heartbeat> heartbeats_;
};

}  // namespace cordon::dp

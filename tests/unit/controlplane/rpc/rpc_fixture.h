// SPDX-License-Identifier: Apache-2.0
// A controller in this process, spoken to as clients do: gRPC over a Unix socket.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/engine/engine.h"
#include "controlplane/rpc/server.h"
#include "cordon/v1/gateway_control.grpc.pb.h"
#include "cordon/v1/inventory_service.grpc.pb.h"
#include "cordon/v1/policy_service.grpc.pb.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"

namespace cordon::cp {

inline constexpr char kRadiology[] = R"(
kind: Peer
name: pacs-archive
addresses: [10.20.0.10]
---
kind: Profile
name: ct-scanner
rules:
  - id: store-images
    initiator: device
    peer: pacs-archive
    protocol: tcp
    peer_ports: [104, 11112]
    reason: images go to the archive
---
kind: Gateway
name: radiology-1
pairs: [{name: ct-suite}]
unknown_device: deny
---
kind: Device
name: ct-2
identity: {mac: ["02:00:00:00:30:21"], ip: [10.30.0.21], vlan: 30}
vendor: Example Imaging
model: Scan 9
class: ct
profile: ct-scanner
gateway: radiology-1
pair: ct-suite
mode: enforce
)";

// The profile with another port: changes the policy of radiology-1.
inline std::string ProfileWithPort(int port) {
  return R"(
kind: Profile
name: ct-scanner
rules:
  - id: store-images
    initiator: device
    peer: pacs-archive
    protocol: tcp
    peer_ports: [)" +
         std::to_string(port) + R"(]
    reason: images go to the archive
)";
}

inline std::chrono::system_clock::time_point In(std::chrono::seconds time) {
  return std::chrono::system_clock::now() + time;
}

// A gateway of which only the conversation with the controller exists.
class FakeGateway {
 public:
  explicit FakeGateway(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::GatewayControl::NewStub(channel)) {
    context_.set_deadline(In(std::chrono::seconds(20)));
    stream_ = stub_->Connect(&context_);
  }
  ~FakeGateway() { context_.TryCancel(); }

  void Hello(const std::string& name, const std::string& instance = "a", uint64_t enforced = 0) {
    v1::GatewayMessage message;
    message.mutable_hello()->set_gateway(name);
    message.mutable_hello()->set_instance(instance);
    message.mutable_hello()->set_enforced_generation(enforced);
    message.mutable_hello()->set_software_version("test");
    stream_->Write(message);
  }
  // The next message; its case is MESSAGE_NOT_SET if the stream ended.
  v1::ControllerMessage Read() {
    v1::ControllerMessage message;
    if (!stream_->Read(&message)) message.Clear();
    return message;
  }
  // Says Hello, takes the Welcome and waits for the push.
  v1::PolicySet ConnectAndTakePush(const std::string& name, uint64_t enforced = 0) {
    Hello(name, "a", enforced);
    EXPECT_TRUE(Read().has_welcome());
    return Read().policy_set();
  }
  void Ack(uint64_t generation, const std::string& not_persisted = "") {
    v1::GatewayMessage message;
    message.mutable_ack()->set_generation(generation);
    message.mutable_ack()->set_not_persisted(not_persisted);
    stream_->Write(message);
  }
  void Nack(uint64_t generation, const std::string& path, const std::string& text) {
    v1::GatewayMessage message;
    message.mutable_nack()->set_generation(generation);
    auto& fault = *message.mutable_nack()->add_faults();
    fault.set_path(path);
    fault.set_message(text);
    stream_->Write(message);
  }
  void Write(const v1::GatewayMessage& message) { stream_->Write(message); }
  grpc::Status Finish() {
    stream_->WritesDone();
    v1::ControllerMessage ignored;
    while (stream_->Read(&ignored)) {
    }
    return stream_->Finish();
  }

 private:
  std::unique_ptr<v1::GatewayControl::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::GatewayMessage, v1::ControllerMessage>> stream_;
};

class ControllerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "cordon-rpc-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    StartController();
  }
  void TearDown() override {
    StopController();
    std::filesystem::remove_all(directory_);
  }

  void StartController() {
    auto store = OpenSqliteStore({.path = directory_ + "/controller.db"});
    ASSERT_TRUE(store.ok()) << store.status();
    auto engine = Engine::Open(*std::move(store));
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    options_.unix_socket = directory_ + "/controller.sock";
    auto server = RpcServer::Start(*engine_, options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = Dial();
    policy_ = v1::PolicyService::NewStub(channel_);
    devices_ = v1::DeviceService::NewStub(channel_);
    gateways_ = v1::GatewayService::NewStub(channel_);
  }
  void StopController() {
    server_ = nullptr;
    engine_ = nullptr;
  }
  std::shared_ptr<grpc::Channel> Dial() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    return grpc::CreateCustomChannel("unix:" + options_.unix_socket,
                                     grpc::InsecureChannelCredentials(), arguments);
  }

  // Any unary call that must succeed.
  template <typename Stub, typename Request, typename Response>
  Response Call(Stub& stub,
                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const Request& request) {
    Response response;
    last_status_ = TryCall(stub, method, request, &response);
    EXPECT_TRUE(last_status_.ok()) << last_status_.error_message();
    return response;
  }
  template <typename Stub, typename Request, typename Response>
  grpc::Status TryCall(Stub& stub,
                       grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                    Response*),
                       const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(In(std::chrono::seconds(20)));
    return (stub.*method)(&context, request, response);
  }

  v1::ApplyResponse Apply(const std::string& yaml, const std::string& comment = "") {
    v1::ApplyRequest request;
    auto& file = *request.add_files();
    file.set_file("policy.yaml");
    file.set_content(yaml);
    request.set_comment(comment);
    return Call(*policy_, &v1::PolicyService::Stub::Apply, request);
  }
  v1::Gateway GetGateway(const std::string& name) {
    v1::GetGatewayRequest request;
    request.set_name(name);
    return Call(*gateways_, &v1::GatewayService::Stub::GetGateway, request);
  }
  std::vector<v1::RolloutUpdate> WatchRollout(uint64_t generation) {
    grpc::ClientContext context;
    context.set_deadline(In(std::chrono::seconds(20)));
    v1::WatchRolloutRequest request;
    request.set_generation(generation);
    auto stream = policy_->WatchRollout(&context, request);
    std::vector<v1::RolloutUpdate> updates;
    for (v1::RolloutUpdate update; stream->Read(&update);) updates.push_back(update);
    last_status_ = stream->Finish();
    return updates;
  }

  std::string directory_;
  RpcServerOptions options_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<RpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::PolicyService::Stub> policy_;
  std::unique_ptr<v1::DeviceService::Stub> devices_;
  std::unique_ptr<v1::GatewayService::Stub> gateways_;
  grpc::Status last_status_;
};

}  // namespace cordon::cp

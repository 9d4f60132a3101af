// SPDX-License-Identifier: Apache-2.0
// A controller and a gateway that say what the test wants, on Unix sockets in a directory of their
// own; and cordonctl run against them as a person runs it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/cli/command_line.h"
#include "cordon/v1/gateway_status.grpc.pb.h"
#include "cordon/v1/inventory_service.grpc.pb.h"
#include "cordon/v1/policy_service.grpc.pb.h"
#include "tests/unit/controlplane/cli/temporary_directory.h"

namespace cordon::cp::cli {

// One call: remembers what was asked, answers what it was given.
template <typename Request, typename Response>
struct Canned {
  Request request;  // the last one
  Response response;
  grpc::Status status;
  int calls = 0;

  grpc::Status Answer(const Request* asked, Response* answer) {
    ++calls;
    request = *asked;
    *answer = response;
    return status;
  }
};

#define CORDON_CANNED(method, Message)                                                           \
  Canned<v1::method##Request, Message> canned_##method;                                          \
  grpc::Status method(grpc::ServerContext*, const v1::method##Request* q, Message* a) override { \
    return canned_##method.Answer(q, a);                                                         \
  }

class FakeDevices final : public v1::DeviceService::Service {
 public:
  // Pages of one device each.
  std::vector<v1::Device> devices;
  v1::ListDevicesRequest asked;
  grpc::Status ListDevices(grpc::ServerContext*, const v1::ListDevicesRequest* request,
                           v1::ListDevicesResponse* response) override {
    asked = *request;
    const size_t at = request->page_token().empty() ? 0 : std::stoul(request->page_token());
    if (at < devices.size()) *response->add_devices() = devices[at];
    if (at + 1 < devices.size()) response->set_next_page_token(std::to_string(at + 1));
    return grpc::Status::OK;
  }
  CORDON_CANNED(GetDevice, v1::Device)
  CORDON_CANNED(ImportDevices, v1::ImportDevicesResponse)
};

class FakeProfiles final : public v1::ProfileService::Service {
 public:
  CORDON_CANNED(ListProfiles, v1::ListProfilesResponse)
  CORDON_CANNED(GetProfile, v1::Profile)
};

class FakePeers final : public v1::PeerService::Service {
 public:
  CORDON_CANNED(ListPeers, v1::ListPeersResponse)
  CORDON_CANNED(GetPeer, v1::Peer)
};

class FakeOverlays final : public v1::OverlayService::Service {
 public:
  CORDON_CANNED(ListOverlays, v1::ListOverlaysResponse)
  CORDON_CANNED(GetOverlay, v1::Overlay)
};

class FakeGateways final : public v1::GatewayService::Service {
 public:
  CORDON_CANNED(ListGateways, v1::ListGatewaysResponse)
  CORDON_CANNED(GetGateway, v1::Gateway)
};

class FakePolicy final : public v1::PolicyService::Service {
 public:
  CORDON_CANNED(Apply, v1::ApplyResponse)
  CORDON_CANNED(Diff, v1::DiffResponse)
  CORDON_CANNED(ListGenerations, v1::ListGenerationsResponse)
  CORDON_CANNED(Rollback, v1::ApplyResponse)
  CORDON_CANNED(Explain, v1::ExplainResponse)

  std::vector<v1::RolloutUpdate> updates;
  bool hang_after_updates = false;
  std::function<void()> when_hanging = [] {};
  uint64_t watched = 0;
  grpc::Status WatchRollout(grpc::ServerContext* context, const v1::WatchRolloutRequest* request,
                            grpc::ServerWriter<v1::RolloutUpdate>* writer) override {
    watched = request->generation();
    for (const v1::RolloutUpdate& update : updates) writer->Write(update);
    if (hang_after_updates) when_hanging();
    while (hang_after_updates && !context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::OK;
  }
};

class FakeEvents final : public v1::EventService::Service {
 public:
  v1::WatchEventsRequest asked;
  std::vector<v1::WatchEventsResponse> responses;
  std::function<void()> when_hanging = [] {};
  grpc::Status WatchEvents(grpc::ServerContext* context, const v1::WatchEventsRequest* request,
                           grpc::ServerWriter<v1::WatchEventsResponse>* writer) override {
    asked = *request;
    for (const auto& response : responses) writer->Write(response);
    if (request->follow()) when_hanging();
    while (request->follow() && !context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::OK;
  }
};

class FakeLearn final : public v1::LearnService::Service {
 public:
  CORDON_CANNED(Propose, v1::ProposeResponse)
};

class FakeGatewayStatus final : public v1::GatewayStatusService::Service {
 public:
  v1::GatewayStatus status;
  std::vector<v1::WatchGatewayEventsResponse> responses;
  grpc::Status GetGatewayStatus(grpc::ServerContext*, const v1::GetGatewayStatusRequest*,
                                v1::GatewayStatus* answer) override {
    *answer = status;
    return grpc::Status::OK;
  }
  grpc::Status WatchEvents(grpc::ServerContext*, const v1::WatchGatewayEventsRequest*,
                           grpc::ServerWriter<v1::WatchGatewayEventsResponse>* writer) override {
    for (const auto& response : responses) writer->Write(response);
    return grpc::Status::OK;
  }

  v1::ListRulesRequest asked_rules;
  std::vector<v1::ListRulesResponse> rules;
  grpc::Status ListRules(grpc::ServerContext*, const v1::ListRulesRequest* request,
                         grpc::ServerWriter<v1::ListRulesResponse>* writer) override {
    asked_rules = *request;
    for (const auto& response : rules) writer->Write(response);
    return grpc::Status::OK;
  }

  v1::ListFlowsRequest asked_flows;
  std::vector<v1::ListFlowsResponse> flows;
  grpc::Status ListFlows(grpc::ServerContext*, const v1::ListFlowsRequest* request,
                         grpc::ServerWriter<v1::ListFlowsResponse>* writer) override {
    asked_flows = *request;
    for (const auto& response : flows) writer->Write(response);
    return grpc::Status::OK;
  }
};

// What a run of cordonctl came to.
struct Outcome {
  ExitCode code = ExitCode::kDone;
  std::string out;
  std::string err;
};

class FakeServer {
 public:
  FakeServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + socket(), grpc::InsecureServerCredentials());
    for (grpc::Service* service :
         std::initializer_list<grpc::Service*>{&devices, &profiles, &peers, &overlays, &gateways,
                                               &policy, &events, &learn, &gateway_status}) {
      builder.RegisterService(service);
    }
    server_ = builder.BuildAndStart();
  }
  ~FakeServer() { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string socket() const { return directory.path() + "/s"; }

  // cordonctl with these arguments, under a clock that stands still.
  Outcome Run(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--controller", "unix:" + socket()});
    return RunAlone(arguments, input);
  }
  Outcome RunOnGateway(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--gateway-socket", socket()});
    return RunAlone(arguments, "");
  }
  Outcome RunAlone(const std::vector<std::string>& arguments, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out, err;
    Console console{in, out, err, {}, {}, [] { return kNow; }};
    const ExitCode code = CommandLine("1.2.3").Run(arguments, console, interrupt);
    return {code, out.str(), err.str()};
  }

  static constexpr Clock::time_point kNow{std::chrono::seconds(1'790'000'000)};

  TemporaryDirectory directory;
  FakeDevices devices;
  FakeProfiles profiles;
  FakePeers peers;
  FakeOverlays overlays;
  FakeGateways gateways;
  FakePolicy policy;
  FakeEvents events;
  FakeLearn learn;
  FakeGatewayStatus gateway_status;
  Interrupt interrupt;

 private:
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace cordon::cp::cli

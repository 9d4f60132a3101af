// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/status_service.h"

#include <google/protobuf/util/time_util.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "dataplane/agent/gateway_metrics.h"

namespace cordon::dp {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int kMaxWatchers = 16;  // each holds a thread

google::protobuf::Timestamp ToProto(std::chrono::system_clock::time_point time) {
  return TimeUtil::NanosecondsToTimestamp(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

v1::PolicySource ToProto(PolicySource source) {
  switch (source) {
    case PolicySource::kNone:
      return v1::POLICY_SOURCE_NONE;
    case PolicySource::kController:
      return v1::POLICY_SOURCE_CONTROLLER;
    case PolicySource::kStored:
      return v1::POLICY_SOURCE_STORED;
    case PolicySource::kPrevious:
      return v1::POLICY_SOURCE_PREVIOUS;
  }
  return v1::POLICY_SOURCE_UNSPECIFIED;
}

v1::Verdict ToProto(Verdict verdict) {
  switch (verdict) {
    case Verdict::kDrop:
      return v1::VERDICT_DROP;
    case Verdict::kForward:
      return v1::VERDICT_FORWARD;
    case Verdict::kAudit:
      return v1::VERDICT_AUDIT;
  }
  return v1::VERDICT_UNSPECIFIED;
}

void FillPort(const PortSample& sample, v1::PortStatus& port) {
  port.set_port(sample.name);
  port.set_driver(sample.driver);
  port.set_link_up(sample.link_up);
  port.set_received_frames(sample.received_frames);
  port.set_transmitted_frames(sample.transmitted_frames);
  port.set_receive_missed(sample.receive_missed);
  port.set_receive_no_buffer(sample.receive_no_buffer);
  port.set_receive_errors(sample.receive_errors);
}

// Counts a watcher for as long as it lives.
class Seat {
 public:
  explicit Seat(std::atomic<int>& taken)
      : taken_(taken), free_(taken.fetch_add(1) < kMaxWatchers) {}
  ~Seat() { taken_.fetch_sub(1); }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  bool free() const { return free_; }

 private:
  std::atomic<int>& taken_;
  const bool free_;
};

}  // namespace

StatusService::StatusService(const GatewayRuntime& runtime, const AgentState& state,
                             FlowReporter& reporter,
                             std::function<std::vector<RuleUseRecord>()> rules,
                             std::string controller_address)
    : runtime_(runtime),
      state_(state),
      reporter_(reporter),
      rules_(std::move(rules)),
      flows_(runtime),
      controller_address_(std::move(controller_address)) {}

StatusService::~StatusService() { Stop(); }

bool StatusService::Start(const std::string& path, std::string& error) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    error = path + ": is longer than a Unix socket's path may be (107 bytes)";
    return false;
  }
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  grpc::ResourceQuota quota("status");
  quota.SetMaxThreads(kMaxWatchers + 8);
  quota.Resize(16 * 1024 * 1024);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(64 * 1024);
  builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  const mode_t old_mask = umask(0117);  // so that the socket never is more open than this
  server_ = builder.BuildAndStart();
  umask(old_mask);
  if (server_ == nullptr || chmod(path.c_str(), 0660) != 0) {
    error = path + ": cannot serve the status socket (is its directory there and writable?)";
    return false;
  }
  return true;
}

void StatusService::Stop() {
  stopping_ = true;
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  server_->Wait();
  server_.reset();
}

grpc::Status StatusService::GetGatewayStatus(grpc::ServerContext*,
                                             const v1::GetGatewayStatusRequest*,
                                             v1::GatewayStatus* status) {
  const AgentSnapshot state = state_.Snapshot();
  status->set_gateway(runtime_.gateway);
  status->set_software_version(runtime_.software_version);
  *status->mutable_started() = ToProto(state.started);
  FillPolicy(state, *status);
  FillController(state, *status);
  FillPairs(*status);
  FillWorkers(*status);
  FillReasons(*status);
  for (const auto& [about, sentence] : state.alarms) status->add_alarms(sentence);
  return grpc::Status::OK;
}

void StatusService::FillPolicy(const AgentSnapshot& state, v1::GatewayStatus& status) const {
  status.set_enforced_generation(state.generation);
  if (state.received) *status.mutable_generation_received() = ToProto(*state.received);
  status.set_policy_source(ToProto(state.source));
  status.set_devices(state.devices);
  status.set_rulesets(state.rulesets);
  status.set_refused_generation(state.refused_generation);
  for (const Fault& fault : state.refused_faults) {
    v1::Fault& to = *status.add_refused_faults();
    to.set_path(fault.path);
    to.set_message(fault.message);
  }
}

void StatusService::FillController(const AgentSnapshot& state, v1::GatewayStatus& status) const {
  v1::ControllerSession& session = *status.mutable_controller();
  session.set_address(controller_address_);
  session.set_connected(state.connected);
  if (state.session_since) *session.mutable_since() = ToProto(*state.session_since);
  session.set_last_error(state.session_error);
}

void StatusService::FillPairs(v1::GatewayStatus& status) const {
  const std::vector<PortSample> ports = runtime_.ports();
  for (const std::string& name : runtime_.pairs) {
    v1::PairStatus& pair = *status.add_pairs();
    pair.set_name(name);
    for (const PortSample& port : ports) {
      if (port.pair != name) continue;
      FillPort(port, port.side == Side::kDevice ? *pair.mutable_device_side()
                                                : *pair.mutable_network_side());
    }
  }
}

void StatusService::FillWorkers(v1::GatewayStatus& status) const {
  for (size_t i = 0; i < runtime_.workers.size(); ++i) {
    const WorkerInfo& info = runtime_.workers[i];
    const WorkerCounters& counters = *info.counters;
    v1::WorkerStatus& worker = *status.add_workers();
    worker.set_id(static_cast<uint32_t>(i));
    worker.set_cpu(info.cpu);
    for (const std::string& pair : info.pairs) worker.add_pairs(pair);
    worker.set_flows(counters.flows.Get());
    worker.set_flow_capacity(counters.flow_capacity.Get());
    worker.set_flows_evicted(counters.flows_evicted.Get());
    const uint64_t total = counters.total_cycles.Get();
    const auto busy = static_cast<double>(counters.busy_cycles.Get());
    worker.set_busy_ratio(total == 0 ? 0 : busy / static_cast<double>(total));
  }
}

void StatusService::FillReasons(v1::GatewayStatus& status) const {
  for (const Verdict verdict : {Verdict::kDrop, Verdict::kAudit, Verdict::kForward}) {
    for (size_t i = 0; i < kReasonCount; ++i) {
      const uint64_t frames = FramesOf(runtime_, verdict, static_cast<Reason>(i));
      if (frames == 0) continue;
      v1::ReasonCount& count = *status.add_reasons();
      count.set_verdict(ToProto(verdict));
      count.set_reason(std::string(ToString(static_cast<Reason>(i))));
      count.set_frames(frames);
    }
  }
}

grpc::Status StatusService::WatchEvents(
    grpc::ServerContext* context, const v1::WatchGatewayEventsRequest* request,
    grpc::ServerWriter<v1::WatchGatewayEventsResponse>* writer) {
  const Seat seat(watchers_);
  if (!seat.free()) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watchers (at most 16)"};
  }
  const auto watch = reporter_.Watch(request->device());
  // Tells the client that from now on nothing is missed.
  writer->SendInitialMetadata();
  std::vector<v1::FlowRecord> records;
  while (!stopping_ && !context->IsCancelled()) {
    v1::WatchGatewayEventsResponse response;
    response.set_lost(watch->Wait(std::chrono::milliseconds(200), records));
    for (v1::FlowRecord& record : records) *response.add_records() = std::move(record);
    if (response.records().empty() && response.lost() == 0) continue;
    if (!writer->Write(response)) break;
  }
  return grpc::Status::OK;
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/gateway_stream.h"

#include <utility>

#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/request_check.h"
#include "spdlog/spdlog.h"

namespace cordon::cp {
namespace {

constexpr int kMaxRecords = 20'000;  // of one report
constexpr int kMissedHeartbeats = 4;

grpc::Status CheckHello(const v1::Hello& hello) {
  RequestCheck check;
  check.Name("hello.gateway", hello.gateway());
  check.Name("hello.instance", hello.instance());
  check.OptionalName("hello.software_version", hello.software_version());
  if (hello.pairs_size() > 256) check.Fail("hello.pairs", "has more than 256 pairs");
  for (const std::string& pair : hello.pairs()) check.Name("hello.pairs", pair);
  return check.ToStatus();
}

}  // namespace

GatewayStream::GatewayStream(const ServiceContext& context, const grpc::CallbackServerContext& call,
                             GatewayStreams& streams, const GatewayControlOptions& options)
    : context_(context),
      call_(call),
      streams_(streams),
      options_(options),
      heard_(std::chrono::steady_clock::now()) {}

void GatewayStream::Begin() {
  if (!streams_.Add(this)) {
    End({grpc::StatusCode::RESOURCE_EXHAUSTED, "too many gateway streams are open"});
    return;
  }
  UnlessEnded([this] { StartRead(&incoming_); });
}

void GatewayStream::EndIfSilent(std::chrono::steady_clock::time_point now) {
  const bool greeted = session_.load(std::memory_order_acquire) != 0;
  const auto patience =
      greeted ? options_.report_interval * kMissedHeartbeats : options_.hello_timeout;
  const auto silent = now - heard_.load(std::memory_order_relaxed);
  if (silent < patience) return;
  // A client that does not read either never takes the message before the end.
  if (silent > 2 * patience) call_.TryCancel();
  End({grpc::StatusCode::DEADLINE_EXCEEDED,
       greeted ? "no heartbeat within four report intervals" : "no Hello in time"});
}

GatewayStream::Next GatewayStream::Fill(v1::ControllerMessage& message,
                                        std::optional<grpc::Status>& end) {
  const uint64_t session = session_.load(std::memory_order_acquire);
  if (session == 0) return Next::kNothing;
  if (!welcomed_) {
    welcomed_ = true;
    *message.mutable_welcome()->mutable_report_interval() =
        ToProto(std::chrono::nanoseconds(options_.report_interval));
    return Next::kMessage;
  }
  const SessionOrder order = context_.engine.fleet().NextOrder(gateway_, session);
  switch (order.kind) {
    case SessionOrder::Kind::kNothing:
      return Next::kNothing;
    case SessionOrder::Kind::kPush:
      *message.mutable_policy_set() = ToProto(*order.set);
      spdlog::info("gateway {}: generation {} pushed", gateway_, order.set->generation);
      return Next::kMessage;
    case SessionOrder::Kind::kReplaced:
      end = grpc::Status(grpc::StatusCode::ABORTED, "the gateway opened a newer session");
      return Next::kNothing;
    case SessionOrder::Kind::kRemoved:
      end = grpc::Status(grpc::StatusCode::NOT_FOUND,
                         "gateway '" + gateway_ + "' is no longer configured");
      return Next::kNothing;
  }
  return Next::kNothing;
}

void GatewayStream::OnReadDone(bool ok) {
  if (!ok) {
    End(grpc::Status::OK);
    return;
  }
  heard_.store(std::chrono::steady_clock::now(), std::memory_order_relaxed);
  const grpc::Status status = Handle(incoming_);
  if (!status.ok()) {
    spdlog::warn("gateway '{}': session ended: {}", gateway_, status.error_message());
    End(status);
    return;
  }
  UnlessEnded([this] { StartRead(&incoming_); });
}

grpc::Status GatewayStream::Handle(const v1::GatewayMessage& message) {
  const uint64_t session = session_.load(std::memory_order_relaxed);
  const bool hello = message.message_case() == v1::GatewayMessage::kHello;
  if (hello != (session == 0)) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            hello ? "Hello came twice" : "the first message of a session must be Hello"};
  }
  Fleet& fleet = context_.engine.fleet();
  switch (message.message_case()) {
    case v1::GatewayMessage::kHello:
      return OnHello(message.hello());
    case v1::GatewayMessage::kAck:
      fleet.OnAck(gateway_, session, message.ack().generation(),
                  message.ack().not_persisted().substr(0, kMaxCommentBytes));
      spdlog::info("gateway {}: enforces generation {}", gateway_, message.ack().generation());
      return grpc::Status::OK;
    case v1::GatewayMessage::kNack:
      fleet.OnNack(gateway_, session, message.nack().generation(),
                   FromProto(message.nack().faults()));
      spdlog::warn("gateway {}: refused generation {} with {} faults", gateway_,
                   message.nack().generation(), message.nack().faults_size());
      return grpc::Status::OK;
    case v1::GatewayMessage::kFlowReport:
      return OnFlowReport(message.flow_report());
    case v1::GatewayMessage::kHeartbeat:
      OnHeartbeat(message.heartbeat());
      return grpc::Status::OK;
    case v1::GatewayMessage::MESSAGE_NOT_SET:
      break;
  }
  return {grpc::StatusCode::INVALID_ARGUMENT, "a message of a kind this controller does not know"};
}

grpc::Status GatewayStream::OnHello(const v1::Hello& hello) {
  grpc::Status status = CheckHello(hello);
  if (!status.ok()) return status;
  status = context_.authenticator.CheckGateway(call_, hello.gateway());
  if (!status.ok()) return status;
  gateway_ = hello.gateway();
  const auto session =
      context_.engine.fleet().Connect({.gateway = hello.gateway(),
                                       .instance = hello.instance(),
                                       .software_version = hello.software_version(),
                                       .enforced_generation = hello.enforced_generation()},
                                      waker());
  if (!session.ok()) return ToGrpc(session.status());
  session_.store(*session, std::memory_order_release);
  spdlog::info("gateway {}: connected, enforces generation {}, software {}", gateway_,
               hello.enforced_generation(), hello.software_version());
  Pump();
  return grpc::Status::OK;
}

grpc::Status GatewayStream::OnFlowReport(const v1::FlowReport& report) {
  if (report.records_size() > kMaxRecords) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            "flow_report.records has " + std::to_string(report.records_size()) +
                " records; at most " + std::to_string(kMaxRecords) + " fit into a report"};
  }
  std::vector<FlowRecord> records;
  std::vector<InputFault> faults;
  for (int i = 0; i < report.records_size(); ++i) {
    auto record =
        FromProto(report.records(i), "flow_report.records[" + std::to_string(i) + "]", faults);
    if (record) records.push_back(*std::move(record));
  }
  if (!faults.empty()) {
    spdlog::warn("gateway {}: {} faults in a flow report, the first: {} {}", gateway_,
                 faults.size(), faults[0].place, faults[0].message);
  }
  context_.engine.RecordFlows(gateway_, std::move(records));
  context_.engine.fleet().OnEventsLost(gateway_, session_, report.lost_total());
  return grpc::Status::OK;
}

void GatewayStream::OnHeartbeat(const v1::Heartbeat& heartbeat) {
  context_.engine.fleet().OnVitals(gateway_, session_,
                                   {.enforced_generation = heartbeat.enforced_generation(),
                                    .flows = heartbeat.flows(),
                                    .flow_capacity = heartbeat.flow_capacity(),
                                    .unknown_devices = heartbeat.unknown_devices()});
}

void GatewayStream::OnOver() {
  streams_.Remove(this);
  const uint64_t session = session_.load(std::memory_order_acquire);
  if (session == 0) return;
  context_.engine.fleet().Disconnect(gateway_, session);
  spdlog::info("gateway {}: session over", gateway_);
}

bool GatewayStreams::Add(GatewayStream* stream) {
  std::lock_guard lock(mutex_);
  if (streams_.size() >= most_) return false;
  streams_.insert(stream);
  return true;
}

void GatewayStreams::Remove(GatewayStream* stream) {
  std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

void GatewayStreams::EndSilent(std::chrono::steady_clock::time_point now) {
  std::lock_guard lock(mutex_);
  for (GatewayStream* stream : streams_) stream->EndIfSilent(now);
}

}  // namespace cordon::cp

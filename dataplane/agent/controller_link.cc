// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/controller_link.h"

#include <google/protobuf/util/time_util.h>
#include <grpcpp/create_channel.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>
#include <utility>

namespace cordon::dp {
namespace {

using google::protobuf::util::TimeUtil;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr size_t kMaxOutbox = 256;
constexpr int kMaxPolicySetBytes = 256 * 1024 * 1024;

// A fresh channel for each attempt: the pauses between attempts are ours, not gRPC's.
std::shared_ptr<grpc::Channel> Dial(const LinkOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);  // bounds one connection attempt
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxReceiveMessageSize(kMaxPolicySetBytes);
  return grpc::CreateCustomChannel(options.address, options.credentials, arguments);
}

std::string_view Name(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::NOT_FOUND:
      return "controller does not know this gateway";
    case grpc::StatusCode::ALREADY_EXISTS:
      return "another gateway with this name has a session";
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return "controller does not accept this gateway's certificate";
    case grpc::StatusCode::UNAVAILABLE:
      return "controller cannot be reached";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return "controller did not answer Hello";
    default:
      return "session ended";
  }
}

// Between half of `pause` and all of it, so that a fleet does not dial in step.
milliseconds WithJitter(milliseconds pause) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<int64_t> share(pause.count() / 2, pause.count());
  return milliseconds(share(random));
}

}  // namespace

ControllerLink::ControllerLink(LinkOptions options, LinkCallbacks callbacks, AgentState& state)
    : options_(std::move(options)), callbacks_(std::move(callbacks)), state_(state) {}

ControllerLink::~ControllerLink() { Stop(); }

void ControllerLink::Start() {
  thread_ = std::thread([this] { Run(); });
}

void ControllerLink::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    if (session_ != nullptr) session_->context.TryCancel();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ControllerLink::Send(v1::GatewayMessage message) {
  {
    const std::lock_guard lock(mutex_);
    if (session_ == nullptr || session_->outbox.size() >= kMaxOutbox) return;
    session_->outbox.push_back(std::move(message));
  }
  changed_.notify_all();
}

void ControllerLink::Run() {
  milliseconds pause = options_.backoff_min;
  for (;;) {
    if (RunSession()) pause = options_.backoff_min;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
    Pause(WithJitter(pause));
    pause = std::min(pause * 2, options_.backoff_max);
  }
}

void ControllerLink::Pause(milliseconds pause) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, pause, [&] { return stop_; });
}

bool ControllerLink::RunSession() {
  const auto stub = v1::GatewayControl::NewStub(Dial(options_));
  Session session;
  {
    // Opened under the lock, so that Stop either prevents the session or can cancel it.
    const std::lock_guard lock(mutex_);
    if (stop_) return false;
    session.stream = stub->Connect(&session.context);
    session_ = &session;
  }
  v1::GatewayMessage hello;
  *hello.mutable_hello() = callbacks_.hello();
  if (session.stream->Write(hello)) {
    std::thread writer([&] { Write(session); });
    Read(session);
    {
      const std::lock_guard lock(mutex_);
      session.ended = true;
    }
    changed_.notify_all();
    writer.join();
  }
  const grpc::Status status = session.stream->Finish();
  {
    const std::lock_guard lock(mutex_);
    session_ = nullptr;
  }
  RecordEnd(status);
  return session.welcomed;
}

void ControllerLink::Read(Session& session) {
  v1::ControllerMessage message;
  while (session.stream->Read(&message)) {
    switch (message.message_case()) {
      case v1::ControllerMessage::kWelcome:
        OnWelcome(session, message.welcome());
        break;
      case v1::ControllerMessage::kPolicySet:
        callbacks_.on_push(std::move(*message.mutable_policy_set()));
        break;
      case v1::ControllerMessage::MESSAGE_NOT_SET:
        break;  // a newer controller's message: nothing this version could do
    }
  }
}

void ControllerLink::OnWelcome(Session& session, const v1::Welcome& welcome) {
  // A controller that names no sensible interval must not make the gateway flood it.
  const milliseconds asked(TimeUtil::DurationToMilliseconds(welcome.report_interval()));
  {
    const std::lock_guard lock(mutex_);
    session.welcomed = true;
    session.report_interval = std::clamp(asked, milliseconds(100), milliseconds(3'600'000));
  }
  changed_.notify_all();
  spdlog::info("session with controller {}", options_.address);
  state_.Update([](AgentSnapshot& s) {
    s.connected = true;
    s.session_since = std::chrono::system_clock::now();
    s.session_error.clear();
    s.alarms.erase("session");
    ++s.sessions;
  });
}

// Answers leave at once; after Welcome, heartbeat and reports each interval, the first at once.
void ControllerLink::Write(Session& session) {
  Clock::time_point next_report = Clock::now();
  const Clock::time_point welcome_deadline = Clock::now() + options_.welcome_timeout;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto wake_at = session.welcomed ? next_report : welcome_deadline;
    changed_.wait_until(lock, wake_at, [&] {
      return stop_ || session.ended || !session.outbox.empty() ||
             (session.welcomed && Clock::now() >= next_report);
    });
    if (stop_ || session.ended) return;
    bool sent = true;
    if (!session.outbox.empty()) {
      const v1::GatewayMessage message = std::move(session.outbox.front());
      session.outbox.pop_front();
      lock.unlock();
      sent = session.stream->Write(message);
      lock.lock();
    } else if (session.welcomed) {
      next_report = Clock::now() + session.report_interval;
      lock.unlock();
      sent = WriteReports(session);
      lock.lock();
    } else if (Clock::now() >= welcome_deadline) {
      session.context.TryCancel();
      return;
    }
    if (!sent) return;  // the reader sees the end of the stream too
  }
}

bool ControllerLink::WriteReports(Session& session) {
  v1::GatewayMessage beat;
  *beat.mutable_heartbeat() = callbacks_.heartbeat();
  if (!session.stream->Write(beat)) return false;
  v1::GatewayMessage report;
  while (callbacks_.take_report(*report.mutable_flow_report())) {
    if (!session.stream->Write(report)) {
      callbacks_.return_report(report.flow_report());
      return false;
    }
    report.Clear();
  }
  return true;
}

void ControllerLink::RecordEnd(const grpc::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return;
  }
  std::string sentence(Name(status.error_code()));
  if (!status.error_message().empty()) sentence += ": " + status.error_message();
  const bool refused = status.error_code() == grpc::StatusCode::NOT_FOUND ||
                       status.error_code() == grpc::StatusCode::ALREADY_EXISTS ||
                       status.error_code() == grpc::StatusCode::PERMISSION_DENIED ||
                       status.error_code() == grpc::StatusCode::UNAUTHENTICATED;
  bool changed = false;
  state_.Update([&](AgentSnapshot& s) {
    changed = s.connected || s.session_error != sentence;
    if (s.connected || !s.session_since) s.session_since = std::chrono::system_clock::now();
    s.connected = false;
    s.session_error = sentence;
    if (refused) s.alarms["session"] = sentence;
  });
  // Once for each new cause, not once for each attempt.
  if (changed) spdlog::warn("{}: {}", options_.address, sentence);
}

}  // namespace cordon::dp

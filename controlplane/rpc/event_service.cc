// SPDX-License-Identifier: Apache-2.0
#include <deque>

#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/request_check.h"
#include "controlplane/rpc/services.h"
#include "controlplane/rpc/stream.h"
#include "cordon/v1/policy_service.grpc.pb.h"

namespace cordon::cp {
namespace {

constexpr uint32_t kDefaultLast = 100;
constexpr uint32_t kMaxLast = 10'000;
constexpr size_t kRecordsPerMessage = 500;

using EventStream =
    PullStream<grpc::ServerWriteReactor<v1::WatchEventsResponse>, v1::WatchEventsResponse>;

void AddRecords(const std::vector<FlowRecordPtr>& records, v1::WatchEventsResponse& response) {
  for (const FlowRecordPtr& record : records) ToProto(*record, *response.add_records());
}

// Remembered records, then the end.
class Remembered final : public EventStream {
 public:
  explicit Remembered(const std::vector<FlowRecordPtr>& records)
      : records_(records.begin(), records.end()) {}

 private:
  Next Fill(v1::WatchEventsResponse& message, std::optional<grpc::Status>& end) override {
    const size_t count = std::min(records_.size(), kRecordsPerMessage);
    AddRecords({records_.begin(), records_.begin() + static_cast<ptrdiff_t>(count)}, message);
    records_.erase(records_.begin(), records_.begin() + static_cast<ptrdiff_t>(count));
    if (records_.empty()) end = grpc::Status::OK;
    return count > 0 ? Next::kMessage : Next::kNothing;
  }

  std::deque<FlowRecordPtr> records_;
};

// Remembered records, then what happens, until the client goes.
class Following final : public EventStream {
 public:
  Following(EventLog& log, const EventFilter& filter, size_t last)
      : subscription_(log.Subscribe(filter, last, waker())) {}

 private:
  Next Fill(v1::WatchEventsResponse& message, std::optional<grpc::Status>& end) override {
    if (!subscription_) {
      end = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                         "too many clients follow events already: end some of them");
      return Next::kNothing;
    }
    const EventSubscription::Batch batch = subscription_->Take(kRecordsPerMessage);
    if (batch.empty()) return Next::kNothing;
    AddRecords(batch.records, message);
    message.set_lost(batch.lost);
    return Next::kMessage;
  }

  const std::shared_ptr<EventSubscription> subscription_;
};

class Refused final : public EventStream {
 public:
  explicit Refused(grpc::Status status) : status_(std::move(status)) {}

 private:
  Next Fill(v1::WatchEventsResponse&, std::optional<grpc::Status>& end) override {
    end = status_;
    return Next::kNothing;
  }

  const grpc::Status status_;
};

class EventService final : public v1::EventService::CallbackService {
 public:
  explicit EventService(const ServiceContext& context) : context_(context) {}

  grpc::ServerWriteReactor<v1::WatchEventsResponse>* WatchEvents(
      grpc::CallbackServerContext* call, const v1::WatchEventsRequest* request) override {
    EventStream* stream = Open(*call, *request);
    stream->Pump();
    return stream;
  }

 private:
  EventStream* Open(const grpc::CallbackServerContext& call,
                    const v1::WatchEventsRequest& request) {
    Caller caller;
    grpc::Status status = context_.authenticator.CheckAdministrator(call, caller);
    if (!status.ok()) return new Refused(std::move(status));
    RequestCheck check;
    check.OptionalName("device", request.device());
    check.OptionalName("gateway", request.gateway());
    check.AtMost("last", request.last(), kMaxLast);
    if (!check.ok()) return new Refused(check.ToStatus());
    const EventFilter filter{.device = request.device(), .gateway = request.gateway()};
    const size_t last = request.last() == 0 ? kDefaultLast : request.last();
    EventLog& log = context_.engine.events();
    if (request.follow()) return new Following(log, filter, last);
    return new Remembered(log.Remembered(filter, last));
  }

  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEventService(const ServiceContext& context) {
  return std::make_unique<EventService>(context);
}

}  // namespace cordon::cp

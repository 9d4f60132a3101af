// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/flow_query.h"

#include <algorithm>
#include <map>
#include <memory>
#include <thread>

#include "dataplane/agent/flow_record.h"

namespace cordon::dp {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kDefaultLimit = 1000, kMostFlows = 1'000'000;
constexpr int kFlowsAMessage = 500;

// One question while it is answered.
class Asking {
 public:
  Asking(const GatewayRuntime& runtime, const v1::ListFlowsRequest& request,
         const FlowQuery::Write& write)
      : runtime_(runtime),
        request_(request),
        write_(write),
        limit_(request.limit() == 0 ? kDefaultLimit : std::min(request.limit(), kMostFlows)),
        older_than_ns_(static_cast<uint64_t>(std::max<int64_t>(request.older_than().seconds(), 0)) *
                           1'000'000'000 +
                       static_cast<uint64_t>(std::max(request.older_than().nanos(), 0))) {
    names_.pairs = &runtime.pairs;
  }

  // False: the rest is not wanted.
  bool Add(const FlowEvent& event) {
    names_.table = TableOf(event.stamp);
    names_.gateway_ns = runtime_.now_ns();
    names_.wall = std::chrono::system_clock::now();
    if (!Fits(event)) return true;
    if (sent_ == limit_) {
      response_.set_truncated(true);
      return false;
    }
    ++sent_;
    *response_.add_flows() = ToRecord(event, names_);
    return response_.flows_size() < kFlowsAMessage || Send();
  }
  bool Send() {
    listens_ = listens_ && write_(response_);
    response_.Clear();
    return listens_;
  }
  // The last message goes out even if it is empty: it ends the answer.
  bool Finish() { return Send(); }

 private:
  // Held while the question lasts, so that every stamp seen has its names.
  const PolicyTable* TableOf(uint32_t stamp) {
    const auto [table, is_new] = tables_.try_emplace(stamp);
    if (is_new) table->second = runtime_.slot->FindByStamp(stamp);
    return table->second.get();
  }
  bool Fits(const FlowEvent& event) const {
    const PolicyTable* table = names_.table;
    if (older_than_ns_ != 0 && (names_.gateway_ns < event.first_seen_ns ||
                                names_.gateway_ns - event.first_seen_ns < older_than_ns_)) {
      return false;
    }
    const bool by_name =
        !request_.device().empty() || !request_.rule().empty() || request_.generation() != 0;
    if (!by_name) return true;
    if (table == nullptr) return false;
    return (request_.device().empty() || table->DeviceName(event.device) == request_.device()) &&
           (request_.rule().empty() || table->RuleOrigin(event.rule) == request_.rule()) &&
           (request_.generation() == 0 || table->generation() == request_.generation());
  }

  const GatewayRuntime& runtime_;
  const v1::ListFlowsRequest& request_;
  const FlowQuery::Write& write_;
  const uint32_t limit_;
  const uint64_t older_than_ns_;
  uint32_t sent_ = 0;
  bool listens_ = true;
  EventNames names_;
  std::map<uint32_t, std::shared_ptr<const PolicyTable>> tables_;
  v1::ListFlowsResponse response_;
};

}  // namespace

FlowQuery::Outcome FlowQuery::Run(const v1::ListFlowsRequest& request, const Write& write,
                                  std::chrono::milliseconds patience) {
  const std::unique_lock asking_lock(asking_, std::try_to_lock);
  if (!asking_lock.owns_lock()) return Outcome::kBusy;
  Asking asking(runtime_, request, write);
  for (const WorkerInfo& worker : runtime_.workers) {
    if (worker.flow_mailbox == nullptr) continue;
    FlowMailbox& mailbox = *worker.flow_mailbox;
    mailbox.Ask();
    Clock::time_point moved = Clock::now();
    FlowEvent event;
    while (!mailbox.done()) {
      if (mailbox.Take(event)) {
        moved = Clock::now();
        if (asking.Add(event)) continue;
        mailbox.Cancel();
        return asking.Finish() ? Outcome::kDone : Outcome::kNobodyListens;
      }
      if (Clock::now() - moved > patience) {
        mailbox.Cancel();
        return Outcome::kWorkerSilent;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
  return asking.Finish() ? Outcome::kDone : Outcome::kNobodyListens;
}

}  // namespace cordon::dp

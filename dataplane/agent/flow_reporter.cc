// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/flow_reporter.h"

#include <utility>

namespace cordon::dp {

void EventWatch::Push(const v1::FlowRecord& record) {
  if (!device_.empty() && record.device() != device_) return;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= capacity_) {
      ++missed_;
      return;
    }
    queue_.push_back(record);
  }
  filled_.notify_one();
}

uint64_t EventWatch::Wait(std::chrono::milliseconds at_most, std::vector<v1::FlowRecord>& records) {
  std::unique_lock lock(mutex_);
  filled_.wait_for(lock, at_most, [&] { return !queue_.empty(); });
  records.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
  queue_.clear();
  return std::exchange(missed_, 0);
}

FlowReporter::FlowReporter(const GatewayRuntime& runtime, const ReporterOptions& options)
    : runtime_(runtime), options_(options), backlog_(options.backlog) {}

FlowReporter::~FlowReporter() { Stop(); }

void FlowReporter::Start() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stop_) {
      lock.unlock();
      Drain();
      lock.lock();
      wake_.wait_for(lock, options_.drain_interval, [&] { return stop_; });
    }
  });
}

void FlowReporter::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

EventNames FlowReporter::NamesNow() const {
  EventNames names;
  names.pairs = &runtime_.pairs;
  names.wall = std::chrono::system_clock::now();
  names.gateway_ns = runtime_.now_ns();
  return names;
}

void FlowReporter::Drain() {
  constexpr size_t kMostPerRing = 65'536;  // a flood must not keep this thread from its other duty
  RecordMap live(options_.watch_queue);
  EventNames names = NamesNow();
  std::shared_ptr<const PolicyTable> table;
  uint32_t table_stamp = 0;
  for (const WorkerInfo& worker : runtime_.workers) {
    FlowEvent event;
    for (size_t i = 0; i < kMostPerRing && worker.events->Pop(event); ++i) {
      if (!table || table_stamp != event.stamp) {
        table = runtime_.slot->FindByStamp(event.stamp);
        table_stamp = event.stamp;
        names.table = table.get();
      }
      Count(event);
      if (event.kind == EventKind::kRefused || event.kind == EventKind::kAudited) {
        live.Add(event, names);
      }
      const std::lock_guard lock(mutex_);
      backlog_.Add(event, names);
    }
  }
  if (live.size() > 0) Deliver(live);
}

// A new policy may have given a MAC an owner, so the count begins again with each.
void FlowReporter::Count(const FlowEvent& event) {
  const bool unknown =
      event.reason == Reason::kUnknownDevice || event.device == kUnknownDeviceIndex;
  if (!unknown || event.side != Side::kDevice) return;
  if (event.stamp != unknown_stamp_) {
    unknown_stamp_ = event.stamp;
    unknown_macs_.clear();
  }
  if (unknown_macs_.size() < options_.unknown_devices) unknown_macs_.insert(event.device_mac.value);
  unknown_devices_.store(unknown_macs_.size(), std::memory_order_relaxed);
}

void FlowReporter::Deliver(RecordMap& live) {
  google::protobuf::RepeatedPtrField<v1::FlowRecord> records;
  live.Take(live.size(), records);
  const std::lock_guard lock(mutex_);
  for (auto watch = watches_.begin(); watch != watches_.end();) {
    const auto open = watch->lock();
    if (!open) {
      watch = watches_.erase(watch);
      continue;
    }
    for (const v1::FlowRecord& record : records) open->Push(record);
    ++watch;
  }
}

bool FlowReporter::Take(v1::FlowReport& report) {
  const uint64_t lost_total = lost();
  const std::lock_guard lock(mutex_);
  backlog_.Take(options_.records_per_report, *report.mutable_records());
  report.set_lost_total(lost_total);
  return !report.records().empty();
}

void FlowReporter::Return(const v1::FlowReport& report) {
  const std::lock_guard lock(mutex_);
  for (int i = report.records_size() - 1; i >= 0; --i) backlog_.Return(report.records(i));
}

std::shared_ptr<EventWatch> FlowReporter::Watch(const std::string& device) {
  auto watch = std::make_shared<EventWatch>(device, options_.watch_queue);
  const std::lock_guard lock(mutex_);
  watches_.remove_if([](const auto& gone) { return gone.expired(); });
  watches_.push_back(watch);
  return watch;
}

uint64_t FlowReporter::lost() const {
  uint64_t lost = 0;
  for (const WorkerInfo& worker : runtime_.workers) lost += worker.counters->events_lost.Get();
  const std::lock_guard lock(mutex_);
  return lost + backlog_.lost();
}

}  // namespace cordon::dp

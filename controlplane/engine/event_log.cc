// SPDX-License-Identifier: Apache-2.0
#include "controlplane/engine/event_log.h"

#include <algorithm>
#include <utility>

namespace cordon::cp {

EventSubscription::Batch EventSubscription::Take(size_t at_most) {
  std::lock_guard lock(mutex_);
  Batch batch;
  const size_t count = std::min(at_most, queue_.size());
  batch.records.assign(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(count));
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(count));
  batch.lost = std::exchange(lost_, 0);
  return batch;
}

bool EventSubscription::Push(const FlowRecordPtr& record) {
  std::lock_guard lock(mutex_);
  const bool full = queue_.size() >= limit_;
  if (full) {
    queue_.pop_front();
    ++lost_;
  }
  queue_.push_back(record);
  return full;
}

void EventLog::Append(std::vector<FlowRecord> records) {
  if (records.empty()) return;
  std::vector<FlowRecordPtr> fresh;
  fresh.reserve(records.size());
  for (FlowRecord& record : records) {
    fresh.push_back(std::make_shared<const FlowRecord>(std::move(record)));
  }
  std::vector<std::shared_ptr<EventSubscription>> woken;
  {
    std::lock_guard lock(mutex_);
    remembered_.insert(remembered_.end(), fresh.begin(), fresh.end());
    while (remembered_.size() > options_.remembered) remembered_.pop_front();
    std::erase_if(subscribers_, [](const auto& weak) { return weak.expired(); });
    for (const auto& weak : subscribers_) {
      const auto subscriber = weak.lock();
      if (!subscriber) continue;
      bool matched = false;
      for (const FlowRecordPtr& record : fresh) {
        if (!subscriber->filter_.Matches(*record)) continue;
        matched = true;
        if (subscriber->Push(record)) ++dropped_;
      }
      if (matched) woken.push_back(subscriber);
    }
  }
  for (const auto& subscriber : woken) subscriber->waker_->Wake();
}

std::vector<FlowRecordPtr> EventLog::RememberedLocked(const EventFilter& filter,
                                                      size_t last) const {
  std::vector<FlowRecordPtr> found;
  for (auto record = remembered_.rbegin(); record != remembered_.rend() && found.size() < last;
       ++record) {
    if (filter.Matches(**record)) found.push_back(*record);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

std::vector<FlowRecordPtr> EventLog::Remembered(const EventFilter& filter, size_t last) const {
  std::lock_guard lock(mutex_);
  return RememberedLocked(filter, last);
}

std::shared_ptr<EventSubscription> EventLog::Subscribe(const EventFilter& filter, size_t last,
                                                       std::shared_ptr<Waker> waker) {
  std::lock_guard lock(mutex_);
  std::erase_if(subscribers_, [](const auto& weak) { return weak.expired(); });
  if (subscribers_.size() >= options_.readers) return nullptr;
  std::shared_ptr<EventSubscription> subscription(
      new EventSubscription(filter, last + options_.queue, std::move(waker)));
  for (const FlowRecordPtr& record : RememberedLocked(filter, last)) subscription->Push(record);
  subscribers_.push_back(subscription);
  return subscription;
}

uint64_t EventLog::dropped() const {
  std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace cordon::cp

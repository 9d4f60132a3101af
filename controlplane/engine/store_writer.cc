// SPDX-License-Identifier: Apache-2.0
#include "controlplane/engine/store_writer.h"

#include <iterator>
#include <utility>

#include "spdlog/spdlog.h"

namespace cordon::cp {

StoreWriter::StoreWriter(Store& store, size_t max_observations)
    : store_(store), max_observations_(max_observations), thread_([this] { Run(); }) {}

StoreWriter::~StoreWriter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  thread_.join();
}

void StoreWriter::Save(const GatewayRecord& record) {
  std::lock_guard lock(mutex_);
  gateways_[record.gateway] = record;
  work_.notify_one();
}

void StoreWriter::Add(std::vector<Observation> observations) {
  if (observations.empty()) return;
  std::lock_guard lock(mutex_);
  const size_t room = max_observations_ - std::min(max_observations_, observations_.size());
  if (observations.size() > room) {
    dropped_.fetch_add(observations.size() - room, std::memory_order_relaxed);
    observations.resize(room);
  }
  std::move(observations.begin(), observations.end(), std::back_inserter(observations_));
  work_.notify_one();
}

void StoreWriter::Flush() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return gateways_.empty() && observations_.empty() && !busy_; });
}

void StoreWriter::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stopping_ || !gateways_.empty() || !observations_.empty(); });
    if (gateways_.empty() && observations_.empty()) return;
    const auto gateways = std::exchange(gateways_, {});
    const auto observations = std::exchange(observations_, {});
    busy_ = true;
    lock.unlock();
    for (const auto& [name, record] : gateways) Report(store_.SaveGateway(record));
    if (!observations.empty()) Report(store_.AddObservations(observations));
    lock.lock();
    busy_ = false;
    idle_.notify_all();
  }
}

void StoreWriter::Report(const absl::Status& status) {
  if (!status.ok()) {
    errors_.fetch_add(1, std::memory_order_relaxed);
    if (!failing_) spdlog::error("cannot write to the store: {}", status.ToString());
  } else if (failing_) {
    spdlog::info("the store can be written again");
  }
  failing_ = !status.ok();
}

}  // namespace cordon::cp

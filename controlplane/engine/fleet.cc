// SPDX-License-Identifier: Apache-2.0
#include "controlplane/engine/fleet.h"

#include <algorithm>
#include <utility>

namespace cordon::cp {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

// A session that only exists to tell a GatewaySession what an earlier run of the controller knew.
constexpr char kEarlierRun[] = "earlier run of the controller";

}  // namespace

void LatencyHistogram::Observe(double seconds) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts[static_cast<size_t>(bound - kBounds.begin())];
  sum += seconds;
  ++count;
}

void Fleet::Restore(const GatewayRecord& record) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[record.gateway];
  entry.status.gateway = record.gateway;
  entry.status.since = record.last_seen;
  entry.status.software_version = record.software_version;
  entry.session.SetIntended(record.intended_generation, steady_clock::now());
  if (record.last_seen == system_clock::time_point{}) return;
  entry.session.Connect(kEarlierRun, record.enforced_generation, steady_clock::now());
  entry.session.Disconnect(kEarlierRun, steady_clock::now());
}

void Fleet::Configure(const std::map<std::string, std::shared_ptr<const PolicySet>>& sets) {
  std::vector<std::shared_ptr<Waker>> wakers;
  {
    std::lock_guard lock(mutex_);
    for (auto& [name, entry] : entries_) {
      if (entry.configured && !sets.contains(name)) {
        entry.configured = false;
        entry.set = nullptr;
        if (entry.waker) wakers.push_back(entry.waker);
      }
    }
    for (const auto& [name, set] : sets) {
      Entry& entry = entries_[name];
      entry.status.gateway = name;
      entry.configured = true;
      if (entry.set == set) continue;
      entry.set = set;
      if (set) entry.session.SetIntended(set->generation, steady_clock::now());
      SaveLocked(entry);
      if (entry.waker) wakers.push_back(entry.waker);
    }
  }
  for (const auto& waker : wakers) waker->Wake();
  NotifyListeners();
}

absl::StatusOr<uint64_t> Fleet::Connect(const GatewayHello& hello, std::shared_ptr<Waker> waker) {
  std::shared_ptr<Waker> replaced;
  uint64_t number = 0;
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(hello.gateway);
    if (found == entries_.end() || !found->second.configured) {
      return absl::NotFoundError("no gateway '" + hello.gateway +
                                 "' is configured: apply a Gateway document with that name");
    }
    Entry& entry = found->second;
    if (!entry.session.Connect(hello.instance, hello.enforced_generation, steady_clock::now())) {
      return absl::AlreadyExistsError(
          "gateway '" + hello.gateway + "' already has a live session from another instance (" +
          entry.session.instance() + "): two gateways must not share a name");
    }
    replaced = std::exchange(entry.waker, std::move(waker));
    number = entry.session_number = next_session_++;
    entry.status.since = system_clock::now();
    entry.status.software_version = hello.software_version;
    entry.status.vitals = {.enforced_generation = hello.enforced_generation};
    entry.status.contradicts_ack = false;
    entry.status.events_lost = 0;
    SaveLocked(entry);
  }
  if (replaced) replaced->Wake();
  NotifyListeners();
  return number;
}

void Fleet::Disconnect(const std::string& gateway, uint64_t session) {
  {
    std::lock_guard lock(mutex_);
    Entry* entry = Present(gateway, session);
    if (entry == nullptr) return;
    entry->session.Disconnect(entry->session.instance(), steady_clock::now());
    entry->session_number = 0;
    entry->waker = nullptr;
    entry->status.since = system_clock::now();
    entry->status.vitals = {};
    entry->status.contradicts_ack = false;
    SaveLocked(*entry);
  }
  NotifyListeners();
}

SessionOrder Fleet::NextOrder(const std::string& gateway, uint64_t session) {
  std::lock_guard lock(mutex_);
  Entry* entry = Present(gateway, session);
  if (entry == nullptr) return {.kind = SessionOrder::Kind::kReplaced, .set = nullptr};
  if (!entry->configured) return {.kind = SessionOrder::Kind::kRemoved, .set = nullptr};
  if (!entry->set || entry->session.View().intended != entry->set->generation) return {};
  if (!entry->session.NextPush(steady_clock::now())) return {};
  return {.kind = SessionOrder::Kind::kPush, .set = entry->set};
}

void Fleet::OnAck(const std::string& gateway, uint64_t session, uint64_t generation,
                  const std::string& not_persisted) {
  std::shared_ptr<Waker> waker;
  {
    std::lock_guard lock(mutex_);
    Entry* entry = Present(gateway, session);
    if (entry == nullptr) return;
    const std::string note =
        not_persisted.empty() ? "" : "enforced but not persisted: " + not_persisted;
    const auto took = entry->session.OnAck(generation, note, steady_clock::now());
    if (took) {
      ack_latency_.Observe(std::chrono::duration<double>(*took).count());
      entry->status.answered = system_clock::now();
    }
    SaveLocked(*entry);
    waker = entry->waker;
  }
  waker->Wake();  // a newer generation may have waited for this answer
  NotifyListeners();
}

void Fleet::OnNack(const std::string& gateway, uint64_t session, uint64_t generation,
                   std::vector<InputFault> faults) {
  std::shared_ptr<Waker> waker;
  {
    std::lock_guard lock(mutex_);
    Entry* entry = Present(gateway, session);
    if (entry == nullptr) return;
    const auto took = entry->session.OnNack(generation, std::move(faults), steady_clock::now());
    if (took) {
      ack_latency_.Observe(std::chrono::duration<double>(*took).count());
      entry->status.answered = system_clock::now();
    }
    waker = entry->waker;
  }
  waker->Wake();
  NotifyListeners();
}

void Fleet::OnVitals(const std::string& gateway, uint64_t session, const GatewayVitals& vitals) {
  std::lock_guard lock(mutex_);
  Entry* entry = Present(gateway, session);
  if (entry == nullptr) return;
  entry->status.vitals = vitals;
  // A heartbeat may run ahead of the ACK of the same generation, but never behind an earlier ACK.
  entry->status.contradicts_ack = vitals.enforced_generation < entry->session.View().enforced;
}

void Fleet::OnEventsLost(const std::string& gateway, uint64_t session, uint64_t lost_total) {
  std::lock_guard lock(mutex_);
  if (Entry* entry = Present(gateway, session)) entry->status.events_lost = lost_total;
}

std::optional<GatewayStatus> Fleet::Find(const std::string& gateway) const {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(gateway);
  if (found == entries_.end() || !found->second.configured) return std::nullopt;
  return StatusLocked(found->second);
}

std::vector<GatewayStatus> Fleet::List() const {
  std::lock_guard lock(mutex_);
  std::vector<GatewayStatus> all;
  for (const auto& [name, entry] : entries_) {
    if (entry.configured) all.push_back(StatusLocked(entry));
  }
  return all;
}

uint64_t Fleet::GreatestEnforced() const {
  std::lock_guard lock(mutex_);
  uint64_t greatest = 0;
  for (const auto& [name, entry] : entries_) {
    greatest = std::max(greatest, entry.session.View().enforced);
  }
  return greatest;
}

LatencyHistogram Fleet::ack_latency() const {
  std::lock_guard lock(mutex_);
  return ack_latency_;
}

bool Fleet::AddListener(const std::shared_ptr<Waker>& listener) {
  std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [](const auto& weak) { return weak.expired(); });
  if (listeners_.size() >= kMaxListeners) return false;
  listeners_.push_back(listener);
  return true;
}

Fleet::Entry* Fleet::Present(const std::string& gateway, uint64_t session) {
  const auto found = entries_.find(gateway);
  if (found == entries_.end() || session == 0) return nullptr;
  return found->second.session_number == session ? &found->second : nullptr;
}

GatewayStatus Fleet::StatusLocked(const Entry& entry) const {
  GatewayStatus status = entry.status;
  status.view = entry.session.View();
  status.connected = entry.session_number != 0;
  status.foreign = status.view.enforced > status.view.intended;
  if (status.foreign) {
    if (status.connected) status.view.state = GatewayState::kRefused;
    status.view.faults.push_back(
        {"gateway " + status.gateway,
         "enforces generation " + std::to_string(status.view.enforced) +
             ", but the newest this controller has for it is " +
             std::to_string(status.view.intended) +
             ": the controller's database was restored or replaced. The gateway keeps what it "
             "has; review the configuration and apply it, the new generation gets a greater "
             "number"});
  }
  if (status.contradicts_ack) {
    if (status.connected) status.view.state = GatewayState::kRefused;
    status.view.faults.push_back(
        {"gateway " + status.gateway,
         "acknowledged generation " + std::to_string(status.view.enforced) +
             ", but its heartbeat says its workers decide under " +
             std::to_string(status.vitals.enforced_generation) + ": restart the gateway"});
  }
  return status;
}

void Fleet::SaveLocked(const Entry& entry) {
  const GatewayView view = entry.session.View();
  save_({.gateway = entry.status.gateway,
         .intended_generation = view.intended,
         .enforced_generation = view.enforced,
         .last_seen = entry.session_number != 0 ? system_clock::now() : entry.status.since,
         .software_version = entry.status.software_version});
}

void Fleet::NotifyListeners() {
  std::vector<std::shared_ptr<Waker>> listeners;
  {
    std::lock_guard lock(mutex_);
    for (const auto& weak : listeners_) {
      if (auto listener = weak.lock()) listeners.push_back(std::move(listener));
    }
  }
  for (const auto& listener : listeners) listener->Wake();
}

}  // namespace cordon::cp

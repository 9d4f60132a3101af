// SPDX-License-Identifier: Apache-2.0
// Where the agent stands, shared between its threads: the enforcer and the link write, status
// service, metrics and health read copies.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/policy/table.h"

namespace cordon::dp {

enum class PolicySource { kNone, kController, kStored, kPrevious };
std::string_view ToString(PolicySource source);  // "none", "controller", "stored", "previous"

struct AgentSnapshot {
  std::chrono::system_clock::time_point started;

  // The policy that every worker decides under; generation 0: none.
  uint64_t generation = 0;
  std::optional<std::chrono::system_clock::time_point> received;
  PolicySource source = PolicySource::kNone;
  uint64_t devices = 0;
  uint64_t rulesets = 0;
  std::chrono::nanoseconds took{0};  // from its arrival until every worker used it

  // Pushes by outcome.
  uint64_t pushes_enforced = 0;
  uint64_t pushes_refused = 0;
  uint64_t pushes_not_persisted = 0;
  uint64_t refused_generation = 0;
  std::vector<Fault> refused_faults;

  std::optional<std::chrono::system_clock::time_point> certificate_expiry;

  // Session with the controller.
  bool connected = false;
  std::optional<std::chrono::system_clock::time_point> session_since;
  std::string session_error;
  uint64_t sessions = 0;  // welcomed since start

  // Sentences for an administrator, by what they are about; an alarm is lifted by erasing it.
  std::map<std::string, std::string> alarms;
};

class AgentState {
 public:
  AgentSnapshot Snapshot() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  template <typename F>
  void Update(F&& change) {
    const std::lock_guard lock(mutex_);
    std::forward<F>(change)(state_);
  }
  // Raises the alarm about `what`, or lifts it.
  void Raise(const std::string& what, std::string sentence) {
    Update([&](AgentSnapshot& s) { s.alarms[what] = std::move(sentence); });
  }
  void Lift(const std::string& what) {
    Update([&](AgentSnapshot& s) { s.alarms.erase(what); });
  }

 private:
  mutable std::mutex mutex_;
  AgentSnapshot state_;
};

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// From a pushed policy set to every worker deciding under it: convert, compile, publish, wait,
// store, answer. One thread; of pushes that arrive meanwhile only the newest is kept.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cordon/v1/gateway_control.pb.h"
#include "dataplane/agent/agent_state.h"
#include "dataplane/agent/hit_ledger.h"
#include "dataplane/agent/policy_store.h"
#include "dataplane/agent/runtime.h"

namespace cordon::dp {

struct EnforcerOptions {
  std::filesystem::path state_directory;
  PolicyLimits limits;
  std::chrono::milliseconds enforce_timeout{5000};
  // The clock by which rules expire: Unix seconds. Tests move it.
  std::function<int64_t()> unix_seconds = {};  // empty: the system's
};

class PolicyEnforcer {
 public:
  // Takes an Ack or a Nack. Called on the enforcer's thread.
  using Answer = std::function<void(v1::GatewayMessage)>;

  // `runtime` and `state` must outlive it.
  PolicyEnforcer(const GatewayRuntime& runtime, const EnforcerOptions& options, AgentState& state,
                 Answer answer);
  // The rules in force and their use. Any thread.
  std::vector<RuleUseRecord> Rules() const { return hits_.Rules(); }
  ~PolicyEnforcer();  // Stop

  // See GatewayAgent::PublishStored. Before Start.
  std::vector<std::string> PublishStored();
  void Start();
  void Stop();
  // A push has arrived. Replaces one that still waits. Any thread.
  void Offer(v1::PolicySet set);

 private:
  using Clock = std::chrono::steady_clock;
  struct Push {
    v1::PolicySet set;
    Clock::time_point arrived;
    std::chrono::system_clock::time_point received;
  };
  // A table that was published; `confirmed` once every worker decides under it.
  struct Published {
    uint64_t generation = 0;
    uint32_t stamp = 0;
    PolicySource source = PolicySource::kNone;
    StoredPolicy stored;
    Clock::time_point arrived;
    bool confirmed = false;
    bool persisted = false;
    bool answer_owed = false;  // it was pushed, and Confirm is to acknowledge it
    // Unix seconds at which the table must be compiled again because a rule of it expires.
    std::optional<int64_t> next_expiry;
  };

  void Run();
  void Handle(Push push);
  void HandleSameGeneration(const Push& push, const std::string& payload);
  void PublishTable(std::unique_ptr<PolicyTable> table, Published published);
  // Waits for every worker, then confirms; otherwise reports the workers that do not follow.
  void AwaitWorkers();
  CompileResult CompileNow(const PolicySpec& spec);
  int64_t UnixSeconds() const;
  // Publishes the same generation again, without the rules that have expired.
  void ExpireRules();
  void KeepHits();
  void Confirm();
  void Persist();
  void SendAck(Clock::time_point since);
  void Refuse(uint64_t generation, const std::vector<Fault>& faults);
  std::string StalledWorkers(const std::vector<uint64_t>& polls_before) const;
  std::vector<uint64_t> Polls() const;

  const GatewayRuntime& runtime_;
  const EnforcerOptions options_;
  AgentState& state_;
  const Answer answer_;
  PolicyStore store_;
  Published published_;  // enforcer thread, or before Start
  DeviceSlots slots_;    // likewise
  HitLedger hits_;
  bool hits_in_trouble_ = false;  // enforcer thread

  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Push> pending_;  // guarded by mutex_
  bool stop_ = false;            // guarded by mutex_
  std::thread thread_;
};

}  // namespace cordon::dp

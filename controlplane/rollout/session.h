// SPDX-License-Identifier: Apache-2.0
// One gateway's session as a state machine, free of gRPC and clocks: what to push, what an answer
// means, what the rest of the fleet sees of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/inventory/device.h"

namespace cordon::cp {

using SteadyTime = std::chrono::steady_clock::time_point;

enum class GatewayState { kNeverSeen, kDisconnected, kPending, kRefused, kEnforcing };

struct GatewayView {
  GatewayState state = GatewayState::kNeverSeen;
  uint64_t intended = 0;
  // Greater than `intended` if the gateway was given it by a controller whose database is gone
  // (restored from a backup, replaced). It keeps what it has: state is kRefused while connected,
  // and the next generation must be greater than this one to reach it.
  uint64_t enforced = 0;
  std::vector<InputFault> faults;  // of the last refusal, if it is of the intended generation
  std::string note;                // "enforced but not persisted: ..."
};

// Not thread-safe. Answers of the gateway are not trusted: one that nobody waits for changes
// nothing.
class GatewaySession {
 public:
  // A gateway can claim to enforce a generation that this controller never made; the next one must
  // then be greater. A claim further ahead than this is taken for this much, so that a gateway that
  // lies cannot use up the numbers.
  static constexpr uint64_t kMaxLead = 1'000'000'000;
  static constexpr size_t kMaxFaults = 1000;  // of a refusal; the rest is only counted

  // A new generation is to be enforced by this gateway. Only ever grows; a smaller one is ignored.
  void SetIntended(uint64_t generation, SteadyTime now);
  // The gateway said Hello with what it enforces. False if another live instance holds the session.
  // The same instance replaces its own stale session. A generation that was refused before is
  // offered again: the new process may be able to take it.
  bool Connect(const std::string& instance, uint64_t enforced, SteadyTime now);
  void Disconnect(const std::string& instance, SteadyTime now);
  // The generation that must be sent now, if any; afterwards it counts as in flight. Pushes are
  // coalesced: while one is in flight the next waits, and then only the newest is sent. Never one
  // that is older than what the gateway enforces, and never again one that it refused.
  std::optional<uint64_t> NextPush(SteadyTime now);
  // Returns how long it took from push to answer; nullopt for an answer nobody waits for.
  std::optional<std::chrono::nanoseconds> OnAck(uint64_t generation, const std::string& note,
                                                SteadyTime now);
  std::optional<std::chrono::nanoseconds> OnNack(uint64_t generation,
                                                 std::vector<InputFault> faults, SteadyTime now);
  bool connected() const { return connected_; }
  const std::string& instance() const { return instance_; }
  GatewayView View() const;

 private:
  GatewayState State() const;
  // Takes the push off the wire if this answers it.
  std::optional<std::chrono::nanoseconds> Answered(uint64_t generation, SteadyTime now);

  bool connected_ = false, ever_seen_ = false;
  std::string instance_;
  uint64_t intended_ = 0, enforced_ = 0;
  uint64_t in_flight_ = 0, refused_ = 0;  // 0: none
  SteadyTime pushed_at_{};
  std::vector<InputFault> faults_;
  std::string note_;
};

}  // namespace cordon::cp

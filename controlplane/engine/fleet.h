// SPDX-License-Identifier: Apache-2.0
// All gateways: who is connected, what each shall enforce and what it says it enforces.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controlplane/engine/waker.h"
#include "controlplane/policy/assemble.h"
#include "controlplane/rollout/session.h"
#include "controlplane/store/store.h"

namespace cordon::cp {

// What a gateway says of itself when it connects.
struct GatewayHello {
  std::string gateway;
  std::string instance;
  std::string software_version;
  uint64_t enforced_generation = 0;
};

struct GatewayVitals {
  uint64_t enforced_generation = 0;
  uint64_t flows = 0;
  uint64_t flow_capacity = 0;
  uint64_t unknown_devices = 0;
};

// Where one gateway stands.
struct GatewayStatus {
  std::string gateway;
  GatewayView view;
  bool connected = false;
  // It enforces a generation that this controller never made (its database was restored or lost).
  // It keeps that one until an administrator's next change, which gets a greater number.
  bool foreign = false;
  std::chrono::system_clock::time_point since;     // epoch: never seen
  std::chrono::system_clock::time_point answered;  // of the last ACK or NACK; epoch: none
  std::string software_version;
  GatewayVitals vitals;
  // Its last heartbeat named an older generation than its last ACK: never true of a sound gateway.
  bool contradicts_ack = false;
  uint64_t events_lost = 0;  // on the gateway, since it started
};

// What a session must do now.
struct SessionOrder {
  enum class Kind { kNothing, kPush, kReplaced, kRemoved };
  Kind kind = Kind::kNothing;
  std::shared_ptr<const PolicySet> set;  // of kPush
};

// Seconds from push to answer.
struct LatencyHistogram {
  static constexpr std::array<double, 12> kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                     0.5,   1,    2.5,   5,    10,  30};
  std::array<uint64_t, kBounds.size() + 1>
      counts{};  // not cumulative; the last is above all bounds
  double sum = 0;
  uint64_t count = 0;
  void Observe(double seconds);
};

// Thread-safe; no call blocks for long. Wakers are called without any lock of the fleet held.
class Fleet {
 public:
  using SaveFunction = std::function<void(const GatewayRecord&)>;
  explicit Fleet(SaveFunction save) : save_(std::move(save)) {}

  // What the store remembered of a gateway from before this controller started.
  void Restore(const GatewayRecord& record);
  // The gateways that are configured, and what each shall enforce: null for one without a sound
  // policy. A gateway that is no longer named loses its session.
  void Configure(const std::map<std::string, std::shared_ptr<const PolicySet>>& sets);

  // Opens a session and returns its number. NotFound: no such gateway is configured.
  // AlreadyExists: another instance of that gateway has a live session. A session of the same
  // instance is replaced.
  absl::StatusOr<uint64_t> Connect(const GatewayHello& hello, std::shared_ptr<Waker> waker);
  void Disconnect(const std::string& gateway, uint64_t session);
  SessionOrder NextOrder(const std::string& gateway, uint64_t session);
  void OnAck(const std::string& gateway, uint64_t session, uint64_t generation,
             const std::string& not_persisted);
  void OnNack(const std::string& gateway, uint64_t session, uint64_t generation,
              std::vector<InputFault> faults);
  void OnVitals(const std::string& gateway, uint64_t session, const GatewayVitals& vitals);
  void OnEventsLost(const std::string& gateway, uint64_t session, uint64_t lost_total);

  std::optional<GatewayStatus> Find(const std::string& gateway) const;
  std::vector<GatewayStatus> List() const;  // in order of name
  // The greatest generation any gateway is known to enforce.
  uint64_t GreatestEnforced() const;
  LatencyHistogram ack_latency() const;

  // Woken whenever the status of a gateway changes, until the pointer is dropped. False: there are
  // as many listeners as there may be.
  bool AddListener(const std::shared_ptr<Waker>& listener);

 private:
  static constexpr size_t kMaxListeners = 1024;

  struct Entry {
    GatewaySession session;
    std::shared_ptr<const PolicySet> set;
    bool configured = false;
    uint64_t session_number = 0;  // 0: not connected
    std::shared_ptr<Waker> waker;
    GatewayStatus status;  // what the session does not know
  };
  // Null unless that session is the gateway's present one.
  Entry* Present(const std::string& gateway, uint64_t session);
  GatewayStatus StatusLocked(const Entry& entry) const;
  void SaveLocked(const Entry& entry);
  void NotifyListeners();

  const SaveFunction save_;  // quick: only queues
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;         // guarded by mutex_
  std::vector<std::weak_ptr<Waker>> listeners_;  // guarded by mutex_
  LatencyHistogram ack_latency_;                 // guarded by mutex_
  uint64_t next_session_ = 1;                    // guarded by mutex_
};

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// What one worker counts. Only the worker writes; any thread may read at any time (relaxed atomics,
// no read-modify-write on the packet path). A scrape therefore costs the worker nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "dataplane/packet/packet.h"
#include "dataplane/packet/reason.h"

namespace cordon::dp {

// A counter with one writer.
class Counter {
 public:
  void Add(uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void Set(uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  uint64_t Get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct PairCounters {
  // [side][verdict]
  std::array<std::array<Counter, kVerdictCount>, kSideCount> frames;
  std::array<std::array<Counter, kVerdictCount>, kSideCount> bytes;
};

inline constexpr size_t kMaxCountedPairs = 64;

struct alignas(64) WorkerCounters {
  std::array<PairCounters, kMaxCountedPairs> pairs;
  // [verdict][reason]: a reason can forward (rule), audit or drop.
  std::array<std::array<Counter, kReasonCount>, kVerdictCount> reasons;
  Counter flows;  // now
  Counter flow_capacity;
  Counter flows_admitted;
  Counter flows_evicted;
  Counter flows_expired;
  Counter flows_stale;          // decided again after a policy change
  Counter leases;               // DHCP leases that bind an address to a device, now
  Counter leases_not_learned;   // no room, or held by another device
  Counter fragments_open;       // datagrams in pieces on their way, now
  Counter fragments_held;       // frames that wait for a first piece, now
  Counter fragments_timed_out;  // datagrams that were never whole
  Counter fragments_evicted;    // datagrams that made room for others
  Counter events_lost;          // flow events that found the ring full
  Counter events_suppressed;    // refused frames beyond what is told a second
  Counter busy_cycles;          // cycles in RunOnce calls that received frames
  Counter total_cycles;
  Counter polls;
  Counter transmit_failed;  // frames that passed but the port's queue was full: counted, freed
};

}  // namespace cordon::dp

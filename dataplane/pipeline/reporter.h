// SPDX-License-Identifier: Apache-2.0
// Tells the agent what happened to flows and refused frames, without ever waiting for it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "dataplane/flow/table.h"
#include "dataplane/pipeline/burst.h"
#include "dataplane/telemetry/counters.h"
#include "dataplane/telemetry/event.h"

namespace cordon::dp {

// Nanoseconds on a monotonic clock. An argument everywhere: the pipeline reads no clock.
using TimePoint = uint64_t;
inline constexpr TimePoint kNanosecondsPerSecond = 1'000'000'000;

// A flow as it is now, for who asks about live flows.
FlowEvent LiveEventOf(const FlowTable& flows, FlowIndex flow, TimePoint now) noexcept;

// One worker owns it. What does not fit into the ring is counted as lost.
class Reporter {
 public:
  Reporter(EventRing& ring, WorkerCounters& counters);

  // A frame that was dropped or audited. Equal ones (flow and reason) are told once a second; the
  // next event carries the count of those in between. Bounded: a small table that forgets, and at
  // most kRefusalsPerSecond events, so that a flood neither costs what an event costs nor crowds
  // out what is told about flows. What is not told for that reason is counted as suppressed.
  void FrameRefused(uint16_t pair, const Slot& slot, uint32_t stamp, TimePoint now) noexcept;
  void FlowAdmitted(const FlowTable& flows, FlowIndex flow, TimePoint now) noexcept;
  void FlowAnswered(const FlowTable& flows, FlowIndex flow, TimePoint now) noexcept;
  void FlowEnded(const FlowTable& flows, FlowIndex flow, TimePoint now) noexcept;

 private:
  struct Recent {
    uint64_t tag = 0;  // flow and reason
    TimePoint reported = 0;
    uint64_t frames = 0;  // since then
    uint64_t bytes = 0;
  };
  static constexpr size_t kRecent = 1024;
  static constexpr uint64_t kRefusalsPerSecond = 20'000;
  static constexpr uint64_t kRefusalBurst = 2'000;
  bool MayTellOfRefusal(TimePoint now) noexcept;
  void Push(const FlowEvent& event) noexcept;

  EventRing& ring_;
  WorkerCounters& counters_;
  std::unique_ptr<std::array<Recent, kRecent>> recent_;
  uint64_t refusals_left_ = 0;
  TimePoint refusals_filled_ = 0;
};

}  // namespace cordon::dp

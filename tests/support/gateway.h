// SPDX-License-Identifier: Apache-2.0
// One worker's fast path with everything it needs, fed with frames instead of ports:
//
//   TestGateway gateway;
//   gateway.Enforce(policy);
//   EXPECT_EQ(gateway.Send(Side::kDevice, FrameBuilder()...Build()).verdict, Verdict::kForward);

#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/pipeline/pipeline.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp::testing {

inline constexpr HashSeed kTestSeed = {{1, 2, 3, 4, 5, 6}};
inline constexpr TimePoint kMillisecond = 1'000'000, kSecond = 1'000 * kMillisecond;

class TestGateway {
 public:
  explicit TestGateway(const PipelineOptions& options = {}, size_t flow_capacity = 4096)
      : slot_(1),
        flows_(flow_capacity, kTestSeed),
        ring_(4096),
        pipeline_(0, slot_, flows_, counters_, ring_, options) {}

  // Compiles and publishes; throws with the first fault.
  uint32_t Enforce(const PolicySpec& spec, CompileOptions options = {}) {
    if (options.slots == nullptr) options.slots = &device_slots_;
    CompileResult result = Compile(spec, {}, options);
    if (!result.table) {
      throw std::invalid_argument(result.faults[0].path + ": " + result.faults[0].message);
    }
    const uint32_t stamp = slot_.Publish(std::move(result.table));
    slot_.Reclaim();
    return stamp;
  }

  Decision Send(Side side, const Bytes& frame, uint16_t pair = 0) {
    return SendBurst(side, {frame}, pair)[0];
  }
  Decision Send(Side side, const FrameBuilder& frame, uint16_t pair = 0) {
    return Send(side, frame.Build(), pair);
  }
  // At most kMaxBurst frames.
  std::vector<Decision> SendBurst(Side side, const std::vector<Bytes>& frames, uint16_t pair = 0) {
    burst_.pair = pair;
    burst_.side = side;
    burst_.count = frames.size();
    for (size_t i = 0; i < frames.size(); ++i) burst_.frames[i] = View(frames[i]);
    pipeline_.ProcessBurst(burst_, now_);
    std::vector<Decision> decisions;
    for (size_t i = 0; i < frames.size(); ++i) decisions.push_back(burst_.slots[i].decision);
    slot_.Quiesce(0);
    return decisions;
  }

  void Advance(TimePoint by) { now_ += by; }
  std::vector<FlowEvent> Events() {
    std::vector<FlowEvent> events;
    for (FlowEvent event; ring_.Pop(event);) events.push_back(event);
    return events;
  }
  std::string RuleOf(const Decision& decision) const {
    return std::string(slot_.Current()->RuleOrigin(decision.rule));
  }
  std::string DeviceOf(const Decision& decision) const {
    return std::string(slot_.Current()->DeviceName(decision.device));
  }

  TimePoint now() const { return now_; }
  Burst& burst() { return burst_; }
  PolicySlot& slot() { return slot_; }
  FlowTable& flows() { return flows_; }
  WorkerCounters& counters() { return counters_; }

 private:
  DeviceSlots device_slots_;
  PolicySlot slot_;
  FlowTable flows_;
  WorkerCounters counters_;
  EventRing ring_;
  Pipeline pipeline_;
  Burst burst_;
  TimePoint now_ = kSecond;
};

}  // namespace cordon::dp::testing

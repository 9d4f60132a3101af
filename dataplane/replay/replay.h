// SPDX-License-Identifier: Apache-2.0
// Frames of a capture through the fast path's own pipeline, without a port: what cordon-replay and
// the scenarios run. Time comes from the frames, so a day of traffic is decided in a moment.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/pipeline/pipeline.h"
#include "dataplane/policy/table.h"
#include "dataplane/replay/capture.h"

namespace cordon::dp {

struct ReplayOptions {
  uint16_t pair = 0;  // number in the policy
  // How long after the first frame running flows are adopted mid-stream; 0: never.
  uint64_t adopt_grace_ns = 0;
  size_t flow_capacity = 262'144;
};

// What became of one frame. The names live as long as the policy table.
struct ReplayedFrame {
  uint64_t number = 0;  // 1 is the first
  uint64_t time_ns = 0;
  uint32_t length = 0;
  Side side = Side::kDevice;
  Decision decision;
  std::string_view device;  // empty where the frame belongs to none
  std::string_view rule;    // origin; empty where no rule decided
};

// Not thread-safe. Frames wait until a burst of their side is full, the side changes or time went
// on, and fragments until the first one of their datagram has come; results come in the order of
// the frames, once each.
class Replay {
 public:
  using Sink = std::function<void(const ReplayedFrame&)>;

  Replay(std::unique_ptr<PolicyTable> policy, const ReplayOptions& options, Sink sink);

  // Takes the frame's bytes.
  void Add(CapturedFrame&& frame);
  // Decides what still waits. Call after the last Add.
  void Finish();

 private:
  void DecideBurst();
  void Process();
  void Decide(uint64_t number, const Decision& decision);

  const ReplayOptions options_;
  const Sink sink_;
  PolicySlot slot_;
  FlowTable flows_;
  std::unique_ptr<WorkerCounters> counters_;
  EventRing events_;
  std::unique_ptr<Pipeline> pipeline_;  // made with the first frame: its time ends the grace
  std::shared_ptr<const PolicyTable> policy_;
  std::unique_ptr<Burst> burst_;
  std::vector<CapturedFrame> waiting_;
  uint64_t first_ns_ = 0;  // time of the first frame
  uint64_t now_ns_ = 0;    // gateway time; never goes back
  // Frames that were not told yet: the first one, or one before it, is held.
  struct Untold {
    ReplayedFrame frame;
    bool is_decided = false;
  };
  std::deque<Untold> untold_;
  std::vector<uint64_t> held_;  // number of the frame, by its ticket
  uint64_t told_ = 0;
};

}  // namespace cordon::dp

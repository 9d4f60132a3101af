// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "dataplane/pipeline/stages.h"

namespace cordon::dp {
namespace {

// Sums up what is equal for neighbouring frames, so that a counter is written once for all of them.
class ReasonRun {
 public:
  explicit ReasonRun(WorkerCounters& counters) : counters_(counters) {}
  ~ReasonRun() { Flush(); }
  void Add(const Decision& decision) {
    if (decision.verdict != verdict_ || decision.reason != reason_) {
      Flush();
      verdict_ = decision.verdict;
      reason_ = decision.reason;
    }
    ++frames_;
  }

 private:
  void Flush() {
    if (frames_ == 0) return;
    counters_.reasons[static_cast<size_t>(verdict_)][static_cast<size_t>(reason_)].Add(frames_);
    frames_ = 0;
  }
  WorkerCounters& counters_;
  Verdict verdict_ = Verdict::kDrop;
  Reason reason_ = Reason::kUndecided;
  uint64_t frames_ = 0;
};

}  // namespace

void RecordStage(const Context& context, Burst& burst) noexcept {
  const SlotMask general = burst.all() & ~burst.express & ~burst.held;  // those count when released
  burst.forward = burst.express;
  if (general == 0) return;
  uint64_t frames[kVerdictCount] = {};
  uint64_t bytes[kVerdictCount] = {};
  ReasonRun reasons(context.counters);
  ForEach(general, [&](size_t i) {
    const Slot& slot = burst.slots[i];
    const auto verdict = static_cast<size_t>(slot.decision.verdict);
    ++frames[verdict];
    bytes[verdict] += slot.packet.frame_length;
    reasons.Add(slot.decision);
    if (slot.decision.verdict != Verdict::kDrop) burst.forward |= SlotMask{1} << i;
    if (slot.decision.verdict != Verdict::kForward) {
      if (slot.decision.reason == Reason::kOverlayDenied) {
        context.policy.CountHit(context.worker, slot.decision.rule,
                                context.now / kNanosecondsPerSecond);
      }
      context.reporter.FrameRefused(burst.pair, slot, context.policy.stamp(), context.now);
    }
  });
  const size_t pair = std::min<size_t>(burst.pair, kMaxCountedPairs - 1);
  const auto side = static_cast<size_t>(burst.side);
  PairCounters& counters = context.counters.pairs[pair];
  for (size_t verdict = 0; verdict < kVerdictCount; ++verdict) {
    if (frames[verdict] == 0) continue;
    counters.frames[side][verdict].Add(frames[verdict]);
    counters.bytes[side][verdict].Add(bytes[verdict]);
  }
}

}  // namespace cordon::dp

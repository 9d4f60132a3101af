// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replay/replay.h"

#include <algorithm>
#include <utility>

namespace cordon::dp {
namespace {

// Frames this close arrive in one burst on a real port, too.
constexpr uint64_t kBurstWindowNs = 50'000;
// Gateway time of the first frame. Not 0, which means "never" in places.
constexpr uint64_t kStartNs = 1'000'000'000;
// Replays are repeatable: the same capture fills the same buckets. Nobody aims at them here.
constexpr HashSeed kSeed = {{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
                             0xd6e8feb86659fd93, 0xa0761d6478bd642f, 0xe7037ed1a0b428db}};
constexpr size_t kEvents = 64;  // nobody reads them here

}  // namespace

Replay::Replay(std::unique_ptr<PolicyTable> policy, const ReplayOptions& options, Sink sink)
    : options_(options),
      sink_(std::move(sink)),
      slot_(1),
      flows_(options.flow_capacity, kSeed),
      counters_(std::make_unique<WorkerCounters>()),
      events_(kEvents),
      burst_(std::make_unique<Burst>()) {
  slot_.Publish(std::move(policy));
  policy_ = slot_.Current();
  waiting_.reserve(kMaxBurst);
}

void Replay::Add(CapturedFrame&& frame) {
  if (pipeline_ == nullptr) {
    first_ns_ = frame.time_ns;
    now_ns_ = kStartNs;
    PipelineOptions options;
    if (options_.adopt_grace_ns != 0) options.adopt_until = kStartNs + options_.adopt_grace_ns;
    pipeline_ = std::make_unique<Pipeline>(0, slot_, flows_, *counters_, events_, options);
  }
  if (!waiting_.empty()) {
    const CapturedFrame& first = waiting_.front();
    const bool together = waiting_.size() < kMaxBurst && first.side == frame.side &&
                          frame.time_ns < first.time_ns + kBurstWindowNs;
    if (!together) DecideBurst();
  }
  waiting_.push_back(std::move(frame));
}

void Replay::Finish() {
  if (!waiting_.empty()) DecideBurst();
}

void Replay::DecideBurst() {
  Burst& burst = *burst_;
  burst.pair = options_.pair;
  burst.side = waiting_.front().side;
  burst.count = waiting_.size();
  for (size_t i = 0; i < burst.count; ++i) {
    burst.frames[i] = {waiting_[i].bytes, waiting_[i].length};
  }
  const uint64_t frame_ns = waiting_.front().time_ns;
  if (frame_ns > first_ns_) now_ns_ = std::max(now_ns_, frame_ns - first_ns_ + kStartNs);
  pipeline_->ProcessBurst(burst, now_ns_);
  for (size_t i = 0; i < burst.count; ++i) {
    const Decision& decision = burst.slots[i].decision;
    sink_({.number = ++decided_,
           .time_ns = waiting_[i].time_ns,
           .length = waiting_[i].length,
           .side = burst.side,
           .decision = decision,
           .device = policy_->DeviceName(decision.device),
           .rule = policy_->RuleOrigin(decision.rule)});
  }
  slot_.Quiesce(0);
  waiting_.clear();
}

}  // namespace cordon::dp

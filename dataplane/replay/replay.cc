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
      burst_(std::make_unique<Burst>()),
      held_(kNoTicket) {
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
  if (pipeline_ == nullptr) return;
  if (!waiting_.empty()) DecideBurst();
  // Nothing more comes: who still waits for a first fragment waits in vain.
  burst_->count = 0;
  for (now_ns_ += kFragmentTimeout; !untold_.empty();) Process();
}

void Replay::DecideBurst() {
  Burst& burst = *burst_;
  burst.pair = options_.pair;
  burst.side = waiting_.front().side;
  burst.count = waiting_.size();
  const uint64_t frame_ns = waiting_.front().time_ns;
  if (frame_ns > first_ns_) now_ns_ = std::max(now_ns_, frame_ns - first_ns_ + kStartNs);
  for (size_t i = 0; i < burst.count; ++i) {
    const CapturedFrame& frame = waiting_[i];
    burst.frames[i] = {.bytes = frame.bytes,
                       .length = frame.length,
                       .tail_sum = 0,
                       .has_tail = frame.bytes.size() == frame.length};
    ReplayedFrame& untold = untold_.emplace_back().frame;
    untold.number = told_ + untold_.size();
    untold.time_ns = frame.time_ns;
    untold.length = frame.length;
    untold.side = burst.side;
  }
  Process();
  waiting_.clear();
}

void Replay::Process() {
  Burst& burst = *burst_;
  const uint64_t first = told_ + untold_.size() - burst.count + 1;
  pipeline_->ProcessBurst(burst, now_ns_);
  for (size_t i = 0; i < burst.count; ++i) {
    if (burst.IsHeld(i)) {
      held_[burst.tickets[i]] = first + i;
    } else {
      Decide(first + i, burst.slots[i].decision);
    }
  }
  for (const ReleasedFrame& frame : burst.released) Decide(held_[frame.ticket], frame.decision);
  slot_.Quiesce(0);
  for (; !untold_.empty() && untold_.front().is_decided; untold_.pop_front(), ++told_) {
    sink_(untold_.front().frame);
  }
}

void Replay::Decide(uint64_t number, const Decision& decision) {
  Untold& untold = untold_[number - told_ - 1];
  untold.is_decided = true;
  untold.frame.decision = decision;
  untold.frame.device = policy_->DeviceName(decision.device);
  untold.frame.rule = policy_->RuleOrigin(decision.rule);
}

}  // namespace cordon::dp

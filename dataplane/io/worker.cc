// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/worker.h"

#include <sys/prctl.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace cordon::dp {

Worker::Worker(size_t id, std::vector<Lane> lanes, const WorkerParts& parts, const TscClock& clock,
               const IdleBackoff& backoff)
    : worker_id_(id),
      lanes_(std::move(lanes)),
      policy_slot_(*parts.policy),
      pipeline_(*parts.pipeline),
      counters_(*parts.counters),
      clock_(clock),
      backoff_(backoff),
      held_(parts.pipeline->hold_tickets()) {}

void Worker::Run() noexcept {
  prctl(PR_SET_TIMERSLACK, 1000UL);  // 1 us: naps last what they should
  last_cycles_ = TscClock::Cycles();
  while (!stop_.load(std::memory_order_relaxed)) {
    size_t received = 0;
    for (Lane& lane : lanes_) received += RunOnce(lane);
    Rest(received);
  }
}

// Frames enter in Receive and leave in Transmit; nothing else touches a port.
size_t Worker::RunOnce(Lane& lane) noexcept {
  lane.Receive(burst_);
  const uint64_t cycles = TscClock::Cycles();
  pipeline_.ProcessBurst(burst_, clock_.ToNanoseconds(cycles));
  const size_t lost = lane.Transmit(burst_, held_);  // forwards, keeps or frees every frame
  policy_slot_.Quiesce(worker_id_);                  // older generations may now be reclaimed
  if (lost != 0) counters_.transmit_failed.Add(lost);
  CountTime(cycles);
  return burst_.count;
}

// The clock is read once a RunOnce, between Receive and the pipeline: a reading closes the account
// of the call before.
void Worker::CountTime(uint64_t cycles) noexcept {
  const uint64_t spent = cycles - last_cycles_;
  counters_.total_cycles.Add(spent);
  if (was_busy_) counters_.busy_cycles.Add(spent);
  counters_.polls.Add(1);
  last_cycles_ = cycles;
  was_busy_ = burst_.count != 0;
}

// Naps grow from a microsecond to the longest allowed; the first frame ends them. The worker holds
// no policy table meanwhile, and looks at the slot after each nap.
void Worker::Rest(size_t received) noexcept {
  if (backoff_.after_polls == 0) return;
  if (received != 0) {
    idle_polls_ = 0;
    nap_ = std::chrono::microseconds(1);
    return;
  }
  if (idle_polls_ < backoff_.after_polls) {
    ++idle_polls_;
    return;
  }
  const timespec nap{0, static_cast<long>(nap_.count())};
  nanosleep(&nap, nullptr);
  nap_ = std::min<std::chrono::nanoseconds>(nap_ * 2, backoff_.max_sleep);
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// The fast path of one worker: decides every frame of a burst under one policy generation.
#pragma once

#include <cstdint>

#include "dataplane/binding/bindings.h"
#include "dataplane/flow/table.h"
#include "dataplane/pipeline/burst.h"
#include "dataplane/pipeline/fragments.h"
#include "dataplane/pipeline/reporter.h"
#include "dataplane/pipeline/sweep.h"
#include "dataplane/policy/slot.h"
#include "dataplane/shield/shield.h"
#include "dataplane/telemetry/counters.h"
#include "dataplane/telemetry/event.h"
#include "dataplane/telemetry/flow_mailbox.h"

namespace cordon::dp {

struct PipelineOptions {
  // Flows seen mid-stream are adopted until this time, and only where a rule allows them
  // (start-up grace). 0: never.
  TimePoint adopt_until = 0;
  // Nanoseconds in which every flow is looked at for expiry and for a new policy.
  uint64_t sweep_round = Sweep::kUsualRound;
  // Datagrams in pieces, and frames held for them.
  FragmentLimits fragments = {};
  // Devices whose rates are counted apart (see DeviceSlots); 128 bytes each.
  size_t device_slots = 1024;
  // Devices whose DHCP leases are remembered.
  size_t lease_capacity = 8192;
  // Where questions about live flows come in; null: nowhere. Must outlive the pipeline.
  FlowMailbox* flow_mailbox = nullptr;
};

// Not thread-safe: one worker owns it. All references must outlive it.
class Pipeline {
 public:
  Pipeline(size_t worker, PolicySlot& policy, FlowTable& flows, WorkerCounters& counters,
           EventRing& events, const PipelineOptions& options = {});

  // Decides burst.slots[i].decision for every frame. Call also with an empty burst: it lets a new
  // policy become enforced and idle flows expire. The caller must then forward or free each frame
  // and call PolicySlot::Quiesce for its worker: ProcessBurst acquires the table, but what it
  // decided holds until the frames are out.
  // Frames that the burst holds stay with the caller until a later burst, of any pair, releases
  // them; those that are still held when the pipeline goes are dropped.
  // The decisions are those of processing the frames one by one, however they fall into bursts; but
  // which frames of a burst a device at its limits loses is not said.
  void ProcessBurst(Burst& burst, TimePoint now) noexcept;
  // All tickets of held frames are below this.
  size_t hold_tickets() const { return fragments_.table.tickets(); }

 private:
  const size_t worker_;
  PolicySlot& policy_slot_;
  FlowTable& flows_;
  Fragments fragments_;
  Bindings bindings_;
  WorkerCounters& counters_;
  Reporter reporter_;
  Sweep sweep_;
  Shield shield_;
  const PipelineOptions options_;
};

}  // namespace cordon::dp

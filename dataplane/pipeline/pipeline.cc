// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/pipeline.h"

#include "dataplane/pipeline/stages.h"

namespace cordon::dp {

Pipeline::Pipeline(size_t worker, PolicySlot& policy, FlowTable& flows, WorkerCounters& counters,
                   EventRing& events, const PipelineOptions& options)
    : worker_(worker),
      policy_slot_(policy),
      flows_(flows),
      fragments_(options.fragments, flows.seed()),
      bindings_(options.lease_capacity),
      counters_(counters),
      reporter_(events, counters),
      sweep_(options.sweep_round),
      shield_(options.device_slots),
      options_(options) {}

void Pipeline::ProcessBurst(Burst& burst, TimePoint now) noexcept {
  const PolicyTable& policy = policy_slot_.Acquire(worker_);
  const Context context{.worker = worker_,
                        .policy = policy,
                        .flows = flows_,
                        .bindings = bindings_,
                        .fragments = fragments_,
                        .counters = counters_,
                        .reporter = reporter_,
                        .sweep = sweep_,
                        .shield = shield_,
                        .options = options_,
                        .now = now,
                        .now_ms = static_cast<Milliseconds>(now / 1'000'000)};
  Work work;
  StartFragments(context, burst);       // held frames whose time is over
  ExpressStage(context, burst);         // ordinary frames of flows that are already decided
  ParseStage(burst);                    // bytes   -> headers, or a reason to drop
  IdentifyStage(context, burst, work);  // headers -> whose flow it would be
  do {
    FragmentStage(context, burst, work);  // pieces share the verdict of their first one
    GuardStage(context, burst, work);     // ARP, neighbour discovery, DHCP, control frames
    while (work.open != 0) {
      FlowStage(context, burst, work);    // already admitted under this policy?
      PolicyStage(context, burst, work);  // every new or stale flow gets its verdict
      AdmitStage(context, burst, work);   // remember what was forwarded
    }
  } while (work.has_pieces());
  LearnStage(context, burst, work);  // remember which address DHCP gave to whom
  ShieldStage(context, burst);       // not more than the device may get or send
  RecordStage(context, burst);       // count all, report what was refused
  ExpireStage(context);              // forget flows that were idle for too long
  QueryStage(context);               // tell who asks about live flows
}

}  // namespace cordon::dp

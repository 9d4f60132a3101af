// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/flow_life.h"

namespace cordon::dp {

void ExpireStage(const Context& context) noexcept {
  FlowTable& flows = context.flows;
  const size_t due = context.sweep.Due(context.now, flows.high_water());
  if (due == 0) [[likely]]
    return;
  flows.Visit(due, [&](FlowIndex flow) {
    const FlowEntry& entry = flows.At(flow);
    if (FlowTable::IsExpired(entry, context.now_ms)) {
      EndFlow(context, flow);
      context.counters.flows_expired.Add(1);
    } else if (entry.stamp != context.policy.stamp()) {
      Redecide(context, flow);
    } else {
      // Up to a round late, which is less than the second that is told.
      const uint64_t idle_ms = static_cast<Milliseconds>(context.now_ms - entry.last_seen);
      context.policy.RefreshHit(context.worker, entry.rule,
                                (context.now / 1'000'000 - idle_ms) / 1000);
    }
  });
}

}  // namespace cordon::dp

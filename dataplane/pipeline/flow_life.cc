// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/flow_life.h"

#include "dataplane/pipeline/identity.h"

namespace cordon::dp {

void EndFlow(const Context& context, FlowIndex flow) noexcept {
  context.reporter.FlowEnded(context.flows, flow, context.now);
  context.flows.Erase(flow);
}

Decision Redecide(const Context& context, FlowIndex flow) noexcept {
  context.counters.flows_stale.Add(1);
  FlowEntry& entry = context.flows.At(flow);
  const Initiator initiator = entry.initiated_by_peer() ? Initiator::kPeer : Initiator::kDevice;
  const Decision decision = DecideFlow(context, context.flows.KeyOf(flow), initiator);
  if (decision.verdict == Verdict::kDrop) {
    EndFlow(context, flow);
    if (decision.reason == Reason::kOverlayDenied) return decision;
    return {Verdict::kDrop, Reason::kFlowRevoked, decision.device, kNoRuleIndex, 0};
  }
  entry.stamp = context.policy.stamp();
  entry.verdict = decision.verdict;
  entry.reason = decision.reason;
  entry.device = decision.device;
  entry.rule = decision.rule;
  entry.rule_timeout_seconds = decision.idle_timeout_seconds;
  entry.idle_timeout = context.flows.TimeoutFor(entry);
  context.flows.MoveToDevice(flow, context.policy.SlotOf(decision.device));
  entry.peer_mac = 0;
  entry.set_express(false);  // the checks of the new policy were not made yet
  return decision;
}

void NoteAnswer(const Context& context, FlowIndex flow, FlowSide sender,
                const Packet& packet) noexcept {
  FlowEntry& entry = context.flows.At(flow);
  if (sender == FlowSide::kInitiator || entry.answered()) [[likely]]
    return;
  if ((packet.tcp_flags & tcp_flag::kRst) != 0) return;
  entry.flags |= FlowEntry::kAnswered;
  context.reporter.FlowAnswered(context.flows, flow, context.now);
}

}  // namespace cordon::dp

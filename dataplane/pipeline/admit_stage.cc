// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/flow_life.h"
#include "dataplane/pipeline/identity.h"
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {
namespace {

// The connection after its opening segment, or after the first one seen of an adopted one.
void OpenTcp(FlowTable& flows, FlowIndex flow, const Slot& slot) {
  FlowEntry& entry = flows.At(flow);
  const TcpSegment segment = SegmentOf(slot.packet);
  const bool is_syn = (segment.flags & (tcp_flag::kSyn | tcp_flag::kAck)) == tcp_flag::kSyn;
  entry.tcp = is_syn ? OpenTrack(segment) : AdoptTrack(SenderOf(entry, slot.side), segment);
  flows.NoteTcpState(flow);
}

void Open(const Context& context, FlowIndex flow, const Slot& slot) {
  FlowEntry& entry = context.flows.At(flow);
  entry.stamp = context.policy.stamp();
  entry.last_seen = context.now_ms;
  entry.verdict = slot.decision.verdict;
  entry.reason = slot.decision.reason;
  if (slot.initiator == Initiator::kPeer) entry.flags |= FlowEntry::kInitiatedByPeer;
  entry.device = slot.decision.device;
  entry.rule = slot.decision.rule;
  entry.rule_timeout_seconds = slot.decision.idle_timeout_seconds;
  entry.icmp_type_code = static_cast<uint32_t>(slot.packet.icmp_type << 8 | slot.packet.icmp_code);
  context.flows.DetailOf(flow).first_seen_ns = context.now;
  const auto sender = static_cast<size_t>(SenderOf(entry, slot.side));
  entry.frames[sender] = 1;
  entry.bytes[sender] = slot.packet.frame_length;
  if (slot.packet.protocol == protocol::kTcp) OpenTcp(context.flows, flow, slot);
  entry.idle_timeout = context.flows.TimeoutFor(entry);
}

}  // namespace

void AdmitStage(const Context& context, Burst& burst, Work& work) noexcept {
  ForEach(work.admitted, [&](size_t i) {
    Slot& slot = burst.slots[i];
    const DeviceIndex device = slot.decision.device;
    Reason reason = ShieldFlow(context, slot);
    FlowIndex flow = kNoFlow;
    if (reason == Reason::kUndecided) {
      flow = context.flows.Insert(slot.key, slot.hash, context.policy.SlotOf(device));
      reason = Reason::kFlowTableFull;
    }
    if (flow == kNoFlow) [[unlikely]] {
      slot.decision = RefuseFlow(context.policy, device, slot.key, reason);
      return;
    }
    Open(context, flow, slot);
    context.counters.flows_admitted.Add(1);
    context.policy.CountHit(context.worker, slot.decision.rule,
                            context.now / kNanosecondsPerSecond);
    context.reporter.FlowAdmitted(context.flows, flow, context.now);
    NoteAnswer(context, flow, SenderOf(context.flows.At(flow), slot.side), slot.packet);
  });
  work.admitted = 0;
}

}  // namespace cordon::dp

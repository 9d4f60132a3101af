// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/flow_life.h"
#include "dataplane/pipeline/identity.h"
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {
namespace {

// Hashes of slots that are a miss or stale in this round, by 12 bits. A false positive only costs a
// slot one more round, but the slots of a later round are few and wait for memory one by one.
class TouchedHashes {
 public:
  void Add(uint64_t hash) { words_[hash >> 58] |= uint64_t{1} << (hash >> 52 & 63); }
  bool Contains(uint64_t hash) const { return (words_[hash >> 58] >> (hash >> 52 & 63) & 1) != 0; }

 private:
  uint64_t words_[64] = {};
};

// What the express stage may take over from the next frame on: a flow that is decided, answered and
// established, of a device of its own, whose frames need no guard's look.
bool IsOrdinary(const FlowEntry& entry, const Slot& slot) {
  const bool is_open = entry.protocol() == protocol::kUdp
                           ? !IsGuardedUdp(slot.key)
                           : entry.tcp.state == TcpState::kEstablished;
  const bool is_plain = (slot.packet.anomalies & ~kFlowChecks) == 0 &&
                        (entry.reason == Reason::kRule || entry.reason == Reason::kObserveMode);
  // A group is a destination; what answers from it is malformed, and the express stage would not
  // see.
  const IpAddress& destination = slot.packet.destination;
  const bool is_unicast = !destination.IsMulticast() && !destination.IsLimitedBroadcast();
  return is_open && is_plain && is_unicast && entry.verdict == Verdict::kForward &&
         entry.answered() && entry.device < kFirstPseudoDevice;
}

void Account(const Context& context, FlowEntry& entry, const Slot& slot) {
  const FlowSide sender = SenderOf(entry, slot.side);
  entry.last_seen = context.now_ms;
  ++entry.frames[static_cast<size_t>(sender)];
  entry.bytes[static_cast<size_t>(sender)] += slot.packet.frame_length;
  NoteAnswer(context, slot.flow, sender, slot.packet);
  entry.set_express(IsOrdinary(entry, slot));
  entry.set_shielded(HasRates(context.policy.LimitsOf(entry.device)));
}

// What the segment does to its connection, or why it must not pass.
TcpOutcome FollowTcp(const Context& context, const Slot& slot) {
  FlowEntry& entry = context.flows.At(slot.flow);
  const TcpState before = entry.tcp.state;
  const TcpOutcome outcome = Track(entry.tcp, SenderOf(entry, slot.side), SegmentOf(slot.packet));
  if (entry.tcp.state != before) {
    context.flows.NoteTcpState(slot.flow);
  }
  return outcome;
}

// A sender who says that it is a device, though it is not on the device side. The addresses of a
// flow were looked at when it was admitted; those around the quote of an ICMP error were not.
bool PretendsToBeDevice(const PolicyTable& policy, FlowEntry& entry, const Slot& slot) {
  if (slot.side == Side::kDevice) return false;
  if (entry.peer_mac != slot.packet.source_mac.value) {
    if (CarriesDeviceMac(policy, slot.packet, slot.side, slot.key)) return true;
    entry.peer_mac = slot.packet.source_mac.value;
  }
  return IsIcmpError(slot.packet) &&
         policy.FindByIp(slot.key.pair(), slot.key.vlan(), slot.packet.source) != kNoDevice;
}

enum class Followed { kDecided, kReopens };

// A frame of a current flow: its TCP state must allow it, then the flow's verdict is its own.
Followed Follow(const Context& context, Slot& slot) {
  FlowEntry& entry = context.flows.At(slot.flow);
  slot.device = entry.device;
  slot.decision = {entry.verdict, entry.reason, entry.device, entry.rule,
                   entry.rule_timeout_seconds};
  if (PretendsToBeDevice(context.policy, entry, slot)) [[unlikely]] {
    slot.decision =
        RefuseFlow(context.policy, entry.device, slot.key, Reason::kDeviceMacOnNetworkSide);
    return Followed::kDecided;
  }
  if (IsIcmpError(slot.packet)) [[unlikely]] {
    // Not a frame of the flow itself: it neither refreshes nor counts.
    if (entry.verdict == Verdict::kForward) slot.decision.reason = Reason::kIcmpErrorOfFlow;
    return Followed::kDecided;
  }
  // Where the device lets wrong checksums pass: the receiver will not believe the segment, so it
  // must not change what is believed of the connection (Ptacek and Newsham 1998).
  if ((slot.packet.anomalies & MaskOf(Check::kL4Checksum)) != 0) [[unlikely]]
    return Followed::kDecided;
  if (slot.packet.protocol == protocol::kTcp) {
    const TcpOutcome outcome = FollowTcp(context, slot);
    if (outcome.reopens) return Followed::kReopens;
    if (!outcome.fits()) {
      slot.decision = RefuseFlow(context.policy, entry.device, slot.key, outcome.reason);
      return Followed::kDecided;
    }
  }
  Account(context, entry, slot);
  return Followed::kDecided;
}

// The live flow of a slot, or kNoFlow. An idle one that the sweep has not reached yet ends here.
FlowIndex FindLive(const Context& context, const Slot& slot) {
  const FlowIndex flow = context.flows.Find(slot.key, slot.hash);
  if (flow == kNoFlow || !FlowTable::IsExpired(context.flows.At(flow), context.now_ms)) {
    return flow;
  }
  EndFlow(context, flow);
  context.counters.flows_expired.Add(1);
  return kNoFlow;
}

// Inserting into a full table evicts flows that other slots may be about to hit: then one slot a
// round keeps the order.
SlotMask ThisRound(const Context& context, SlotMask open) {
  const bool nearly_full = context.flows.size() + kMaxBurst > context.flows.capacity();
  return nearly_full ? open & (~open + 1) : open;
}

}  // namespace

void FlowStage(const Context& context, Burst& burst, Work& work) noexcept {
  const SlotMask round = ThisRound(context, work.open);
  ForEach(round, [&](size_t i) {
    const FlowIndex candidate = context.flows.Candidate(burst.slots[i].hash);
    if (candidate == kNoFlow) return;
    context.flows.PrefetchEntry(candidate);
  });
  TouchedHashes touched;
  ForEach(round, [&](size_t i) {
    Slot& slot = burst.slots[i];
    if (touched.Contains(slot.hash)) return;
    const SlotMask bit = SlotMask{1} << i;
    work.open &= ~bit;
    slot.flow = FindLive(context, slot);
    if (slot.flow != kNoFlow) {
      const bool is_current = context.flows.At(slot.flow).stamp == context.policy.stamp();
      if (is_current && Follow(context, slot) == Followed::kDecided) return;
      if (is_current) {
        EndFlow(context, slot.flow);
        slot.flow = kNoFlow;
      }
    }
    (slot.flow == kNoFlow ? work.missed : work.stale) |= bit;
    touched.Add(slot.hash);
  });
}

}  // namespace cordon::dp

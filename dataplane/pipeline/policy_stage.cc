// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/flow_life.h"
#include "dataplane/pipeline/identity.h"
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kOpeningFlags = tcp_flag::kSyn | tcp_flag::kAck | tcp_flag::kRst;

Initiator SenderAsInitiator(Side side) {
  return side == Side::kDevice ? Initiator::kDevice : Initiator::kPeer;
}

bool IsMidstream(const Packet& packet) {
  return packet.protocol == protocol::kTcp && (packet.tcp_flags & kOpeningFlags) != tcp_flag::kSyn;
}

// Who probably opened a connection that is seen midstream and that no rule explains: servers answer
// with SYN+ACK, and listen on the lower L4 port.
Initiator GuessInitiator(const Slot& slot) {
  const Initiator sender = SenderAsInitiator(slot.side);
  const Initiator receiver = sender == Initiator::kDevice ? Initiator::kPeer : Initiator::kDevice;
  const Packet& packet = slot.packet;
  if ((packet.tcp_flags & tcp_flag::kSyn) != 0) return receiver;
  return packet.source_port < packet.destination_port ? receiver : sender;
}

// A TCP segment of no flow. Running connections are adopted where a rule allows them: after a start
// of the gateway for a while, and always for devices that are only watched.
Decision DecideMidstream(const Context& context, DeviceIndex device, Slot& slot) {
  const PolicyTable& policy = context.policy;
  const Decision refused = RefuseFlow(policy, device, slot.key, Reason::kTcpNoFlow);
  slot.initiator = device == kGroupDevice ? Initiator::kPeer : GuessInitiator(slot);
  const bool is_watched = refused.verdict != Verdict::kDrop;
  const bool may_adopt = is_watched || context.now < context.options.adopt_until;
  if (!may_adopt || !CanAdopt(SegmentOf(slot.packet))) return refused;
  for (const Initiator initiator : {Initiator::kDevice, Initiator::kPeer}) {
    const Decision decision = Decide(policy, device, QuestionOf(slot.key, initiator));
    if (decision.rule == kNoRuleIndex) continue;
    slot.initiator = initiator;
    return decision;
  }
  return refused;
}

enum class Admission { kNone, kIfPassed };

// A packet that belongs to no flow.
Admission DecideMiss(const Context& context, const Burst& burst, Slot& slot) {
  const PolicyTable& policy = context.policy;
  const Packet& packet = slot.packet;
  if (IsIcmpError(packet)) slot.key = KeyOf(packet, burst.side, burst.pair);
  if (IsIcmpError(packet)) slot.device = FindDevice(policy, slot.key);
  const DeviceIndex device = slot.device;
  slot.initiator = SenderAsInitiator(slot.side);
  if (device != kNoDevice && CarriesDeviceMac(policy, packet, slot.side, slot.key)) {
    // Not admitted even if it passes: a flow's key does not tell who else sends into it.
    slot.decision = RefuseFlow(policy, device, slot.key, Reason::kDeviceMacOnNetworkSide);
    return Admission::kNone;
  }
  const Reason reason = CheckIdentity(context, device, slot.key, slot.initiator);
  const bool is_answer = packet.icmp_kind == IcmpKind::kReply || IsIcmpError(packet);
  const bool is_midstream = IsMidstream(packet);
  if (reason != Reason::kUndecided) {
    slot.decision = RefuseFlow(policy, device, slot.key, reason);
    if (is_midstream && device != kGroupDevice) slot.initiator = GuessInitiator(slot);
  } else if (is_answer) {
    slot.decision = RefuseFlow(policy, device, slot.key, Reason::kIcmpNoFlow);
  } else if (is_midstream) {
    slot.decision = DecideMidstream(context, device, slot);
  } else {
    slot.decision = DecideByRules(policy, device, slot.key, slot.initiator);
  }
  const bool may_open = !is_answer && (!is_midstream || CanAdopt(SegmentOf(packet)));
  return may_open ? Admission::kIfPassed : Admission::kNone;
}

// Whose the frames are, and what their decisions will look at: memory that is asked for all at
// once.
void LookAhead(const PolicyTable& policy, Burst& burst, SlotMask missed) {
  ForEach(missed, [&](size_t i) {
    const Slot& slot = burst.slots[i];
    const FlowKey& key = slot.key;
    policy.PrefetchMac(key.pair(), key.vlan(), key.device_mac());
    policy.PrefetchIp(key.pair(), key.vlan(), key.device_ip);
    if (slot.side == Side::kDevice) return;
    policy.PrefetchMac(key.pair(), key.vlan(), slot.packet.source_mac);
    policy.PrefetchIp(key.pair(), key.vlan(), key.peer_ip);
  });
  ForEach(missed, [&](size_t i) {
    Slot& slot = burst.slots[i];
    slot.device = FindDevice(policy, slot.key);
    policy.PrefetchDevice(slot.device);
  });
  ForEach(missed, [&](size_t i) {
    const Slot& slot = burst.slots[i];
    policy.PrefetchRules(slot.device, SenderAsInitiator(slot.side), slot.key.peer_ip);
  });
  if (!policy.has_many_rules()) return;
  ForEach(missed, [&](size_t i) {
    const Slot& slot = burst.slots[i];
    policy.PrefetchMatch(slot.device, SenderAsInitiator(slot.side), slot.key.peer_ip);
  });
}

// A flow that was decided under an older policy. Returns whether it goes on; the frame is then
// looked up again.
bool GoesOn(const Context& context, Slot& slot) {
  const Decision decision = Redecide(context, slot.flow);
  if (decision.verdict != Verdict::kDrop) return true;
  slot.device = decision.device;
  slot.decision = decision;
  if (IsIcmpError(slot.packet)) {
    slot.decision.reason = Reason::kIcmpNoFlow;
    slot.decision.rule = kNoRuleIndex;
  }
  return false;
}

}  // namespace

void PolicyStage(const Context& context, Burst& burst, Work& work) noexcept {
  LookAhead(context.policy, burst, work.missed);
  ForEach(work.missed, [&](size_t i) {
    Slot& slot = burst.slots[i];
    const Admission admission = DecideMiss(context, burst, slot);
    if (admission == Admission::kIfPassed && slot.decision.verdict != Verdict::kDrop) {
      work.admitted |= SlotMask{1} << i;
    }
  });
  ForEach(work.stale, [&](size_t i) {
    if (GoesOn(context, burst.slots[i])) work.open |= SlotMask{1} << i;
  });
  work.missed = work.stale = 0;
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// Pieces of datagrams. The first piece has ports and is judged like any packet; all others share
// its fate, whichever order they come in. Only pieces of somebody's are remembered: what does not
// belong to a device, or claims an address that is not the device's, takes up no room.
//
// Devices that are observed or audited are not made to wait: a piece in front of the first one
// passes at once, as what it is.
#include <algorithm>
#include <bit>

#include "dataplane/pipeline/flow_life.h"
#include "dataplane/pipeline/fragments.h"
#include "dataplane/pipeline/identity.h"
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {
namespace {

constexpr SlotMask BitOf(size_t i) { return SlotMask{1} << i; }

Initiator SenderOn(Side side) {
  return side == Side::kDevice ? Initiator::kDevice : Initiator::kPeer;
}

// On whose account a piece is remembered: each device has one for each direction, and keeps it from
// one policy to the next.
uint64_t HolderOf(const PolicyTable& policy, DeviceIndex device, const FlowKey& key, Side side) {
  const uint32_t slot = policy.SlotOf(device);
  const uint64_t who = slot != kNobodysSlot ? slot : uint64_t{device} << 32;
  return who << 16 | static_cast<uint64_t>(key.pair() << 1) | static_cast<uint64_t>(side);
}

// Counts and reports a frame whose slot is gone.
void Record(const Context& context, const HeldFrame& frame, const Decision& decision) {
  const auto verdict = static_cast<size_t>(decision.verdict);
  PairCounters& pair = context.counters.pairs[std::min<size_t>(frame.pair, kMaxCountedPairs - 1)];
  pair.frames[static_cast<size_t>(frame.side)][verdict].Add(1);
  pair.bytes[static_cast<size_t>(frame.side)][verdict].Add(frame.frame_length);
  context.counters.reasons[verdict][static_cast<size_t>(decision.reason)].Add(1);
  if (decision.verdict == Verdict::kForward) return;
  Slot slot;
  slot.decision = decision;
  slot.side = frame.side;
  slot.key = frame.key;
  slot.hash = frame.hash;
  slot.packet.source_mac = frame.source_mac;
  slot.packet.destination_mac = frame.destination_mac;
  slot.packet.ethertype = frame.ethertype;
  slot.packet.protocol = frame.protocol;
  slot.packet.frame_length = frame.frame_length;
  context.reporter.FrameRefused(frame.pair, slot, context.policy.stamp(), context.now);
}

// A piece that passes belongs to the flow of the first one.
void Account(const Context& context, const JudgedDatagram& judged, Side side, uint32_t length) {
  const FlowIndex flow = context.flows.Find(judged.flow, context.flows.HashOf(judged.flow));
  if (flow == kNoFlow || judged.decision.verdict == Verdict::kDrop) return;
  FlowEntry& entry = context.flows.At(flow);
  const auto sender = static_cast<size_t>(SenderOf(entry, side));
  entry.last_seen = context.now_ms;
  ++entry.frames[sender];
  entry.bytes[sender] += length;
}

void Publish(const Context& context) {
  const FragmentTable& table = context.fragments.table;
  context.counters.fragments_open.Set(table.open());
  context.counters.fragments_held.Set(table.held());
  context.counters.fragments_timed_out.Set(table.timed_out());
  context.counters.fragments_evicted.Set(table.evicted());
}

// The frames of a burst that are pieces, with the words that the rules below are written in.
class Pieces {
 public:
  Pieces(const Context& context, Burst& burst, Work& work)
      : context_(context), burst_(burst), work_(work), table_(context.fragments.table) {}

  enum class Next {
    kDecided,
    kAlone,  // goes on like a frame that is no piece
    kJudged  // goes on, and what it is found to be is the verdict of its datagram: see Settle
  };
  Next Take(size_t i);
  void Settle();
  void TakeFreed(size_t before, DatagramIndex datagram);

 private:
  Next Place(size_t i, const FlowKey& key, DeviceIndex device);
  void Follow(size_t i, DatagramIndex datagram);
  void Wait(size_t i, const FlowKey& key, DeviceIndex device, DatagramIndex datagram);
  void Judge(size_t i, DatagramIndex datagram);
  void JudgeAgain(DatagramIndex datagram);
  Reason CheckSender(const Packet& packet, const FlowKey& key, DeviceIndex device) const;
  void Refuse(size_t i, const FlowKey& key, DeviceIndex device, Reason reason) {
    burst_.slots[i].decision = RefuseFlow(context_.policy, device, key, reason);
    burst_.slots[i].device = device;
  }

  const Context& context_;
  Burst& burst_;
  Work& work_;
  FragmentTable& table_;
};

Pieces::Next Pieces::Take(size_t i) {
  const Packet& packet = burst_.slots[i].packet;
  const bool is_decided = burst_.slots[i].decision.reason != Reason::kUndecided;
  const bool is_first = packet.fragment_offset == 0;
  if (is_decided && !is_first) return Next::kDecided;  // malformed on its own: no part of anything
  const FlowKey key = KeyOf(packet, burst_.side, burst_.pair);
  const DeviceIndex device = FindDevice(context_.policy, key);
  const Reason sender = CheckSender(packet, key, device);
  const Reason malformed = CheckPiece(PieceOf(packet), packet.protocol, packet.layer3);
  if (sender != Reason::kUndecided) {
    if (is_first && !is_decided) return Next::kAlone;  // the other stages have more to go by
    if (!is_decided) Refuse(i, key, device, sender);
    return Next::kDecided;
  }
  if (malformed != Reason::kUndecided && !is_decided) Refuse(i, key, device, malformed);
  if (malformed != Reason::kUndecided && !is_first) return Next::kDecided;
  return Place(i, key, device);
}

Pieces::Next Pieces::Place(size_t i, const FlowKey& key, DeviceIndex device) {
  Slot& slot = burst_.slots[i];
  const bool is_decided = slot.decision.reason != Reason::kUndecided;
  const Placement placed = table_.Place(DatagramKeyOf(slot.packet, burst_.side, burst_.pair),
                                        HolderOf(context_.policy, device, key, burst_.side),
                                        PieceOf(slot.packet), context_.now);
  TakeFreed(i, placed.datagram);
  switch (placed.fate) {
    case Fate::kJudge:
      if (!is_decided) {
        work_.judged = BitOf(i);
        work_.datagram = placed.datagram;
        return Next::kJudged;
      }
      Judge(i, placed.datagram);
      break;
    case Fate::kFollow:
      Follow(i, placed.datagram);
      break;
    case Fate::kWait:
      Wait(i, key, device, placed.datagram);
      break;
    case Fate::kRefuse:
      if (!is_decided) Refuse(i, key, device, placed.reason);
      break;
  }
  return Next::kDecided;
}

// What can be said of a sender without L4 ports.
Reason Pieces::CheckSender(const Packet& packet, const FlowKey& key, DeviceIndex device) const {
  if (device != kNoDevice && CarriesDeviceMac(context_.policy, packet, burst_.side, key)) {
    return Reason::kDeviceMacOnNetworkSide;
  }
  return CheckIdentity(context_, device, key, SenderOn(burst_.side));
}

void Pieces::Follow(size_t i, DatagramIndex datagram) {
  const JudgedDatagram& judged = context_.fragments.judged[datagram];
  if (judged.stamp != context_.policy.stamp()) JudgeAgain(datagram);
  Slot& slot = burst_.slots[i];
  slot.decision = judged.decision;
  slot.device = judged.decision.device;
  Account(context_, judged, burst_.side, slot.packet.frame_length);
}

void Pieces::Wait(size_t i, const FlowKey& key, DeviceIndex device, DatagramIndex datagram) {
  Refuse(i, key, device, Reason::kFragmentNotFirst);
  Slot& slot = burst_.slots[i];
  if (slot.decision.verdict != Verdict::kDrop) return;
  const HoldTicket ticket = table_.Hold(datagram);
  TakeFreed(i, datagram);
  if (ticket == kNoTicket) {
    Refuse(i, key, device, Reason::kFragmentDeviceQuota);
    return;
  }
  slot.decision = Decision{};
  burst_.held |= BitOf(i);
  burst_.tickets[i] = ticket;
  const Packet& packet = slot.packet;
  context_.fragments.held[ticket] = {key,
                                     slot.hash,
                                     packet.source_mac,
                                     packet.destination_mac,
                                     packet.frame_length,
                                     packet.ethertype,
                                     burst_.pair,
                                     packet.protocol,
                                     burst_.side};
}

// The first piece has its verdict: those that wait share it.
void Pieces::Judge(size_t i, DatagramIndex datagram) {
  // What each later piece shows again and is judged by itself.
  constexpr CheckMask kOfEachPiece = MaskOf(Check::kFragments) | MaskOf(Check::kIpv6);
  const Slot& slot = burst_.slots[i];
  const Packet& packet = slot.packet;
  JudgedDatagram& judged = context_.fragments.judged[datagram];
  judged.decision = slot.decision;
  judged.stamp = context_.policy.stamp();
  judged.flow = slot.key;
  judged.initiator = slot.initiator;
  const FlowIndex flow = context_.flows.Find(slot.key, slot.hash);
  if (flow != kNoFlow) {
    const bool by_peer = context_.flows.At(flow).initiated_by_peer();
    judged.initiator = by_peer ? Initiator::kPeer : Initiator::kDevice;
  }
  judged.is_by_policy =
      packet.reason == Reason::kUndecided && (packet.anomalies & ~kOfEachPiece) == 0 &&
      !IsIcmpError(packet) &&
      (slot.decision.reason == Reason::kRule || slot.decision.reason == Reason::kObserveMode);
  if (slot.decision.verdict == Verdict::kDrop) {
    table_.Refuse(datagram, Reason::kFragmentRefused);
  } else {
    table_.Pass(datagram);
  }
  TakeFreed(i, datagram);
}

// The policy changed while the datagram was on its way: what is left of it passes only if its flow
// may.
void Pieces::JudgeAgain(DatagramIndex datagram) {
  JudgedDatagram& judged = context_.fragments.judged[datagram];
  const PolicyTable& policy = context_.policy;
  judged.stamp = policy.stamp();
  if (judged.is_by_policy) {
    judged.decision = DecideFlow(context_, judged.flow, judged.initiator);
  } else {
    judged.decision =
        RefuseFlow(policy, FindDevice(policy, judged.flow), judged.flow, Reason::kFlowRevoked);
  }
  if (judged.decision.verdict != Verdict::kDrop) return;
  judged.decision.reason = Reason::kFlowRevoked;
  table_.Refuse(datagram, Reason::kFlowRevoked);
}

void Pieces::TakeFreed(size_t before, DatagramIndex datagram) {
  Fragments& fragments = context_.fragments;
  for (const FreedFrame& freed : table_.freed()) {
    const HeldFrame& frame = fragments.held[freed.ticket];
    const bool passes = freed.reason == Reason::kUndecided;
    const PolicyTable& policy = context_.policy;
    const JudgedDatagram& judged = fragments.judged[datagram];
    Decision decision =
        passes ? judged.decision
               : RefuseFlow(policy, FindDevice(policy, frame.key), frame.key, freed.reason);
    ShieldFrame(context_, frame.key, frame.side, frame.frame_length, decision);
    if (passes) Account(context_, judged, frame.side, frame.frame_length);
    Record(context_, frame, decision);
    fragments.Release({decision, freed.ticket, static_cast<uint8_t>(before)});
  }
  table_.ClearFreed();
  burst_.released = fragments.released();
}

// Keeps the verdict that the other stages found for a first piece.
void Pieces::Settle() {
  if (work_.judged == 0) return;
  Judge(static_cast<size_t>(std::countr_zero(work_.judged)), work_.datagram);
  work_.judged = 0;
}

}  // namespace

void StartFragments(const Context& context, Burst& burst) noexcept {
  Fragments& fragments = context.fragments;
  burst.held = 0;
  burst.released = {};
  if (fragments.table.is_idle()) [[likely]]
    return;
  fragments.ClearReleased();
  fragments.table.StartBurst(context.now);
  Work none;
  Pieces(context, burst, none).TakeFreed(0, 0);
  Publish(context);
}

void FragmentStage(const Context& context, Burst& burst, Work& work) noexcept {
  if (!work.has_pieces()) [[likely]]
    return;
  Pieces pieces(context, burst, work);
  pieces.Settle();
  SlotMask open = work.open | work.later_open;
  SlotMask guarded = work.guarded | work.later_guarded;
  while (work.pieces != 0 && work.judged == 0) {
    const auto i = static_cast<size_t>(std::countr_zero(work.pieces));
    work.pieces &= ~BitOf(i);
    if (pieces.Take(i) != Pieces::Next::kDecided) continue;
    open &= ~BitOf(i);
    guarded &= ~BitOf(i);
  }
  const SlotMask now = work.judged == 0 ? ~SlotMask{0} : (work.judged << 1) - 1;
  work.open = open & now;
  work.later_open = open & ~now;
  work.guarded = guarded & now;
  work.later_guarded = guarded & ~now;
  Publish(context);
}

}  // namespace cordon::dp

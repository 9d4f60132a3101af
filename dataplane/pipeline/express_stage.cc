// SPDX-License-Identifier: Apache-2.0
// The short way of an ordinary frame of a running conversation: three passes over the burst, so
// that the memory a frame needs is on its way while others are looked at.
#include <algorithm>

#include "dataplane/packet/ordinary.h"
#include "dataplane/pipeline/flow_life.h"
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {
namespace {

struct Traveller {
  OrdinaryPacket packet;
  Ordinariness kind;
  uint64_t hash;
  FlowIndex candidate;
  FlowWords words;
};

// Flows of which a frame of this burst is left to the other stages. What follows in the same flow
// is left to them, too: frames of a flow are decided in order. A false positive costs only time.
class LeftFlows {
 public:
  void Add(uint64_t hash) { words_[hash >> 62] |= uint64_t{1} << (hash >> 56 & 63); }
  void AddAll() { std::fill(std::begin(words_), std::end(words_), ~uint64_t{0}); }
  bool Contains(uint64_t hash) const { return (words_[hash >> 62] >> (hash >> 56 & 63) & 1) != 0; }

 private:
  uint64_t words_[4] = {0, 0, 0, 0};
};

// What a burst adds to the counters, written once.
struct Tally {
  uint64_t bytes = 0;
  uint64_t observed = 0;  // frames of devices in observe mode that no rule allows
};

template <Side kSide>
FlowWords WordsOf(const OrdinaryPacket& packet, uint16_t pair, const HashSeed& seed) noexcept {
  constexpr bool kFromDevice = kSide == Side::kDevice;
  const MacAddress mac{kFromDevice ? packet.source_mac : packet.destination_mac};
  const uint16_t device_port = kFromDevice ? packet.source_port : packet.destination_port;
  const uint16_t peer_port = kFromDevice ? packet.destination_port : packet.source_port;
  FlowWords words;
  words.identity = FlowKey::MakeIdentity(mac, pair, packet.protocol);
  words.tuple = FlowWords::MakeTuple(packet.vlan_outer, packet.vlan_inner, device_port, peer_port);
  if (packet.is_ipv6) {
    words.identity |= FlowWords::kIpv6Bit;
    words.addresses = DigestOf(kFromDevice ? packet.source_v6 : packet.destination_v6,
                               kFromDevice ? packet.destination_v6 : packet.source_v6, seed);
  } else {
    const uint32_t device = kFromDevice ? packet.source_v4 : packet.destination_v4;
    const uint32_t peer = kFromDevice ? packet.destination_v4 : packet.source_v4;
    words.addresses = static_cast<uint64_t>(device) << 32 | peer;
  }
  return words;
}

// The first flow with the tag is the right one nearly always, and its lines are here by now.
template <Side kSide>
FlowIndex Find(const FlowTable& flows, const Traveller& traveller) noexcept {
  const OrdinaryPacket& packet = traveller.packet;
  if (traveller.candidate == kNoFlow) return kNoFlow;
  if (!packet.is_ipv6) {
    const bool is_it = flows.At(traveller.candidate).words == traveller.words;
    return is_it ? traveller.candidate : flows.FindV4(traveller.words, traveller.hash);
  }
  constexpr bool kFromDevice = kSide == Side::kDevice;
  return flows.FindV6(traveller.words, traveller.hash,
                      kFromDevice ? packet.source_v6 : packet.destination_v6,
                      kFromDevice ? packet.destination_v6 : packet.source_v6);
}

// Whether the flow's entry decides the frame without a question to anybody.
template <Side kSide>
bool IsDecided(const Context& context, const FlowEntry& entry, const OrdinaryPacket& packet) {
  const bool is_current = entry.stamp == context.policy.stamp() && entry.express() &&
                          !FlowTable::IsExpired(entry, context.now_ms);
  if (!is_current) return false;
  if constexpr (kSide == Side::kNetwork) return entry.peer_mac == packet.source_mac;
  return true;
}

template <Side kSide>
bool Follow(FlowEntry& entry, const OrdinaryPacket& packet) {
  if (packet.protocol != protocol::kTcp) return true;
  const TcpSegment segment{.sequence = packet.tcp_sequence,
                           .acknowledgment = packet.tcp_acknowledgment,
                           .payload_length = packet.payload_length,
                           .window = packet.tcp_window,
                           .flags = packet.tcp_flags,
                           .window_scale = kNoWindowScale,
                           .is_partial = false};
  return TrackEstablished(entry.tcp, SenderOf(entry, kSide), segment);
}

// Whether the device's limits leave room for the frame.
template <Side kSide>
bool HasRoom(const Context& context, const FlowEntry& entry) {
  return context.shield.Ask(entry.device_slot, context.policy.LimitsOf(entry.device), kSide,
                            context.now) == Reason::kUndecided;
}

template <Side kSide>
void Account(const Context& context, FlowEntry& entry, uint32_t frame_length) {
  const auto sender = static_cast<size_t>(SenderOf(entry, kSide));
  entry.last_seen = context.now_ms;
  ++entry.frames[sender];
  entry.bytes[sender] += frame_length;
}

void Record(const Context& context, const Burst& burst, const Tally& tally) {
  if (burst.express == 0) return;
  constexpr auto kForward = static_cast<size_t>(Verdict::kForward);
  const auto frames = static_cast<uint64_t>(std::popcount(burst.express));
  const auto side = static_cast<size_t>(burst.side);
  PairCounters& pair = context.counters.pairs[std::min<size_t>(burst.pair, kMaxCountedPairs - 1)];
  pair.frames[side][kForward].Add(frames);
  pair.bytes[side][kForward].Add(tally.bytes);
  auto& reasons = context.counters.reasons[kForward];
  reasons[static_cast<size_t>(Reason::kRule)].Add(frames - tally.observed);
  if (tally.observed != 0) {
    reasons[static_cast<size_t>(Reason::kObserveMode)].Add(tally.observed);
  }
}

template <Side kSide>
void Run(const Context& context, Burst& burst) noexcept {
  FlowTable& flows = context.flows;
  std::array<Traveller, kMaxBurst> travellers;
  for (size_t i = 0; i < burst.count; ++i) {
    Traveller& traveller = travellers[i];
    traveller.kind = ParseOrdinary(burst.frames[i], traveller.packet);
    if (burst.preset[i] != Reason::kUndecided) [[unlikely]]
      traveller.kind = Ordinariness::kOther;
    if (traveller.kind < Ordinariness::kKeyed) continue;
    traveller.words = WordsOf<kSide>(traveller.packet, burst.pair, flows.seed());
    traveller.hash = flows.HashOf(traveller.words);
    flows.PrefetchBucket(traveller.hash);
  }
  for (size_t i = 0; i < burst.count; ++i) {
    if (travellers[i].kind != Ordinariness::kOrdinary) continue;
    travellers[i].candidate = flows.Candidate(travellers[i].hash);
    flows.PrefetchEntry(travellers[i].candidate);
  }
  LeftFlows left;
  Tally tally;
  for (size_t i = 0; i < burst.count; ++i) {
    const Traveller& traveller = travellers[i];
    if (traveller.kind != Ordinariness::kOrdinary) [[unlikely]] {
      if (traveller.kind == Ordinariness::kKeyed) left.Add(traveller.hash);
      if (traveller.kind == Ordinariness::kOtherTcp) left.AddAll();
      continue;
    }
    const FlowIndex flow = left.Contains(traveller.hash) ? kNoFlow : Find<kSide>(flows, traveller);
    if (flow == kNoFlow || !IsDecided<kSide>(context, flows.At(flow), traveller.packet) ||
        (flows.At(flow).shielded() && !HasRoom<kSide>(context, flows.At(flow))) ||
        !Follow<kSide>(flows.At(flow), traveller.packet)) {
      left.Add(traveller.hash);
      continue;
    }
    FlowEntry& entry = flows.At(flow);
    if (entry.shielded()) [[unlikely]] {
      context.shield.Take(entry.device_slot, context.policy.LimitsOf(entry.device), kSide,
                          burst.frames[i].length, context.now);
    }
    Account<kSide>(context, entry, burst.frames[i].length);
    burst.slots[i].decision = {entry.verdict, entry.reason, entry.device, entry.rule,
                               entry.rule_timeout_seconds};
    burst.express |= SlotMask{1} << i;
    tally.bytes += burst.frames[i].length;
    tally.observed += entry.reason == Reason::kObserveMode ? 1 : 0;
  }
  Record(context, burst, tally);
}

}  // namespace

void ExpressStage(const Context& context, Burst& burst) noexcept {
  burst.express = 0;
  if (context.policy.generation() == 0) return;
  if (burst.side == Side::kDevice) {
    Run<Side::kDevice>(context, burst);
  } else {
    Run<Side::kNetwork>(context, burst);
  }
}

}  // namespace cordon::dp

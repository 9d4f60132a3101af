// SPDX-License-Identifier: Apache-2.0
// The stages of ProcessBurst, one file each. Private to pipeline/.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/binding/bindings.h"
#include "dataplane/flow/table.h"
#include "dataplane/pipeline/burst.h"
#include "dataplane/pipeline/fragments.h"
#include "dataplane/pipeline/pipeline.h"
#include "dataplane/policy/table.h"
#include "dataplane/shield/shield.h"

namespace cordon::dp {

// What the stages of one burst work with. The burst is decided under one policy, at one time.
struct Context {
  size_t worker;
  const PolicyTable& policy;
  FlowTable& flows;
  Bindings& bindings;
  Fragments& fragments;
  WorkerCounters& counters;
  Reporter& reporter;
  Sweep& sweep;
  Shield& shield;
  const PipelineOptions& options;
  TimePoint now;
  Milliseconds now_ms;
};

// Which slots wait for which stage. A slot that is in none of them is decided.
struct Work {
  SlotMask pieces = 0;  // of datagrams, not taken up yet
  SlotMask judged = 0;  // the first piece of `datagram`, on its way through the other stages
  DatagramIndex datagram = 0;
  SlotMask later_guarded = 0;  // behind that piece: frames are decided in order
  SlotMask later_open = 0;
  SlotMask guarded = 0;   // for a guard: see GuardKind
  SlotMask open = 0;      // to be looked up in the flow table
  SlotMask missed = 0;    // belongs to no flow
  SlotMask stale = 0;     // belongs to a flow that was decided under an older policy
  SlotMask admitted = 0;  // opens a flow
  SlotMask teaching = 0;  // DHCP: says who holds an address, if it passes

  bool has_pieces() const { return (pieces | judged) != 0; }
};

// Calls f(i) for every bit i, lowest first: frames stay in order.
template <typename F>
void ForEach(SlotMask mask, F f) {
  for (; mask != 0; mask &= mask - 1) f(static_cast<size_t>(std::countr_zero(mask)));
}

// Decides what it can: the ordinary frames of established flows, whose decision is known. It
// decides exactly as the other stages would, and leaves them the rest in order (burst.express
// tells).
void ExpressStage(const Context& context, Burst& burst) noexcept;
void ParseStage(Burst& burst) noexcept;
void IdentifyStage(const Context& context, Burst& burst, Work& work) noexcept;
// Ends the waiting of held frames whose time is over. Before all other stages.
void StartFragments(const Context& context, Burst& burst) noexcept;
// Pieces of datagrams take the verdict of their first one, or wait for it. Lets the frames up to
// the next first piece on; called again when that is judged, until no pieces are left.
void FragmentStage(const Context& context, Burst& burst, Work& work) noexcept;
void GuardStage(const Context& context, Burst& burst, Work& work) noexcept;
// These three are a round. A frame whose flow may be changed by an earlier frame of the same burst
// that is a miss or stale stays open for the next round, so frames of one flow are decided in
// order. Nearly always there is one round.
void FlowStage(const Context& context, Burst& burst, Work& work) noexcept;
void PolicyStage(const Context& context, Burst& burst, Work& work) noexcept;
void AdmitStage(const Context& context, Burst& burst, Work& work) noexcept;
// Why the device of a flow that would be admitted may not have it: a rate or a quota. kUndecided:
// it may, and its part is taken.
Reason ShieldFlow(const Context& context, const Slot& slot) noexcept;
// A frame that would pass: it takes its part of the device's limits, or its decision says why not.
void ShieldFrame(const Context& context, const FlowKey& key, Side side, uint32_t frame_length,
                 Decision& decision) noexcept;
// Drops what exceeds the limits of its device among all that would pass. It comes last, so that
// only what passes counts.
void ShieldStage(const Context& context, Burst& burst) noexcept;
void LearnStage(const Context& context, Burst& burst, Work& work) noexcept;
void RecordStage(const Context& context, Burst& burst) noexcept;
void ExpireStage(const Context& context) noexcept;
void QueryStage(const Context& context) noexcept;

inline bool IsIcmpError(const Packet& packet) noexcept {
  return packet.icmp_kind == IcmpKind::kError;
}

}  // namespace cordon::dp

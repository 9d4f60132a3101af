// SPDX-License-Identifier: Apache-2.0
// A burst: the frames of one receive call and all that the stages learn about them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/flow/table.h"
#include "dataplane/packet/packet.h"
#include "dataplane/policy/decide.h"

namespace cordon::dp {

inline constexpr size_t kMaxBurst = 32;

// A bit per slot of a burst.
using SlotMask = uint32_t;
static_assert(kMaxBurst <= 32);

struct Slot {
  Decision decision;  // starts as drop / undecided
  Packet packet;      // not set for frames that the express stage decided
  Side side = Side::kDevice;
  DeviceIndex device = kNoDevice;
  FlowKey key;
  uint64_t hash = 0;
  // --- between the stages only
  FlowIndex flow = kNoFlow;
  Initiator initiator = Initiator::kDevice;  // of the flow to be admitted
};

// io/ (or replay) sets pair, side, count, frames[0..count) and, where it must, preset[0..count);
// ProcessBurst fills slots[0..count) and resets presets. All frames of a burst come from one port.
struct Burst {
  uint16_t pair = 0;
  Side side = Side::kDevice;
  size_t count = 0;
  std::array<Frame, kMaxBurst> frames;
  // Why a frame must be dropped whatever the mode of its device, for what only the port knows: a
  // frame whose VLAN tag was lost cannot leave byte-identical. kUndecided: the pipeline decides.
  std::array<Reason, kMaxBurst> preset{};
  std::array<Slot, kMaxBurst> slots;
  // --- the pipeline's answer, a bit per frame
  SlotMask express = 0;  // decided by the express stage
  SlotMask forward = 0;  // may leave: forwarded or audited

  bool ShouldForward(size_t i) const { return (forward >> i & 1) != 0; }
  // The frames that are there.
  SlotMask all() const { return count == 0 ? 0 : ~SlotMask{0} >> (kMaxBurst - count); }
};

}  // namespace cordon::dp

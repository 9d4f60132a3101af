// SPDX-License-Identifier: Apache-2.0
// A burst: the frames of one receive call and all that the stages learn about them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/flow/table.h"
#include "dataplane/fragment/table.h"
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

// A frame of this or an earlier burst that was held, and now has its verdict.
struct ReleasedFrame {
  Decision decision;
  HoldTicket ticket = kNoTicket;
  uint8_t before = 0;  // it leaves before this frame of the burst at hand
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

  // Frames (a bit each) that are neither sent nor freed now: io keeps them under their tickets
  // until those are released, which may be in this very burst.
  SlotMask held = 0;
  std::array<HoldTicket, kMaxBurst> tickets{};
  // In the order in which they leave; of any pair. Good until the next ProcessBurst.
  std::span<const ReleasedFrame> released;

  bool IsHeld(size_t i) const { return (held >> i & 1) != 0; }
  bool ShouldForward(size_t i) const { return (forward >> i & 1) != 0; }
  // The frames that are there.
  SlotMask all() const { return count == 0 ? 0 : ~SlotMask{0} >> (kMaxBurst - count); }
};

}  // namespace cordon::dp

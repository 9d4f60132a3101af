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

struct Slot {
  Packet packet;
  Decision decision;      // starts as drop / undecided
  Side side = Side::kDevice;
  DeviceIndex device = kNoDevice;
  FlowKey key;
  uint64_t hash = 0;
  FlowIndex flow = kNoFlow;
  uint8_t state = 0;      // private to the pipeline: what is still to be done for this slot
};

// io/ (or replay) sets pair, side, count and frames[0..count); ProcessBurst fills slots[0..count).
// All frames of a burst come from one port.
struct Burst {
  uint16_t pair = 0;
  Side side = Side::kDevice;
  size_t count = 0;
  std::array<Frame, kMaxBurst> frames;
  std::array<Slot, kMaxBurst> slots;

  bool ShouldForward(size_t i) const { return slots[i].decision.verdict != Verdict::kDrop; }
};

}  // namespace cordon::dp

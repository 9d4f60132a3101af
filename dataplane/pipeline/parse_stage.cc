// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {

// Decides only what cannot be attributed or must not leave whatever its device's mode. Other
// malformed frames stay undecided with packet.reason set: IdentifyStage knows whose they are.
void ParseStage(Burst& burst) noexcept {
  ForEach(burst.all() & ~burst.express, [&](size_t i) {
    Slot& slot = burst.slots[i];
    slot.decision = Decision{};
    slot.side = burst.side;
    slot.device = kNoDevice;
    slot.flow = kNoFlow;
    ParseFrame(burst.frames[i], slot.packet);
    if (burst.preset[i] != Reason::kUndecided) [[unlikely]] {
      slot.decision.reason = burst.preset[i];
      burst.preset[i] = Reason::kUndecided;
    } else if (!slot.packet.has_ethernet) [[unlikely]] {
      slot.decision.reason = slot.packet.reason;
    }
  });
}

}  // namespace cordon::dp

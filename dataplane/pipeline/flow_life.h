// SPDX-License-Identifier: Apache-2.0
// What happens to a flow as a whole, whichever stage is the cause. Private to pipeline/.
#pragma once

#include "dataplane/pipeline/stages.h"

namespace cordon::dp {

// Reports the flow's end and frees it.
void EndFlow(const Context& context, FlowIndex flow) noexcept;

// Decides a flow that was decided under an older policy again: by its stored key and initiator,
// because the frame at hand may be a reply. If it may not go on it ends here, and the decision says
// why; else the entry is up to date and the verdict is not kDrop.
Decision Redecide(const Context& context, FlowIndex flow) noexcept;

// Tells once that the responder of a flow answers. A RST is no answer: nobody listens there.
void NoteAnswer(const Context& context, FlowIndex flow, FlowSide sender,
                const Packet& packet) noexcept;

// Which end of the flow sent a frame that came from `side`.
inline FlowSide SenderOf(const FlowEntry& entry, Side side) noexcept {
  return entry.initiated_by_peer() == (side == Side::kNetwork) ? FlowSide::kInitiator
                                                               : FlowSide::kResponder;
}

}  // namespace cordon::dp

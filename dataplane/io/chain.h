// SPDX-License-Identifier: Apache-2.0
// Frames that a driver put in several buffers: longer ones than a buffer holds.
#pragma once

#include "dataplane/packet/packet.h"

struct rte_mbuf;

namespace cordon::dp {

// All headers that are looked at lie in the first bytes of a frame; these are in its first buffer.
inline constexpr uint16_t kHeadBytes = 256;

// Shows a frame in several buffers: the first of them as bytes, the others summed up. If the first
// is very short, as much of the next ones is moved into it as headers may need; the frame stays
// what it was. kUndecided, or why the frame must be dropped: longer than `longest`, the longest
// that may leave in several buffers, or no room to move. Cost: proportional to the frame's length.
Reason ShowChain(rte_mbuf& mbuf, uint32_t longest, Frame& frame) noexcept;

}  // namespace cordon::dp

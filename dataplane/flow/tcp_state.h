// SPDX-License-Identifier: Apache-2.0
// The TCP connection as the gateway in the middle sees it: enough to know whether it is half open,
// established or closing, and which segments fit. Names follow RFC 9293, seen from the middle.
#pragma once

#include <cstdint>

#include "dataplane/flow/tcp_track.h"

namespace cordon::dp {

struct TcpTransition {
  TcpState next = TcpState::kNone;
  bool fits = false;     // false: drop the segment (tcp_state), the state stays
  bool reopens = false;  // a SYN on a closed flow: decide it as a new flow; it fits then, too
};

// What one segment does to a flow in `state` (the table is in tcp_state.cc). `fins` is a bit per
// FlowSide whose FIN was seen; it is updated when the segment fits. Sequence numbers are not
// looked at: a RST closes whatever its number.
// `payload_length`: bytes of data in the segment.
TcpTransition NextTcpState(TcpState state, FlowSide from, uint8_t tcp_flags,
                           uint32_t payload_length, uint8_t& fins) noexcept;

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// The facts of a frame once more: from the standards and from check.def and reason.def, slow, by
// copying slices of bytes. Shares nothing with packet/ but plain types.
//
// Where the parser must name one reason, this names every one that applies: which comes first is
// nobody's business.
#pragma once

#include <cstdint>
#include <set>

#include "dataplane/packet/packet.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp::testing {

struct OracleFrame {
  Packet facts;             // as ParseFrame would leave it; `reason` stays kUndecided
  std::set<Reason> faults;  // why the frame is always refused; empty: it is well-formed
};

OracleFrame ReadFrame(const Bytes& frame);

}  // namespace cordon::dp::testing

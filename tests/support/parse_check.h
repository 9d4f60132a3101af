// SPDX-License-Identifier: Apache-2.0
// Compares what the parser found in a frame with what the oracle reads in it.
#pragma once

#include <string>

#include "dataplane/packet/packet.h"
#include "tests/support/oracle_frame.h"

namespace cordon::dp::testing {

// The first field that differs, in words; "" if none does. Of a frame that is always refused only
// the reason counts, which must be one of those that apply, and what it is attributed by.
std::string DifferenceOf(const Packet& parsed, const OracleFrame& expected);

}  // namespace cordon::dp::testing

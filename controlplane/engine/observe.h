// SPDX-License-Identifier: Apache-2.0
// From reported flows to what learning keeps.
#pragma once

#include <vector>

#include "controlplane/engine/flow_record.h"
#include "controlplane/profile/learn.h"

namespace cordon::cp {

// Observations of the flows that passed (forwarded or audited) and belong to a device. Refused
// frames are no evidence of need. The listening side's port is kept, the ephemeral one's is not.
// `now` bounds times that a gateway with a wrong clock reports.
std::vector<Observation> Observe(const std::vector<FlowRecord>& records,
                                 std::chrono::system_clock::time_point now);

}  // namespace cordon::cp

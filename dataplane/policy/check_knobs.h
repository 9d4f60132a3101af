// SPDX-License-Identifier: Apache-2.0
// Faults of what a policy sets beside rules: checks, limits, guards. Private to policy/.
#pragma once

#include <string>

#include "dataplane/policy/faults.h"
#include "dataplane/policy/spec.h"

namespace cordon::dp {

// `path` is that of the field: "devices[3].protection", or "protection" for the gateway's own.
void CheckProtection(const ProtectionSpec& protection, const std::string& path, FaultList& faults);
void CheckLimits(const LimitSpec& limits, const std::string& path, FaultList& faults);
void CheckGuards(const GuardSpec& guards, const std::string& path, const PolicyLimits& capacity,
                 FaultList& faults);

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// Protection, limits and guards of a pushed policy set. Private to agent/.
#pragma once

#include <functional>
#include <string>

#include "cordon/v1/policy_set.pb.h"
#include "dataplane/policy/spec.h"

namespace cordon::dp {

// Takes a field path and what is wrong there.
using ReportFault = std::function<void(std::string path, std::string message)>;

ProtectionSpec ReadProtection(const v1::Protection& from, const std::string& path,
                              const ReportFault& fault);
// Ranges are Compile's to check.
LimitSpec ReadLimits(const v1::Limits& from);
GuardSpec ReadGuards(const v1::PairGuards& from, const std::string& path, const ReportFault& fault);

}  // namespace cordon::dp

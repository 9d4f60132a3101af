// SPDX-License-Identifier: Apache-2.0
// Would this packet pass, and why? Compiles the policy set and asks dp::Decide: the guard's own
// words.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controlplane/policy/assemble.h"
#include "dataplane/policy/decide.h"

namespace cordon::cp {

struct Question {
  std::string device;
  dp::FlowQuestion flow;  // vlan is filled in from the device
};

struct Explanation {
  dp::Verdict verdict = dp::Verdict::kDrop;
  dp::Reason reason = dp::Reason::kUndecided;
  std::string rule;         // origin
  std::string rule_reason;  // from the profile
  std::string profile;
  DeviceMode mode = DeviceMode::kObserve;
  std::string gateway;
  std::vector<std::string> considered;  // each rule of the device and why it did not match
};

// nullopt if the device does not exist or stands behind no gateway. `table` is the compiled policy
// of its gateway, made from `configuration` at `now` (Unix seconds).
std::optional<Explanation> Explain(const Configuration& configuration, const dp::PolicyTable& table,
                                   const Question& question, int64_t now = 0);

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// v1.PolicySet -> PolicySpec: the only way a policy from outside gets in. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cordon/v1/policy_set.pb.h"
#include "dataplane/policy/spec.h"
#include "dataplane/policy/table.h"

namespace cordon::dp {

// Bounds for one policy set, beside those of Compile. What exceeds them is a fault.
struct PolicySetLimits {
  int name_bytes = 256;
  int pairs = 64;
  int rulesets = 200'000;
  int rules_per_ruleset = 4096;
  int prefixes_per_rule = 4096;
  int port_ranges_per_rule = 1024;
  int devices = 200'000;
  int overlay_rules = 256;
  int macs_per_device = 64;
  int ips_per_device = 1024;
  size_t faults = 1000;  // further ones are counted in a last one
};

struct PolicySetResult {
  PolicySpec spec;  // to be used only if there are no faults
  std::vector<Fault> faults;
};

// Checks every field and reports all faults with their field paths. `gateway` is the name the set
// must be for; `wired_pairs` are the pairs of this gateway in order of pair number: they become
// spec.pairs, and a pair of the set that is not among them is a fault.
PolicySetResult FromProto(const v1::PolicySet& set, const std::string& gateway,
                          const std::vector<std::string>& wired_pairs,
                          const PolicySetLimits& limits = {});

}  // namespace cordon::dp

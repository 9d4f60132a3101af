// SPDX-License-Identifier: Apache-2.0
// Resolve and assemble: from documents with names to the policy set of one gateway with addresses.
#pragma once

#include <string>
#include <vector>

#include "controlplane/policy/configuration.h"
#include "dataplane/policy/spec.h"

namespace cordon::cp {

// The policy set in the form the data plane compiles: one type for what is pushed, compared and
// explained. rpc/convert.* turns it into v1.PolicySet.
using PolicySet = dp::PolicySpec;

struct Checked {
  std::vector<InputFault> faults;  // nothing may be assembled while there are any
  std::vector<InputFault> warnings;
};

// All faults of a configuration at once: unknown profiles, peers, gateways and pairs, duplicate or
// overlapping identities (MAC and VLAN on one pair, bound address on one pair), rules without peer
// or reason, a device without profile. `places` makes messages name file and line.
Checked Check(const Configuration& configuration, const Places& places = {});

// Precondition: Check found no faults. Devices without gateway are left out; devices in the order
// of their names; devices with the same profile share a ruleset. Pure and deterministic.
PolicySet Assemble(const Configuration& configuration, const std::string& gateway,
                   uint64_t generation);

// Whether two sets enforce the same, generation aside.
bool SameContent(const PolicySet& a, const PolicySet& b);

// What a change means for flows, one sentence a line, in device and peer names.
std::vector<std::string> DescribeEffects(const Configuration& before, const Configuration& after);

}  // namespace cordon::cp

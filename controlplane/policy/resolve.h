// SPDX-License-Identifier: Apache-2.0
// Resolve: where names stop. Private to controlplane/policy.
#pragma once

#include <map>
#include <string>

#include "controlplane/policy/configuration.h"
#include "dataplane/policy/spec.h"

namespace cordon::cp {

// Precondition: Check found no faults (a peer that does not resolve is left out).
dp::RuleSpec ResolveRule(const std::string& profile, const ProfileRule& rule,
                         const std::map<std::string, Peer>& peers);
dp::RulesetSpec ResolveRuleset(const Profile& profile, const std::map<std::string, Peer>& peers);
dp::Mode ResolveMode(DeviceMode mode);

// Copies of the profiles, in the form AssignProfile takes.
std::vector<Profile> ProfileList(const Configuration& configuration);

}  // namespace cordon::cp

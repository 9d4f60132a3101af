// SPDX-License-Identifier: Apache-2.0
// Resolve: where names stop. Private to controlplane/policy.
#pragma once

#include <map>
#include <string>

#include "controlplane/policy/configuration.h"
#include "dataplane/policy/spec.h"

namespace cordon::cp {

// Precondition: Check found no faults (a peer that does not resolve is left out).
// `rule` is one of ExpandRules.
dp::RuleSpec ResolveRule(const std::string& profile, const ProfileRule& rule,
                         const std::map<std::string, Peer>& peers);
dp::OverlayRuleSpec ResolveOverlayRule(const std::string& overlay, const OverlayRule& rule,
                                       const std::map<std::string, Peer>& peers);
// A level that is not set is the standard one.
dp::ProtectionSpec ResolveProtection(const Protection& protection);
dp::LimitSpec ResolveLimits(const Limits& limits);
dp::RulesetSpec ResolveRuleset(const Profile& profile, const std::map<std::string, Peer>& peers);
dp::Mode ResolveMode(DeviceMode mode);

// Copies of the profiles, in the form AssignProfile takes.
std::vector<Profile> ProfileList(const Configuration& configuration);

}  // namespace cordon::cp

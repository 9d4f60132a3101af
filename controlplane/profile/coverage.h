// SPDX-License-Identifier: Apache-2.0
// Whether a profile already allows what a proposed rule would. Private to profile/.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "controlplane/profile/profile.h"

namespace cordon::cp {

// `proposed` names one L4 port or ICMP type; `addresses` are its peers. Returns the rule of
// `present` that allows all of it, or, if it takes several, each of them in order: "a, b". Empty if
// something is not allowed or cannot be told: a rule bound to a VLAN or to the initiator's own
// ports.
std::string CoveredBy(const ProfileRule& proposed, const std::set<dp::IpAddress>& addresses,
                      const Profile& present, const std::vector<Peer>& peers);

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// Rules that never count because an earlier one of their profile allows all that they allow.
#pragma once

#include <cstddef>

#include "controlplane/profile/profile.h"

namespace cordon::cp {

// The first rule in front of profile.rules[index] that allows whatever this one allows; null if
// there is none. Peers are compared as they are written: a name covers itself, a prefix the
// addresses in it, "any" everything. Pure.
const ProfileRule* FindCovering(const Profile& profile, size_t index);

}  // namespace cordon::cp

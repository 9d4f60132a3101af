// SPDX-License-Identifier: Apache-2.0
// Presets: a rule that names one stands for the rules of preset.def.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controlplane/profile/profile.h"

namespace cordon::cp {

// Names, in the order of the list.
std::vector<std::string> PresetNames();
// What it is for, in a sentence; empty if there is no such preset.
std::string_view PresetHelp(std::string_view name);

// The rules that a rule stands for: itself, or the lines of its preset, each with the rule's peers,
// VLAN, timeout, expiry and so on. None for a preset that does not exist.
std::vector<ProfileRule> ExpandRule(const ProfileRule& rule);
std::vector<ProfileRule> ExpandRules(const std::vector<ProfileRule>& rules);

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/inventory/knobs.h"

namespace cordon::cp {

std::string_view ToString(CheckAction action) {
  return action == CheckAction::kPass ? "pass" : "drop";
}

std::string_view ToString(Limit limit) {
  for (const auto& [value, name] : kLimitNames) {
    if (value == limit) return name;
  }
  return "";
}

// A level of the device's own is a fresh start: the profile's checks were meant for its level.
Knobs Overlaid(const Knobs& profile, const Knobs& device) {
  Knobs knobs = profile;
  if (device.protection.level) knobs.protection = {device.protection.level, {}};
  for (const auto& [check, action] : device.protection.checks) {
    knobs.protection.checks[check] = action;
  }
  for (const auto& [limit, value] : device.limits) knobs.limits[limit] = value;
  return knobs;
}

std::map<std::string, std::string> DescribeKnobs(const Protection& protection) {
  std::map<std::string, std::string> words;
  if (protection.level) words["protection"] = ToString(*protection.level);
  for (const auto& [check, action] : protection.checks) {
    words["checks." + std::string(dp::ToString(check))] = ToString(action);
  }
  return words;
}

std::map<std::string, std::string> DescribeKnobs(const Knobs& knobs) {
  std::map<std::string, std::string> words = DescribeKnobs(knobs.protection);
  for (const auto& [limit, value] : knobs.limits) {
    words["limits." + std::string(ToString(limit))] = std::to_string(value);
  }
  return words;
}

std::vector<std::string> DescribeChange(const std::map<std::string, std::string>& before,
                                        const std::map<std::string, std::string>& after) {
  std::map<std::string, std::pair<std::string, std::string>> both;
  for (const auto& [field, value] : before) both[field].first = value;
  for (const auto& [field, value] : after) both[field].second = value;
  std::vector<std::string> details;
  for (const auto& [field, values] : both) {
    const auto& [old, now] = values;
    if (old == now) continue;
    details.push_back(field + ": " + (old.empty() ? "(none)" : old) + " -> " +
                      (now.empty() ? "(none)" : now));
  }
  return details;
}

}  // namespace cordon::cp

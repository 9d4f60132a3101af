// SPDX-License-Identifier: Apache-2.0
#include "controlplane/inventory/device.h"

#include <array>
#include <utility>

namespace cordon::cp {
namespace {

constexpr std::array<std::pair<DeviceMode, std::string_view>, 4> kModeNames{{
    {DeviceMode::kObserve, "observe"},
    {DeviceMode::kAudit, "audit"},
    {DeviceMode::kEnforce, "enforce"},
    {DeviceMode::kQuarantine, "quarantine"},
}};

template <typename T>
std::string Joined(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) {
    if (!text.empty()) text += ", ";
    text += dp::ToString(value);
  }
  return text;
}

std::string OrNone(std::string text) { return text.empty() ? "(none)" : text; }

void Compare(std::string_view field, std::string before, std::string after,
             std::vector<std::string>& details) {
  if (before == after) return;
  std::string detail(field);
  detail += ": ";
  detail += OrNone(std::move(before));
  detail += " -> ";
  detail += OrNone(std::move(after));
  details.push_back(std::move(detail));
}

}  // namespace

std::string_view ToString(DeviceMode mode) {
  for (const auto& [value, name] : kModeNames) {
    if (value == mode) return name;
  }
  return "unknown";
}

std::optional<DeviceMode> ParseDeviceMode(std::string_view text) {
  for (const auto& [value, name] : kModeNames) {
    if (name == text) return value;
  }
  return std::nullopt;
}

std::vector<std::string> DescribeChange(const Device& before, const Device& after) {
  std::vector<std::string> details;
  Compare("name", before.name, after.name, details);
  Compare("mac", Joined(before.macs), Joined(after.macs), details);
  Compare("ip", Joined(before.ips), Joined(after.ips), details);
  Compare("vlan", dp::ToString(before.vlan), dp::ToString(after.vlan), details);
  Compare("vendor", before.vendor, after.vendor, details);
  Compare("model", before.model, after.model, details);
  Compare("class", before.device_class, after.device_class, details);
  Compare("location", before.location, after.location, details);
  Compare("serial", before.serial, after.serial, details);
  Compare("asset_tag", before.asset_tag, after.asset_tag, details);
  Compare("profile", before.profile, after.profile, details);
  Compare("gateway", before.gateway, after.gateway, details);
  Compare("pair", before.pair, after.pair, details);
  Compare("mode", std::string(ToString(before.mode)), std::string(ToString(after.mode)), details);
  const auto knobs = DescribeChange(DescribeKnobs(before.knobs), DescribeKnobs(after.knobs));
  details.insert(details.end(), knobs.begin(), knobs.end());
  return details;
}

}  // namespace cordon::cp

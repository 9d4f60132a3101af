// SPDX-License-Identifier: Apache-2.0
#include "controlplane/inventory/device_fields.h"

#include <algorithm>

#include "controlplane/inventory/cell.h"

namespace cordon::cp {
namespace {

// Fills what `device` does not know from `other`; false if the two disagree.
bool Complete(std::string& device, const std::string& other) {
  if (device.empty()) device = other;
  return other.empty() || FoldedCell(device) == FoldedCell(other);
}
template <typename T>
bool CompleteValues(std::vector<T>& device, const std::vector<T>& other) {
  if (device.empty()) device = other;
  return other.empty() || device == other;
}
// No VLAN in a row means that the row does not say.
bool CompleteVlan(dp::VlanTags& device, dp::VlanTags other) {
  if (device == dp::VlanTags{}) device = other;
  return other == dp::VlanTags{} || device == other;
}

template <typename T>
void Unite(std::vector<T>& known, const std::vector<T>& more) {
  for (const T& value : more) {
    if (std::find(known.begin(), known.end(), value) == known.end()) known.push_back(value);
  }
}

// The file's order of addresses means nothing; a mere reordering is no change.
template <typename T>
void Replace(std::vector<T>& known, const std::vector<T>& now) {
  if (now.empty()) return;
  std::vector<T> sorted = known;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != now) known = now;
}

void SetIfGiven(std::string& known, const std::string& now) {
  if (!now.empty()) known = now;
}
void SetIfEmpty(std::string& known, const std::string& now) {
  if (known.empty()) known = now;
}

}  // namespace

std::vector<std::string_view> Combine(Device& device, const Device& other) {
  std::vector<std::string_view> fields;
  const auto check = [&fields](std::string_view field, bool agreed) {
    if (!agreed) fields.push_back(field);
  };
  check("mac", CompleteValues(device.macs, other.macs));
  check("ip", CompleteValues(device.ips, other.ips));
  check("vlan", CompleteVlan(device.vlan, other.vlan));
  check("vendor", Complete(device.vendor, other.vendor));
  check("model", Complete(device.model, other.model));
  check("class", Complete(device.device_class, other.device_class));
  check("location", Complete(device.location, other.location));
  check("serial", Complete(device.serial, other.serial));
  check("asset_tag", Complete(device.asset_tag, other.asset_tag));
  check("profile", Complete(device.profile, other.profile));
  check("gateway", Complete(device.gateway, other.gateway));
  check("pair", Complete(device.pair, other.pair));
  check("mode", device.mode == other.mode);
  return fields;
}

Device Updated(const Device& existing, const Device& row, const std::string& source) {
  Device device = existing;
  const bool imported = existing.source.starts_with(kImportSource);
  if (imported) {
    Replace(device.macs, row.macs);
    Replace(device.ips, row.ips);
  } else {
    Unite(device.macs, row.macs);
    Unite(device.ips, row.ips);
  }
  if (row.vlan != dp::VlanTags{}) device.vlan = row.vlan;
  SetIfGiven(device.vendor, row.vendor);
  SetIfGiven(device.model, row.model);
  SetIfGiven(device.device_class, row.device_class);
  SetIfGiven(device.location, row.location);
  SetIfGiven(device.serial, row.serial);
  SetIfGiven(device.asset_tag, row.asset_tag);
  SetIfEmpty(device.profile, row.profile);
  // A pair is one of its gateway's: one without the other would mix two places.
  if (device.gateway.empty()) {
    device.gateway = row.gateway;
    SetIfEmpty(device.pair, row.pair);
  } else if (device.gateway == row.gateway) {
    SetIfEmpty(device.pair, row.pair);
  }
  if (device != existing && imported) device.source = source;
  return device;
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// A medical device as the inventory knows it: facts only, no rights.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controlplane/inventory/knobs.h"
#include "dataplane/packet/address.h"
#include "dataplane/packet/packet.h"

namespace cordon::cp {

// Where a device's traffic stands on its way to enforcement. Mirrors dp::Mode by name.
enum class DeviceMode { kObserve, kAudit, kEnforce, kQuarantine };
std::string_view ToString(DeviceMode mode);
std::optional<DeviceMode> ParseDeviceMode(std::string_view text);

struct Device {
  std::string name;  // unique
  std::vector<dp::MacAddress> macs;
  std::vector<dp::IpAddress> ips;
  dp::VlanTags vlan;
  std::string vendor;
  std::string model;
  std::string device_class;  // "infusion-pump"
  std::string location;
  std::string serial;
  std::string asset_tag;
  std::string profile;  // named by the administrator; empty: assigned by class, vendor and model
  std::string gateway;  // empty: known, but behind no gateway yet
  std::string pair;
  DeviceMode mode = DeviceMode::kObserve;
  Knobs knobs{};       // its own; the profile's hold where it sets none
  std::string source;  // "apply" or "import:FILE"
  friend bool operator==(const Device&, const Device&) = default;
};

// One thing that is wrong with input, and where ("policy.yaml:12", "inventory.csv:17: column
// 'MAC'").
struct InputFault {
  std::string place;
  std::string message;
  friend bool operator==(const InputFault&, const InputFault&) = default;
};

// "mac: ... -> ...": the fields that differ, in order of declaration; source is not compared.
std::vector<std::string> DescribeChange(const Device& before, const Device& after);

}  // namespace cordon::cp

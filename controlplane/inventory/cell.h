// SPDX-License-Identifier: Apache-2.0
// What a cell of an inventory means. Private to inventory/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "controlplane/inventory/device.h"

namespace cordon::cp {

// Without surrounding blanks, and without what spreadsheets put around text that looks like a
// number: ="00123" and '00123.
std::string_view TrimmedCell(std::string_view cell);
// "n/a", "none", "-", "unknown", "tbd", "dhcp": words for an empty cell.
bool IsPlaceholder(std::string_view cell);
// Runs of blanks and control characters become one space.
std::string OneLine(std::string_view cell);
// For comparison: ASCII in lower case, one space for any run of blanks.
std::string FoldedCell(std::string_view cell);
// For comparison of headers: letters and digits only.
std::string FoldedHeader(std::string_view header);

// An address that one device can have: not zero, not broadcast or multicast, not loopback.
std::optional<dp::MacAddress> ParseDeviceMac(std::string_view text);
std::optional<dp::IpAddress> ParseDeviceIp(std::string_view text);
std::optional<dp::VlanTags> ParseVlanCell(std::string_view text);  // "30", "VLAN 30", "untagged"

// A resource name made of free text: a-z, 0-9, '.', '_', '-', beginning with a letter or digit.
// Empty if nothing is left.
std::string NameFrom(std::string_view text, size_t max_size);

// Names in use, and for each the last number that was tried behind it.
using NameSet = std::unordered_map<std::string, int>;
// The name, or name-2, name-3 ... if it is in use; at most 63 characters. Enters it into the set.
std::string UniqueName(const std::string& name, NameSet& names);

}  // namespace cordon::cp

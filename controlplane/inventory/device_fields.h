// SPDX-License-Identifier: Apache-2.0
// Field by field: two rows about one device, and a row laid over a known device. Private to
// inventory/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controlplane/inventory/device.h"

namespace cordon::cp {

inline constexpr std::string_view kImportSource = "import:";  // in front of the file's name

// Fills what `device` does not know from `other`. Returns the fields in which the two disagree;
// their names are not compared: the importer numbered them.
std::vector<std::string_view> Combine(Device& device, const Device& other);

// `existing` as it is after an import from `source` described it as `row`: see MergeDevices.
Device Updated(const Device& existing, const Device& row, const std::string& source);

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// What a reason's name means. The words are the gateway's own list. Pure.
#pragma once

#include <string>

namespace cordon::cp::cli {

// "no rule of the device allows the flow"; "" for a name this program does not know (a newer
// gateway's).
std::string ReasonHelp(const std::string& name);

// "no_rule: no rule of the device allows the flow", or the name alone.
std::string FormatReason(const std::string& name);

}  // namespace cordon::cp::cli

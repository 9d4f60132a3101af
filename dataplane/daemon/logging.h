// SPDX-License-Identifier: Apache-2.0
// Logging of both daemons: spdlog to stderr, one line a message, UTC.
#pragma once

#include <string_view>

namespace cordon::dp {

// The levels a configuration may name, separated by ", ".
inline constexpr std::string_view kLogLevels = "trace, debug, info, warn, error";

// Sets up the default logger. False, and nothing changes, if there is no such level. Call before
// other threads log.
bool ConfigureLogging(std::string_view level);

}  // namespace cordon::dp

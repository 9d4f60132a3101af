// SPDX-License-Identifier: Apache-2.0
// Moments as documents write them: RFC 3339, to the second.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cordon::cp {

// "2026-12-24T18:00:00Z" or "2026-12-24T19:00:00+01:00" -> Unix seconds. nullopt if it is anything
// else, no date of the calendar, before 1970 or after 9999. A leap second counts as the next one.
std::optional<int64_t> ParseInstant(std::string_view text);
std::string FormatInstant(int64_t unix_seconds);  // in UTC

}  // namespace cordon::cp

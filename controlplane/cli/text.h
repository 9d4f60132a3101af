// SPDX-License-Identifier: Apache-2.0
// Words and numbers for people: durations, times, counts. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cordon::cp::cli {

using Clock = std::chrono::system_clock;

// The text with every control character (C0, DEL, C1) and every byte that is not UTF-8 written as
// "\xNN". Names come from inventories and from the wire: none of them may move the cursor.
std::string Printable(std::string_view text);

// Columns that a Printable() text takes on a terminal, counting every code point as one.
size_t DisplayWidth(std::string_view text);

// The first `width` columns, the last of them "…" if something was cut off.
std::string Ellipsize(std::string_view text, size_t width);

// "0.4 ms", "38 ms", "1.2 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
std::string FormatDuration(std::chrono::nanoseconds duration);

// "just now", "42 s ago", "3 min ago", "2 h ago", "5 d ago"; a time ahead is "in 5 min".
std::string FormatAgo(Clock::time_point time, Clock::time_point now);

// Local time, "2026-11-23 19:30:43".
std::string FormatTime(Clock::time_point time);

// "1,234,567".
std::string FormatCount(uint64_t count);

// "512 B", "4.0 KiB", "1.2 GiB".
std::string FormatBytes(uint64_t bytes);

// "1 device", "1,204 devices".
std::string Plural(uint64_t count, std::string_view singular);

// "500ms", "30s", "2m", "1h"; a bare number is seconds. nullopt unless it is above zero and at most
// a day.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

// "a, b, c"; "-" if there is none.
std::string Join(const std::vector<std::string>& parts, std::string_view separator = ", ");

// The one of `known` that `word` is most likely meant to be, if it is at most two edits away.
std::optional<std::string> ClosestWord(std::string_view word,
                                       const std::vector<std::string>& known);

}  // namespace cordon::cp::cli

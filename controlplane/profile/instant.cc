// SPDX-License-Identifier: Apache-2.0
#include "controlplane/profile/instant.h"

#include <chrono>
#include <cstdio>

namespace cordon::cp {
namespace {

// Reads `digits` digits at `at`, which then stands behind them.
std::optional<int> Number(std::string_view text, size_t& at, size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    const char c = text[at++];
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// Reads numbers of `digits[i]` digits with `marks[i]` behind them.
template <size_t kCount>
bool Read(std::string_view text, size_t& at, const size_t (&digits)[kCount], std::string_view marks,
          int (&values)[kCount]) {
  for (size_t i = 0; i < kCount; ++i) {
    const auto value = Number(text, at, digits[i]);
    if (!value) return false;
    values[i] = *value;
    if (i >= marks.size()) continue;
    if (at >= text.size() || text[at] != marks[i]) return false;
    ++at;
  }
  return true;
}

// "Z" or "+01:00" to the end of the text, as seconds east of UTC.
std::optional<int> Offset(std::string_view text, size_t at) {
  if (at >= text.size()) return std::nullopt;
  const char sign = text[at++];
  if (sign == 'Z' || sign == 'z') return at == text.size() ? std::optional(0) : std::nullopt;
  int values[2] = {};
  if ((sign != '+' && sign != '-') || !Read(text, at, {2, 2}, ":", values)) return std::nullopt;
  if (at != text.size() || values[0] > 23 || values[1] > 59) return std::nullopt;
  const int seconds = values[0] * 3600 + values[1] * 60;
  return sign == '+' ? seconds : -seconds;
}

}  // namespace

std::optional<int64_t> ParseInstant(std::string_view text) {
  size_t at = 0;
  int date[3] = {}, time[3] = {};
  if (!Read(text, at, {4, 2, 2}, "--", date)) return std::nullopt;
  if (at >= text.size() || (text[at] != 'T' && text[at] != 't' && text[at] != ' ')) {
    return std::nullopt;
  }
  ++at;
  if (!Read(text, at, {2, 2, 2}, "::", time)) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(date[0]),
                                        std::chrono::month(static_cast<unsigned>(date[1])),
                                        std::chrono::day(static_cast<unsigned>(date[2]))};
  const auto offset = Offset(text, at);
  if (!day.ok() || !offset || time[0] > 23 || time[1] > 59 || time[2] > 60) return std::nullopt;
  const int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  const int64_t seconds = days * 86'400 + time[0] * 3600 + time[1] * 60 + time[2] - *offset;
  constexpr int64_t kLatest = 253'402'300'799;  // 9999-12-31T23:59:59Z
  if (seconds <= 0 || seconds > kLatest) return std::nullopt;
  return seconds;
}

std::string FormatInstant(int64_t unix_seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  char text[40];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

}  // namespace cordon::cp

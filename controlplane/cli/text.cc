// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <numeric>

namespace cordon::cp::cli {
namespace {

using std::chrono::nanoseconds;

// Length of the UTF-8 sequence at the start of `text`, 0 if it is not one (RFC 3629 section 4).
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool outside = (lead == 0xed && byte(1) > 0x9f) || (lead == 0xf4 && byte(1) > 0x8f);
  return overlong || outside ? 0 : length;
}

bool IsControl(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

void AppendEscaped(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    std::array<char, 5> escape{};
    std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned char>(c));
    out += escape.data();
  }
}

std::string OneDecimal(double value, std::string_view unit) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ", value);
  return text.data() + std::string(unit);
}

std::string TwoUnits(int64_t value, int64_t ratio, const char* big, const char* small) {
  std::string text = std::to_string(value / ratio) + ' ' + big;
  if (value % ratio != 0) text += ' ' + std::to_string(value % ratio) + ' ' + small;
  return text;
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view sequence = text.substr(0, std::max<size_t>(length, 1));
    if (length == 0 || IsControl(sequence)) {
      AppendEscaped(sequence, out);
    } else {
      out += sequence;
    }
    text.remove_prefix(sequence.size());
  }
  return out;
}

size_t DisplayWidth(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string Ellipsize(std::string_view text, size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  size_t end = 0;
  for (size_t columns = 0; columns + 1 < width; ++columns) {
    ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string FormatDuration(nanoseconds duration) {
  const double milliseconds = std::chrono::duration<double, std::milli>(duration).count();
  if (milliseconds < 10) return OneDecimal(milliseconds, "ms");
  if (milliseconds < 1000) return std::to_string(static_cast<int64_t>(milliseconds)) + " ms";
  if (milliseconds < 60'000) return OneDecimal(milliseconds / 1000, "s");
  const int64_t seconds = static_cast<int64_t>(milliseconds / 1000);
  if (seconds < 3600) return TwoUnits(seconds, 60, "min", "s");
  if (seconds < 86'400) return TwoUnits(seconds / 60, 60, "h", "min");
  return TwoUnits(seconds / 3600, 24, "d", "h");
}

std::string FormatAgo(Clock::time_point time, Clock::time_point now) {
  const auto distance = time > now ? time - now : now - time;
  const int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(distance).count();
  if (seconds < 1) return "just now";
  const std::string amount = seconds < 60       ? std::to_string(seconds) + " s"
                             : seconds < 3600   ? std::to_string(seconds / 60) + " min"
                             : seconds < 86'400 ? std::to_string(seconds / 3600) + " h"
                                                : std::to_string(seconds / 86'400) + " d";
  return time > now ? "in " + amount : amount + " ago";
}

std::string FormatTime(Clock::time_point time) {
  const std::time_t seconds = Clock::to_time_t(time);
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return text.data();
}

std::string FormatCount(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, 1, ',');
  return digits;
}

std::string FormatBytes(uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes);
  constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  for (value /= 1024; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return OneDecimal(value, kUnits[unit]);
}

std::string Plural(uint64_t count, std::string_view singular) {
  return FormatCount(count) + ' ' + std::string(singular) + (count == 1 ? "" : "s");
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  double factor = 0;
  if (unit == "ms") factor = 1;
  if (unit == "s" || unit.empty()) factor = 1000;
  if (unit == "m" || unit == "min") factor = 60'000;
  if (unit == "h") factor = 3'600'000;
  const double milliseconds = value * factor;
  if (!(milliseconds >= 1 && milliseconds <= 86'400'000)) return std::nullopt;
  return std::chrono::milliseconds(static_cast<int64_t>(milliseconds));
}

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  if (parts.empty()) return "-";
  std::string text = parts.front();
  for (size_t i = 1; i < parts.size(); ++i) text.append(separator).append(parts[i]);
  return text;
}

std::optional<std::string> ClosestWord(std::string_view word,
                                       const std::vector<std::string>& known) {
  if (word.size() > 64) return std::nullopt;
  std::optional<std::string> best;
  size_t best_distance = 3;
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace cordon::cp::cli

// SPDX-License-Identifier: Apache-2.0
// Small texts: durations and slips of the finger.
#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "dataplane/yaml/strict_yaml.h"

namespace cordon::dp {
namespace {

struct Unit {
  std::string_view suffix;
  int64_t nanoseconds;
};
// From the largest down, so that FormatDuration finds the shortest text first.
constexpr std::array<Unit, 7> kUnits{{{"d", 86'400'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string_view> NearestWord(std::string_view word,
                                            const std::vector<std::string>& candidates) {
  constexpr size_t kLongestWord = 64;  // the distance costs the product of both lengths
  if (word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string_view> best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::optional<std::chrono::nanoseconds> ParseDuration(std::string_view text) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<size_t>(end - text.data()));
  for (const Unit& unit : kUnits) {
    int64_t total = 0;
    if (suffix != unit.suffix) continue;
    if (__builtin_mul_overflow(count, unit.nanoseconds, &total)) return std::nullopt;
    return std::chrono::nanoseconds(total);
  }
  return std::nullopt;
}

std::string FormatDuration(std::chrono::nanoseconds duration) {
  const int64_t total = duration.count();
  if (total == 0) return "0s";
  for (const Unit& unit : kUnits) {
    if (total % unit.nanoseconds != 0) continue;
    return std::to_string(total / unit.nanoseconds) + std::string(unit.suffix);
  }
  return std::to_string(total) + "ns";
}

}  // namespace cordon::dp

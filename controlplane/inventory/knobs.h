// SPDX-License-Identifier: Apache-2.0
// What is set for a device beside its rules: which checks refuse its frames, and what it may be
// sent and may send. A profile sets it for its devices, a device for itself; what neither sets has
// the default.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/packet/check.h"

namespace cordon::cp {

enum class CheckAction { kPass, kDrop };
std::string_view ToString(CheckAction action);  // "pass", "drop"

struct Protection {
  std::optional<dp::Protection> level;
  std::map<dp::Check, CheckAction> checks;  // that differ from the level
  friend bool operator==(const Protection&, const Protection&) = default;
};

enum class Limit {
  kTowardPackets,
  kTowardBytes,
  kTowardNewFlows,
  kFromPackets,
  kFromBytes,
  kFromNewFlows,
  kMaxFlows,
  kMaxHalfOpen
};
// As documents have them; the part before the dot is a map of its own there.
inline constexpr std::array<std::pair<Limit, std::string_view>, 8> kLimitNames{{
    {Limit::kTowardPackets, "toward.packets_per_second"},
    {Limit::kTowardBytes, "toward.bytes_per_second"},
    {Limit::kTowardNewFlows, "toward.new_flows_per_second"},
    {Limit::kFromPackets, "from.packets_per_second"},
    {Limit::kFromBytes, "from.bytes_per_second"},
    {Limit::kFromNewFlows, "from.new_flows_per_second"},
    {Limit::kMaxFlows, "max_flows"},
    {Limit::kMaxHalfOpen, "max_half_open"},
}};
std::string_view ToString(Limit limit);

using Limits = std::map<Limit, uint64_t>;  // 0: explicitly none

struct Knobs {
  Protection protection;
  Limits limits;
  friend bool operator==(const Knobs&, const Knobs&) = default;
};

// `device`'s own where it says something, else `profile`'s.
Knobs Overlaid(const Knobs& profile, const Knobs& device);

// "protection" -> "strict", "checks.ipv6" -> "drop", "limits.max_flows" -> "64": what is set.
std::map<std::string, std::string> DescribeKnobs(const Protection& protection);
std::map<std::string, std::string> DescribeKnobs(const Knobs& knobs);
// "checks.ipv6: (none) -> drop": what differs.
std::vector<std::string> DescribeChange(const std::map<std::string, std::string>& before,
                                        const std::map<std::string, std::string>& after);

}  // namespace cordon::cp

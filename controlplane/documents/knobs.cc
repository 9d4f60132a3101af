// SPDX-License-Identifier: Apache-2.0
// Protection, checks, limits and guards in documents.
#include <algorithm>
#include <string>
#include <utility>

#include "controlplane/documents/reader.h"
#include "controlplane/policy/ethertype.h"

namespace cordon::cp {
namespace {

using dp::YamlMap;
using dp::YamlNode;

// A key that is known to be a check's name is read; every other key stays unknown to the map, which
// then names the checks there are.
std::map<dp::Check, CheckAction> ReadChecks(YamlMap map) {
  std::map<dp::Check, CheckAction> checks;
  for (size_t i = 0; i < dp::kCheckCount; ++i) {
    const auto check = static_cast<dp::Check>(i);
    const auto node = map.Find(dp::ToString(check));
    if (!node) continue;
    const auto action = node->AsOneOf({"pass", "drop"});
    if (action) checks[check] = *action == 0 ? CheckAction::kPass : CheckAction::kDrop;
  }
  return checks;
}

void ReadLimit(YamlMap& map, std::string_view key, Limit limit, Limits& limits) {
  constexpr int64_t kMost = 1'000'000'000'000;
  const auto node = map.Find(key);
  const auto value = node ? node->AsInteger({0, kMost}) : std::nullopt;
  if (value) limits[limit] = static_cast<uint64_t>(*value);
}

Limits ReadLimits(YamlMap map) {
  Limits limits;
  for (const std::string_view direction : {"toward", "from"}) {
    const auto node = map.Find(direction);
    if (!node) continue;
    YamlMap rates = node->AsMap();
    for (const auto& [limit, name] : kLimitNames) {
      if (!name.starts_with(std::string(direction) + ".")) continue;
      ReadLimit(rates, name.substr(direction.size() + 1), limit, limits);
    }
  }
  for (const auto& [limit, name] : kLimitNames) {
    if (name.find('.') == std::string_view::npos) ReadLimit(map, name, limit, limits);
  }
  return limits;
}

template <typename T, typename Parse>
void ReadValues(YamlMap& map, std::string_view key, Parse parse, const std::string& wanted,
                std::vector<T>& values) {
  const auto list = map.Find(key);
  if (!list) return;
  values.clear();
  for (const YamlNode& node : list->AsListOrOne()) {
    const auto text = node.AsString();
    if (!text) continue;
    const auto value = parse(*text);
    if (!value) {
      node.Fail("'" + text->substr(0, 60) + "' is not " + wanted);
    } else if (std::find(values.begin(), values.end(), *value) != values.end()) {
      node.Fail("'" + text->substr(0, 60) + "' is listed twice");
    } else {
      values.push_back(*value);
    }
  }
}

}  // namespace

Protection ReadProtection(YamlMap& map) {
  Protection protection;
  if (const auto level = map.Find("protection")) {
    if (const auto which = level->AsOneOf({"off", "standard", "strict"})) {
      protection.level = static_cast<dp::Protection>(*which);
    }
  }
  if (const auto checks = map.Find("checks")) protection.checks = ReadChecks(checks->AsMap());
  return protection;
}

Knobs ReadKnobs(YamlMap& map) {
  Knobs knobs;
  knobs.protection = ReadProtection(map);
  if (const auto limits = map.Find("limits")) knobs.limits = ReadLimits(limits->AsMap());
  return knobs;
}

dp::GuardSpec ReadGuards(YamlMap map) {
  constexpr int64_t kMostFrames = 1'000'000;
  dp::GuardSpec guards;
  ReadValues(
      map, "ethertypes", [](const std::string& text) { return ParseEthertype(text); },
      "eapol, lldp, stp, lacp, ptp, cdp or an ethertype such as 0x88f8", guards.ethertypes);
  ReadValues(
      map, "dhcp_servers", [](const std::string& text) { return dp::ParseIp(text); },
      "an IP address such as 10.20.0.67 or fe80::67", guards.dhcp_servers);
  guards.arp_per_second = static_cast<uint32_t>(map.Integer("arp_per_second", 0, {0, kMostFrames}));
  guards.group_per_second =
      static_cast<uint32_t>(map.Integer("group_per_second", 0, {0, kMostFrames}));
  return guards;
}

}  // namespace cordon::cp

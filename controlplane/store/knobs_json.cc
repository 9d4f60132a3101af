// SPDX-License-Identifier: Apache-2.0
#include "controlplane/store/knobs_json.h"

#include <utility>

namespace cordon::cp {
namespace {

std::optional<Limit> ParseLimit(std::string_view name) {
  for (const auto& [limit, text] : kLimitNames) {
    if (text == name) return limit;
  }
  return std::nullopt;
}

json::object GuardsToJson(const std::string& pair, const dp::GuardSpec& guards) {
  Writer writer;
  writer.Text("pair", pair);
  writer.List("ethertypes", guards.ethertypes, [](uint16_t type) { return json::value(type); });
  writer.List("dhcp_servers", guards.dhcp_servers,
              [](const dp::IpAddress& ip) { return json::string(ToString(ip)); });
  writer.Integer("arp_per_second", guards.arp_per_second);
  writer.Integer("group_per_second", guards.group_per_second);
  return writer.Take();
}

using PairGuards = std::pair<std::string, dp::GuardSpec>;
std::optional<PairGuards> GuardsFromJson(const json::value& item) {
  Reader reader(item);
  PairGuards guards;
  guards.first = reader.Text("pair");
  guards.second.ethertypes = reader.List<uint16_t>("ethertypes", [](const json::value& value) {
    const int64_t* number = value.if_int64();
    const bool fits = number != nullptr && *number >= 0 && *number <= 0xffff;
    return fits ? std::optional(static_cast<uint16_t>(*number)) : std::nullopt;
  });
  guards.second.dhcp_servers =
      reader.List<dp::IpAddress>("dhcp_servers", [](const json::value& value) {
        return value.is_string() ? dp::ParseIp(std::string_view(value.get_string())) : std::nullopt;
      });
  guards.second.arp_per_second = static_cast<uint32_t>(reader.Integer("arp_per_second"));
  guards.second.group_per_second = static_cast<uint32_t>(reader.Integer("group_per_second"));
  if (!reader.ok()) return std::nullopt;
  return guards;
}

}  // namespace

void WriteProtection(Writer& writer, const Protection& protection) {
  if (protection.level) writer.Text("protection", dp::ToString(*protection.level));
  std::vector<std::string> checks;
  for (const auto& [check, action] : protection.checks) {
    checks.push_back(std::string(dp::ToString(check)) + "=" + std::string(ToString(action)));
  }
  writer.Texts("checks", checks);
}

Protection ReadProtection(Reader& reader) {
  Protection protection;
  const std::string level = reader.Text("protection");
  if (!level.empty()) {
    protection.level = dp::ParseProtection(level);
    if (!protection.level) reader.Fail<int>();
  }
  for (const std::string& text : reader.Texts("checks")) {
    const size_t sign = text.find('=');
    const auto check = dp::ParseCheck(text.substr(0, sign));
    const std::string action = sign == std::string::npos ? "" : text.substr(sign + 1);
    if (!check || (action != "pass" && action != "drop")) return reader.Fail<Protection>();
    protection.checks[*check] = action == "pass" ? CheckAction::kPass : CheckAction::kDrop;
  }
  return protection;
}

void WriteKnobs(Writer& writer, const Knobs& knobs) {
  WriteProtection(writer, knobs.protection);
  std::vector<std::string> limits;
  for (const auto& [limit, value] : knobs.limits) {
    limits.push_back(std::string(ToString(limit)) + "=" + std::to_string(value));
  }
  writer.Texts("limits", limits);
}

Knobs ReadKnobs(Reader& reader) {
  Knobs knobs;
  knobs.protection = ReadProtection(reader);
  for (const std::string& text : reader.Texts("limits")) {
    const size_t sign = text.find('=');
    const auto limit = ParseLimit(text.substr(0, sign));
    const std::string digits = sign == std::string::npos ? "" : text.substr(sign + 1);
    const bool is_number = !digits.empty() && digits.size() <= 18 &&
                           digits.find_first_not_of("0123456789") == std::string::npos;
    if (!limit || !is_number) return reader.Fail<Knobs>();
    knobs.limits[*limit] = std::stoull(digits);
  }
  return knobs;
}

void WriteGuards(Writer& writer, const std::map<std::string, dp::GuardSpec>& guards) {
  const std::vector<PairGuards> list(guards.begin(), guards.end());
  writer.List("guards", list,
              [](const PairGuards& one) { return GuardsToJson(one.first, one.second); });
}

std::map<std::string, dp::GuardSpec> ReadGuards(Reader& reader) {
  std::map<std::string, dp::GuardSpec> guards;
  for (PairGuards& one : reader.List<PairGuards>("guards", GuardsFromJson)) {
    guards.insert(std::move(one));
  }
  return guards;
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/policy/ethertype.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "dataplane/policy/spec.h"

namespace cordon::cp {
namespace {

constexpr std::array<std::pair<uint16_t, std::string_view>, 6> kNames{{
    {dp::guard_ethertype::kEapol, "eapol"},
    {dp::guard_ethertype::kLldp, "lldp"},
    {dp::guard_ethertype::kStp, "stp"},
    {dp::guard_ethertype::kLacp, "lacp"},
    {dp::guard_ethertype::kPtp, "ptp"},
    {dp::guard_ethertype::kCdp, "cdp"},
}};

}  // namespace

std::string EthertypeText(uint16_t ethertype) {
  for (const auto& [value, name] : kNames) {
    if (value == ethertype) return std::string(name);
  }
  char text[8];
  std::snprintf(text, sizeof(text), "0x%04x", ethertype);
  return text;
}

std::optional<uint16_t> ParseEthertype(std::string_view text) {
  for (const auto& [value, name] : kNames) {
    if (name == text) return value;
  }
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  uint16_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size() || value < 0x0600) {
    return std::nullopt;
  }
  return value;
}

}  // namespace cordon::cp

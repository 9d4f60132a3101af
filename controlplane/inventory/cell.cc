// SPDX-License-Identifier: Apache-2.0
#include "controlplane/inventory/cell.h"

#include <algorithm>
#include <array>

namespace cordon::cp {
namespace {

constexpr size_t kMaxNameSize = 63;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool IsBlankOrControl(char c) { return IsAscii(c) && (c <= ' ' || c == 0x7f); }

}  // namespace

std::string_view TrimmedCell(std::string_view cell) {
  const auto trim = [&cell] {
    while (!cell.empty() && IsBlankOrControl(cell.front())) cell.remove_prefix(1);
    while (!cell.empty() && IsBlankOrControl(cell.back())) cell.remove_suffix(1);
  };
  trim();
  if (cell.size() >= 3 && cell.starts_with("=\"") && cell.back() == '"') {
    cell = cell.substr(2, cell.size() - 3);
    trim();
  } else if (cell.starts_with('\'')) {
    cell.remove_prefix(1);
    trim();
  }
  return cell;
}

bool IsPlaceholder(std::string_view cell) {
  constexpr std::array<std::string_view, 16> kWords = {"",
                                                       "-",
                                                       "--",
                                                       "?",
                                                       "0",
                                                       "n/a",
                                                       "na",
                                                       "n.a.",
                                                       "nil",
                                                       "none",
                                                       "tbd",
                                                       "null",
                                                       "unknown",
                                                       "not assigned",
                                                       "not available",
                                                       "dhcp"};
  if (cell.size() > 16) return false;
  return std::find(kWords.begin(), kWords.end(), FoldedCell(cell)) != kWords.end();
}

std::string OneLine(std::string_view cell) {
  std::string text;
  for (const char c : TrimmedCell(cell)) {
    if (!IsBlankOrControl(c)) {
      text += c;
    } else if (text.back() != ' ') {  // trimmed: never the first
      text += ' ';
    }
  }
  return text;
}

std::string FoldedCell(std::string_view cell) {
  std::string text = OneLine(cell);
  std::transform(text.begin(), text.end(), text.begin(), Lower);
  return text;
}

std::string FoldedHeader(std::string_view header) {
  std::string text;
  for (const char c : header) {
    const char lower = Lower(c);
    if (IsLowerOrDigit(lower) || !IsAscii(c)) text += lower;
  }
  return text;
}

std::optional<dp::MacAddress> ParseDeviceMac(std::string_view text) {
  const auto mac = dp::ParseMac(text);
  if (!mac || mac->IsZero() || mac->IsGroup()) return std::nullopt;
  return mac;
}

std::optional<dp::IpAddress> ParseDeviceIp(std::string_view text) {
  const auto ip = dp::ParseIp(text);
  if (!ip || ip->IsUnspecified() || ip->IsMulticast() || ip->IsLimitedBroadcast()) {
    return std::nullopt;
  }
  if (ip->IsV4() ? ip->AsV4() >> 24 == 127 : (ip->hi == 0 && ip->lo == 1)) return std::nullopt;
  return ip;
}

std::optional<dp::VlanTags> ParseVlanCell(std::string_view text) {
  const std::string folded = FoldedCell(text);
  std::string_view number = folded;
  if (number == "untagged") return dp::VlanTags{};
  if (number.starts_with("vlan")) number = TrimmedCell(number.substr(4));
  return number.empty() ? std::nullopt : dp::ParseVlan(number);
}

std::string NameFrom(std::string_view text, size_t max_size) {
  std::string name;
  for (const char c : text) {
    const char lower = Lower(c);
    const bool kept = IsLowerOrDigit(lower) || lower == '.' || lower == '_';
    if (kept && (IsLowerOrDigit(lower) || !name.empty())) {
      name += lower;
    } else if (!kept && !name.empty() && name.back() != '-') {
      name += '-';
    }
    if (name.size() == max_size) break;
  }
  while (!name.empty() && !IsLowerOrDigit(name.back())) name.pop_back();
  return name;
}

std::string UniqueName(const std::string& name, NameSet& names) {
  const auto [first, is_new] = names.emplace(name, 1);
  if (is_new) return name;
  while (true) {
    const std::string suffix = "-" + std::to_string(++names[name]);
    std::string numbered = name.substr(0, kMaxNameSize - suffix.size()) + suffix;
    if (names.emplace(numbered, 1).second) return numbered;
  }
}

}  // namespace cordon::cp

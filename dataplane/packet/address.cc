// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet/address.h"

#include <arpa/inet.h>

#include <charconv>

namespace cordon::dp {
namespace {

constexpr char kHex[] = "0123456789abcdef";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Decimal without sign, blanks or leading zeros.
std::optional<unsigned> ParseDecimal(std::string_view text, unsigned least, unsigned most) {
  if (text.empty() || text.size() > 9 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < least || value > most) return std::nullopt;
  return value;
}

// The separators of the five notations stand behind every `group` digits.
struct MacNotation {
  size_t length;
  char separator;
  size_t group;
};
constexpr MacNotation kMacNotations[] = {
    {17, ':', 2}, {17, '-', 2}, {14, '.', 4}, {13, '-', 6}, {12, '\0', 12}};

std::optional<MacAddress> ParseMacAs(std::string_view text, const MacNotation& notation) {
  if (text.size() != notation.length) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i % (notation.group + 1) == notation.group) {
      if (text[i] != notation.separator) return std::nullopt;
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit);
  }
  return MacAddress{value};
}

uint64_t BigEndian64(const unsigned char* bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

std::string V4ToString(uint32_t address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string(address >> shift & 0xff);
    if (shift != 0) text += '.';
  }
  return text;
}

struct Run {
  int start = -1;
  int length = 0;
};

// RFC 5952 4.2: the longest run of at least two zero groups, the first of equals.
Run LongestZeroRun(const std::array<uint16_t, 8>& groups) {
  Run best;
  for (int i = 0; i < 8;) {
    int end = i;
    while (end < 8 && groups[static_cast<size_t>(end)] == 0) ++end;
    if (end - i >= 2 && end - i > best.length) best = {i, end - i};
    i = end + 1;
  }
  return best;
}

std::string V6ToString(const IpAddress& address) {
  std::array<uint16_t, 8> groups;
  for (size_t i = 0; i < 8; ++i) {
    const uint64_t half = i < 4 ? address.hi : address.lo;
    groups[i] = static_cast<uint16_t>(half >> (48 - 16 * (i % 4)));
  }
  const Run zeros = LongestZeroRun(groups);
  std::string text;
  for (int i = 0; i < 8; ++i) {
    if (i == zeros.start) {
      text += "::";
      i += zeros.length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    char digits[4];
    const auto end = std::to_chars(digits, digits + 4, groups[static_cast<size_t>(i)], 16).ptr;
    text.append(digits, end);
  }
  return text;
}

struct Mask {
  uint64_t hi;
  uint64_t lo;
};

Mask MaskOf(const IpPrefix& prefix) {
  const unsigned length = prefix.address.IsV4() ? prefix.length + 96u : prefix.length;
  const auto ones = [](unsigned count) { return count == 0 ? 0 : ~uint64_t{0} << (64 - count); };
  return {ones(length < 64 ? length : 64), ones(length < 64 ? 0 : length - 64)};
}

}  // namespace

std::optional<MacAddress> ParseMac(std::string_view text) {
  for (const MacNotation& notation : kMacNotations) {
    if (const auto mac = ParseMacAs(text, notation)) return mac;
  }
  return std::nullopt;
}

std::string ToString(MacAddress mac) {
  std::string text;
  for (int shift = 44; shift >= 0; shift -= 4) {
    text += kHex[mac.value >> shift & 0xf];
    if (shift % 8 == 0 && shift != 0) text += ':';
  }
  return text;
}

std::optional<IpAddress> ParseIp(std::string_view text) {
  if (text.size() > INET6_ADDRSTRLEN || text.find('\0') != text.npos) return std::nullopt;
  const std::string terminated(text);
  unsigned char bytes[16];
  if (inet_pton(AF_INET, terminated.c_str(), bytes) == 1) {
    return IpAddress::V4(static_cast<uint32_t>(bytes[0]) << 24 | bytes[1] << 16 | bytes[2] << 8 |
                         bytes[3]);
  }
  if (inet_pton(AF_INET6, terminated.c_str(), bytes) != 1) return std::nullopt;
  const IpAddress address = IpAddress::V6(BigEndian64(bytes), BigEndian64(bytes + 8));
  // ::ffff:a.b.c.d would silently become a.b.c.d; as an IPv6 address it never passes.
  if (address.IsV4()) return std::nullopt;
  return address;
}

std::string ToString(const IpAddress& address) {
  return address.IsV4() ? V4ToString(address.AsV4()) : V6ToString(address);
}

bool IpPrefix::Contains(const IpAddress& other) const {
  if (address.IsV4() != other.IsV4()) return false;
  const Mask mask = MaskOf(*this);
  return ((address.hi ^ other.hi) & mask.hi) == 0 && ((address.lo ^ other.lo) & mask.lo) == 0;
}

std::optional<IpPrefix> ParsePrefix(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = ParseIp(text.substr(0, slash));
  if (!address) return std::nullopt;
  const uint8_t width = address->IsV4() ? 32 : 128;
  if (slash == text.npos) return IpPrefix{*address, width};
  const auto length = ParseDecimal(text.substr(slash + 1), 0, width);
  if (!length) return std::nullopt;
  const IpPrefix prefix{*address, static_cast<uint8_t>(*length)};
  const Mask mask = MaskOf(prefix);
  if ((address->hi & ~mask.hi) != 0 || (address->lo & ~mask.lo) != 0) return std::nullopt;
  return prefix;
}

std::string ToString(const IpPrefix& prefix) {
  return ToString(prefix.address) + "/" + std::to_string(prefix.length);
}

std::optional<VlanTags> ParseVlan(std::string_view text) {
  if (text.empty()) return VlanTags{};
  const size_t dot = text.find('.');
  const auto outer = ParseDecimal(text.substr(0, dot), 1, 4094);
  if (!outer) return std::nullopt;
  VlanTags vlan{static_cast<uint16_t>(*outer), 0};
  if (dot == text.npos) return vlan;
  const auto inner = ParseDecimal(text.substr(dot + 1), 1, 4094);
  if (!inner) return std::nullopt;
  vlan.inner = static_cast<uint16_t>(*inner);
  return vlan;
}

std::string ToString(VlanTags vlan) {
  if (vlan.outer == 0) return "";
  std::string text = std::to_string(vlan.outer);
  if (vlan.inner != 0) text.append(".").append(std::to_string(vlan.inner));
  return text;
}

std::optional<PortRange> ParsePortRange(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = ParseDecimal(text.substr(0, dash), 1, 65535);
  if (!first) return std::nullopt;
  const auto last = dash == text.npos ? first : ParseDecimal(text.substr(dash + 1), *first, 65535);
  if (!last) return std::nullopt;
  return PortRange{static_cast<uint16_t>(*first), static_cast<uint16_t>(*last)};
}

std::string ToString(PortRange range) {
  if (range.first == range.last) return std::to_string(range.first);
  return std::to_string(range.first) + "-" + std::to_string(range.last);
}

}  // namespace cordon::dp

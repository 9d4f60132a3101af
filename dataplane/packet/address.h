// SPDX-License-Identifier: Apache-2.0
// Addresses as values: MAC, IP (both families in one type), prefixes, VLAN tags.
// Values are in host order and compare as integers; only packet/ knows wire order.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cordon::dp {

// A 48-bit MAC address in the low bits of an integer: 02:00:00:00:30:21 is 0x020000003021.
struct MacAddress {
  uint64_t value = 0;

  static constexpr MacAddress Broadcast() { return {0xffffffffffffULL}; }
  constexpr bool IsGroup() const { return (value >> 40 & 1) != 0; }  // broadcast is a group too
  constexpr bool IsBroadcast() const { return value == 0xffffffffffffULL; }
  constexpr bool IsZero() const { return value == 0; }
  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

// Reads 02:00:00:00:30:21, 02-00-00-00-30-21, 0200.0000.3021, 020000003021 and 020000-003021,
// in either case. Anything else is nullopt.
std::optional<MacAddress> ParseMac(std::string_view text);
std::string ToString(MacAddress mac);

// An IPv4 or IPv6 address. IPv4 a.b.c.d is held as ::ffff:a.b.c.d, so one comparison serves both.
// That is unambiguous because the parser drops IPv6 packets that carry v4-mapped addresses.
struct IpAddress {
  uint64_t hi = 0;
  uint64_t lo = 0;

  static constexpr IpAddress V4(uint32_t host_order) {
    return {0, 0x0000ffff00000000ULL | host_order};
  }
  static constexpr IpAddress V6(uint64_t hi, uint64_t lo) { return {hi, lo}; }
  constexpr bool IsV4() const { return hi == 0 && lo >> 32 == 0xffff; }
  constexpr uint32_t AsV4() const { return static_cast<uint32_t>(lo); }
  // 0.0.0.0 or ::
  constexpr bool IsUnspecified() const { return (hi == 0 && lo == 0) || (IsV4() && AsV4() == 0); }
  constexpr bool IsMulticast() const { return IsV4() ? AsV4() >> 28 == 0xe : hi >> 56 == 0xff; }
  constexpr bool IsLimitedBroadcast() const { return IsV4() && AsV4() == 0xffffffff; }
  constexpr bool IsV6LinkLocal() const { return hi >> 54 == 0xfe80 >> 6; }  // fe80::/10
  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

std::optional<IpAddress> ParseIp(std::string_view text);
std::string ToString(const IpAddress& address);  // dotted quad or RFC 5952

// An address block. `length` counts from the left of the family's own width: 0-32 or 0-128.
struct IpPrefix {
  IpAddress address;
  uint8_t length = 0;

  bool Contains(const IpAddress& other) const;
  friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

// Reads 10.0.0.0/8, fd00::/8 or a bare address. Host bits behind the length are an error (nullopt):
// 10.0.0.1/8 is more likely a typing mistake than an intention.
std::optional<IpPrefix> ParsePrefix(std::string_view text);
std::string ToString(const IpPrefix& prefix);

// The VLAN tags a frame carries; 0 where there is none. A priority tag (VID 0) counts as untagged
// for identity (802.1Q 6.9.1), but the frame itself is never altered.
struct VlanTags {
  uint16_t outer = 0;
  uint16_t inner = 0;

  friend constexpr auto operator<=>(const VlanTags&, const VlanTags&) = default;
};

// Reads "30", "100.30" (outer.inner) and "" (untagged); VIDs are 1-4094.
std::optional<VlanTags> ParseVlan(std::string_view text);
std::string ToString(VlanTags vlan);  // "", "30" or "100.30"

struct PortRange {  // of L4 ports, both ends included
  uint16_t first = 0;
  uint16_t last = 0xffff;

  constexpr bool Contains(uint16_t l4_port) const { return l4_port >= first && l4_port <= last; }
  friend constexpr auto operator<=>(const PortRange&, const PortRange&) = default;
};

std::optional<PortRange> ParsePortRange(std::string_view text);  // "104" or "1024-2047"; 1-65535
std::string ToString(PortRange range);

}  // namespace cordon::dp

template <>
struct std::hash<cordon::dp::MacAddress> {
  size_t operator()(cordon::dp::MacAddress mac) const noexcept {
    return std::hash<uint64_t>()(mac.value * 0x9e3779b97f4a7c15ULL);
  }
};
template <>
struct std::hash<cordon::dp::IpAddress> {
  size_t operator()(const cordon::dp::IpAddress& ip) const noexcept {
    return std::hash<uint64_t>()((ip.hi ^ (ip.lo * 0x9e3779b97f4a7c15ULL)) * 0xff51afd7ed558ccdULL);
  }
};

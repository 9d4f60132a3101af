// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/check_knobs.h"

#include <algorithm>
#include <iterator>

namespace cordon::dp {
namespace {

// Above every port there is; credit of a second still fits into 64 bits.
constexpr uint64_t kMaxRate = 1'000'000'000'000;
constexpr uint32_t kMaxGuardRate = 1'000'000;

void CheckRates(const RateLimits& rates, const std::string& path, FaultList& faults) {
  const auto check = [&](std::string_view field, uint64_t rate) {
    if (rate <= kMaxRate) return;
    faults.Add(
        path + "." + std::string(field),
        std::to_string(rate) + " is out of range: 0 (no limit) to " + std::to_string(kMaxRate));
  };
  check("packets_per_second", rates.packets_per_second);
  check("bytes_per_second", rates.bytes_per_second);
  check("new_flows_per_second", rates.new_flows_per_second);
}

// ARP, IP and VLAN tags have rules of their own; numbers below 0x0600 are lengths.
bool IsForGuard(uint16_t ethertype) {
  constexpr uint16_t kOwn[] = {0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x9200};
  if (ethertype < 0x0600) {
    return ethertype == guard_ethertype::kStp || ethertype == guard_ethertype::kCdp;
  }
  return std::find(std::begin(kOwn), std::end(kOwn), ethertype) == std::end(kOwn);
}

void CheckEthertypes(const GuardSpec& guards, const std::string& path, FaultList& faults) {
  const auto& all = guards.ethertypes;
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string place = path + "." + Element("ethertypes", i);
    if (!IsForGuard(all[i])) {
      faults.Add(place, std::to_string(all[i]) +
                            " cannot be allowed here: ARP, IP and VLAN tags have rules of their "
                            "own, and ethertypes begin at 0x0600");
    } else if (std::find(all.begin(), all.begin() + static_cast<ptrdiff_t>(i), all[i]) !=
               all.begin() + static_cast<ptrdiff_t>(i)) {
      faults.Add(place, std::to_string(all[i]) + " is listed already");
    }
  }
}

}  // namespace

void CheckProtection(const ProtectionSpec& protection, const std::string& path, FaultList& faults) {
  CheckMask seen = 0;
  for (size_t i = 0; i < protection.overrides.size(); ++i) {
    const std::string place = path + "." + Element("overrides", i);
    const auto check = protection.overrides[i].check;
    if (static_cast<size_t>(check) >= kCheckCount) {
      faults.Add(place, "no such check");
      continue;
    }
    if ((seen & MaskOf(check)) != 0) {
      faults.Add(place, std::string(ToString(check)) + " is set twice; once is enough");
    }
    seen |= MaskOf(check);
  }
}

void CheckLimits(const LimitSpec& limits, const std::string& path, FaultList& faults) {
  CheckRates(limits.toward, path + ".toward", faults);
  CheckRates(limits.from, path + ".from", faults);
}

void CheckGuards(const GuardSpec& guards, const std::string& path, const PolicyLimits& capacity,
                 FaultList& faults) {
  const size_t most = std::max(guards.ethertypes.size(), guards.dhcp_servers.size());
  if (most > capacity.guard_entries) {
    faults.Add(path, std::to_string(most) + " ethertypes or DHCP servers exceed the capacity of " +
                         std::to_string(capacity.guard_entries) + " a pair");
    return;
  }
  CheckEthertypes(guards, path, faults);
  for (size_t i = 0; i < guards.dhcp_servers.size(); ++i) {
    const IpAddress& server = guards.dhcp_servers[i];
    if (server.IsUnspecified() || server.IsMulticast() || server.IsLimitedBroadcast()) {
      faults.Add(path + "." + Element("dhcp_servers", i),
                 ToString(server) + " is not a unicast address");
    }
  }
  if (std::max(guards.arp_per_second, guards.group_per_second) > kMaxGuardRate) {
    faults.Add(
        path + (guards.arp_per_second > kMaxGuardRate ? ".arp_per_second" : ".group_per_second"),
        "must be at most " + std::to_string(kMaxGuardRate) + " frames a second");
  }
}

}  // namespace cordon::dp

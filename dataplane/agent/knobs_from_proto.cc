// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/knobs_from_proto.h"

#include "dataplane/agent/fault_text.h"

namespace cordon::dp {
namespace {

constexpr int kMostGuardEntries = 64;

using Names = google::protobuf::RepeatedPtrField<std::string>;
void ReadChecks(const Names& names, CheckAction action, const std::string& path,
                const ReportFault& fault, ProtectionSpec& to) {
  for (int i = 0; i < names.size(); ++i) {
    const auto check = ParseCheck(names[i]);
    if (!check) {
      fault(At(path, i), "is no check that this gateway knows; see check.def of its version");
      continue;
    }
    CheckMask seen = 0;
    for (const CheckOverride& other : to.overrides) seen |= MaskOf(other.check);
    if ((seen & MaskOf(*check)) != 0) {
      fault(At(path, i), "names the check " + names[i] + " once more; once is enough");
    } else {
      to.overrides.push_back({*check, action});
    }
  }
}

RateLimits ReadRates(const v1::RateLimits& from) {
  return {from.packets_per_second(), from.bytes_per_second(), from.new_flows_per_second()};
}

}  // namespace

ProtectionSpec ReadProtection(const v1::Protection& from, const std::string& path,
                              const ReportFault& fault) {
  ProtectionSpec to;
  switch (from.level()) {
    case v1::PROTECTION_LEVEL_OFF:
      to.level = Protection::kOff;
      break;
    case v1::PROTECTION_LEVEL_STANDARD:
      to.level = Protection::kStandard;
      break;
    case v1::PROTECTION_LEVEL_STRICT:
      to.level = Protection::kStrict;
      break;
    default:
      fault(path + ".level",
            "must be off, standard or strict, not " + std::to_string(from.level()));
  }
  ReadChecks(from.drop(), CheckAction::kDrop, path + ".drop", fault, to);
  ReadChecks(from.pass(), CheckAction::kPass, path + ".pass", fault, to);
  return to;
}

LimitSpec ReadLimits(const v1::Limits& from) {
  return {ReadRates(from.toward()), ReadRates(from.from()), from.max_flows(), from.max_half_open()};
}

GuardSpec ReadGuards(const v1::PairGuards& from, const std::string& path,
                     const ReportFault& fault) {
  GuardSpec to;
  to.ethertypes.clear();
  if (from.ethertypes_size() > kMostGuardEntries || from.dhcp_servers_size() > kMostGuardEntries) {
    fault(path,
          "has more than " + std::to_string(kMostGuardEntries) + " ethertypes or DHCP servers");
    return to;
  }
  for (int i = 0; i < from.ethertypes_size(); ++i) {
    if (from.ethertypes(i) > 0xffff) {
      fault(At(path + ".ethertypes", i),
            "must be at most 65535, not " + std::to_string(from.ethertypes(i)));
    } else {
      to.ethertypes.push_back(static_cast<uint16_t>(from.ethertypes(i)));
    }
  }
  for (int i = 0; i < from.dhcp_servers_size(); ++i) {
    if (const auto ip = ParseIp(from.dhcp_servers(i))) {
      to.dhcp_servers.push_back(*ip);
    } else {
      fault(At(path + ".dhcp_servers", i), "is not an IPv4 or IPv6 address");
    }
  }
  to.arp_per_second = from.arp_per_second();
  to.group_per_second = from.group_per_second();
  return to;
}

}  // namespace cordon::dp

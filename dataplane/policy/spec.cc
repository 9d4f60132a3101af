// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/spec.h"

#include <algorithm>

namespace cordon::dp {

std::string_view ToString(Initiator initiator) {
  return initiator == Initiator::kDevice ? "device" : "peer";
}

std::string ToString(RuleProtocol protocol, uint8_t protocol_number) {
  switch (protocol) {
    case RuleProtocol::kTcp:
      return "tcp";
    case RuleProtocol::kUdp:
      return "udp";
    case RuleProtocol::kIcmp:
      return "icmp";
    case RuleProtocol::kIcmpv6:
      return "icmpv6";
    case RuleProtocol::kAny:
      return "any";
    case RuleProtocol::kNumber:
      return protocol_number == kIgmpNumber ? "igmp" : std::to_string(protocol_number);
  }
  return "";
}

std::string_view ToString(Mode mode) {
  switch (mode) {
    case Mode::kObserve:
      return "observe";
    case Mode::kAudit:
      return "audit";
    case Mode::kEnforce:
      return "enforce";
    case Mode::kQuarantine:
      return "quarantine";
  }
  return "";
}

CheckMask MaskOf(const ProtectionSpec& protection) {
  CheckMask mask = ChecksOf(protection.level);
  for (const CheckOverride& change : protection.overrides) {
    const CheckMask bit = MaskOf(change.check);
    mask = change.action == CheckAction::kDrop ? mask | bit : mask & ~bit;
  }
  return mask;
}

bool GuardSpec::Passes(uint16_t ethertype) const noexcept {
  return std::find(ethertypes.begin(), ethertypes.end(), ethertype) != ethertypes.end();
}

bool GuardSpec::IsDhcpServer(const IpAddress& ip) const noexcept {
  return dhcp_servers.empty() ||
         std::find(dhcp_servers.begin(), dhcp_servers.end(), ip) != dhcp_servers.end();
}

}  // namespace cordon::dp

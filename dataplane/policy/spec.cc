// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/spec.h"

namespace cordon::dp {

std::string_view ToString(Initiator initiator) {
  return initiator == Initiator::kDevice ? "device" : "peer";
}

std::string_view ToString(RuleProtocol protocol) {
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

}  // namespace cordon::dp

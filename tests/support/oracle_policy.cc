// SPDX-License-Identifier: Apache-2.0
// What the policy says: whose an address is, which rule allows, what a refusal becomes.
#include <algorithm>
#include <set>

#include "tests/support/oracle.h"

namespace cordon::dp::testing {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17, kIcmp = 1, kIgmp = 2, kIcmpv6 = 58;

bool InRanges(const std::vector<PortRange>& ranges, uint16_t l4_port) {
  if (ranges.empty()) return true;
  for (const PortRange& range : ranges) {
    if (l4_port >= range.first && l4_port <= range.last) return true;
  }
  return false;
}

bool IsIn(const IpPrefix& prefix, const IpAddress& ip) {
  if (prefix.address.IsV4() != ip.IsV4()) return false;
  const int skip = ip.IsV4() ? 96 : 0;  // compare bit by bit from the left of the family
  for (int bit = 0; bit < prefix.length; ++bit) {
    const int at = 127 - (skip + bit);
    const auto of = [at](const IpAddress& a) {
      return (at >= 64 ? a.hi >> (at - 64) : a.lo >> at) & 1;
    };
    if (of(prefix.address) != of(ip)) return false;
  }
  return true;
}

// Types beside echo and errors, and in ICMPv6 beside listener and neighbour discovery.
bool IsUnusualIcmp(uint8_t number, uint8_t type) {
  static const std::set<uint8_t> kUsual = {0, 3, 8, 11};
  static const std::set<uint8_t> kUsualV6 = {1,   2,   3,   4,   128, 129, 130,
                                             131, 132, 133, 135, 136, 143};
  return (number == kIcmp && kUsual.count(type) == 0) ||
         (number == kIcmpv6 && kUsualV6.count(type) == 0);
}

bool IsUdpTunnel(uint8_t number, uint16_t l4_port) {
  return number == kUdp && (l4_port == 1701 || l4_port == 3544 || l4_port == 4789);
}

Reason WhyNoRule(uint8_t number, uint16_t opened_port, uint8_t icmp_type) {
  static const std::set<uint8_t> kTunnels = {4, 41, 47, 50, 51}, kOrdinary = {1, 2, 6, 17, 58};
  if (kTunnels.count(number) != 0 || IsUdpTunnel(number, opened_port)) {
    return Reason::kTunnelNotNamed;
  }
  if (kOrdinary.count(number) == 0) return Reason::kProtocolNotSupported;
  return IsUnusualIcmp(number, icmp_type) ? Reason::kIcmpTypeNotNamed : Reason::kNoRule;
}

bool ProtocolFits(const RuleSpec& rule, uint8_t number, bool is_v4) {
  if (rule.protocol == RuleProtocol::kNumber) {
    return number == rule.protocol_number && (number != kIgmp || is_v4);
  }
  const bool legal = number == kTcp || number == kUdp || (number == kIcmp && is_v4) ||
                     (number == kIcmpv6 && !is_v4);
  if (!legal) return false;
  switch (rule.protocol) {
    case RuleProtocol::kTcp:
      return number == kTcp;
    case RuleProtocol::kUdp:
      return number == kUdp;
    case RuleProtocol::kIcmp:
      return number == kIcmp;
    case RuleProtocol::kIcmpv6:
      return number == kIcmpv6;
    case RuleProtocol::kAny:
      return true;
    case RuleProtocol::kNumber:
      break;
  }
  return false;
}

bool IsIcmp(uint8_t number) { return number == kIcmp || number == kIcmpv6; }

}  // namespace

uint16_t Oracle::PairOf(const DeviceSpec& device) const {
  const auto at = std::find(spec_.pairs.begin(), spec_.pairs.end(), device.pair);
  return static_cast<uint16_t>(at - spec_.pairs.begin());
}

Oracle::Who Oracle::Owner(uint16_t pair, VlanTags vlan, const IpAddress& ip) const {
  for (size_t i = 0; i < spec_.devices.size(); ++i) {
    const DeviceSpec& device = spec_.devices[i];
    if (PairOf(device) != pair || device.vlan != vlan) continue;
    if (std::count(device.ips.begin(), device.ips.end(), ip) != 0) return {Who::kDevice, i};
  }
  return {};
}

bool Oracle::IsDeviceMac(uint16_t pair, VlanTags vlan, MacAddress mac) const {
  for (const DeviceSpec& device : spec_.devices) {
    if (PairOf(device) == pair && device.vlan == vlan &&
        std::count(device.macs.begin(), device.macs.end(), mac) != 0) {
      return true;
    }
  }
  return false;
}

Oracle::Who Oracle::Find(const Conversation& c) const {
  if (c.device_mac.IsGroup()) return {Who::kGroup, 0};
  for (size_t i = 0; i < spec_.devices.size(); ++i) {
    const DeviceSpec& device = spec_.devices[i];
    if (PairOf(device) == c.pair && device.vlan == c.vlan &&
        std::count(device.macs.begin(), device.macs.end(), c.device_mac) != 0) {
      return {Who::kDevice, i};
    }
  }
  const Who by_ip = Owner(c.pair, c.vlan, c.device_ip);
  if (by_ip.kind == Who::kDevice && spec_.devices[by_ip.index].macs.empty()) return by_ip;
  return {spec_.unknown_device_ruleset ? Who::kUnknown : Who::kNobody, 0};
}

bool Oracle::IsOnOtherPair(const Conversation& c) const {
  for (const DeviceSpec& device : spec_.devices) {
    if (std::count(device.macs.begin(), device.macs.end(), c.device_mac) == 0) continue;
    return PairOf(device) != c.pair;
  }
  return false;
}

bool Oracle::MayUse(const Who& who, const Conversation& c, const IpAddress& ip) const {
  const Who owner = Owner(c.pair, c.vlan, ip);
  if (owner.kind == Who::kDevice) return owner == who;
  if (ip.IsMulticast() || ip.IsLimitedBroadcast()) return false;
  return who.kind != Who::kDevice || spec_.devices[who.index].ips.empty();
}

bool Oracle::MayBeAnybodys(const Conversation& c) const {
  if (spec_.unknown_device_ruleset) return true;
  for (const DeviceSpec& device : spec_.devices) {
    if (PairOf(device) == c.pair && device.vlan == c.vlan && device.ips.empty()) return true;
  }
  return false;
}

bool Oracle::HasDevices(const Conversation& c) const {
  for (const DeviceSpec& device : spec_.devices) {
    if (PairOf(device) == c.pair && device.vlan == c.vlan) return true;
  }
  return false;
}

Mode Oracle::ModeOf(const Who& who, const Conversation& c) const {
  if (who.kind == Who::kDevice) return spec_.devices[who.index].mode;
  if (who.kind != Who::kGroup) return Mode::kEnforce;
  bool observes = false, audits = false;
  for (const DeviceSpec& device : spec_.devices) {
    if (PairOf(device) != c.pair || device.vlan != c.vlan) continue;
    observes |= device.mode == Mode::kObserve;
    audits |= device.mode == Mode::kAudit;
  }
  return observes ? Mode::kObserve : audits ? Mode::kAudit : Mode::kEnforce;
}

OracleAnswer Oracle::Refuse(const Who& who, const Conversation& c, Reason reason) const {
  OracleAnswer answer{Verdict::kDrop, reason, "", ""};
  if (who.kind == Who::kDevice) answer.device = spec_.devices[who.index].name;
  switch (ModeOf(who, c)) {
    case Mode::kObserve:
      answer.verdict = Verdict::kForward;
      answer.reason = Reason::kObserveMode;
      break;
    case Mode::kAudit:
      answer.verdict = Verdict::kAudit;
      break;
    case Mode::kEnforce:
    case Mode::kQuarantine:
      break;
  }
  return answer;
}

std::optional<RuleSpec> Oracle::MatchRules(const Who& who, const Conversation& c,
                                           bool by_peer) const {
  const auto matches = [&](const RuleSpec& rule) {
    if ((rule.initiator == Initiator::kPeer) != by_peer) return false;
    if (!ProtocolFits(rule, c.protocol, c.peer_ip.IsV4())) return false;
    if (rule.vlan && *rule.vlan != c.vlan) return false;
    if (rule.group && *rule.group != c.device_ip) return false;
    if (rule.expires_at && *rule.expires_at <= policy_time_) return false;
    const bool peer_fits =
        rule.any_peer || std::any_of(rule.peers.begin(), rule.peers.end(),
                                     [&](const IpPrefix& p) { return IsIn(p, c.peer_ip); });
    if (!peer_fits) return false;
    if (!IsIcmp(c.protocol)) {
      const auto& opened = by_peer ? rule.device_ports : rule.peer_ports;
      const bool names_ports =
          rule.protocol == RuleProtocol::kUdp && !opened.empty() &&
          std::all_of(opened.begin(), opened.end(),
                      [](const PortRange& range) { return range.first == range.last; });
      if (IsUdpTunnel(c.protocol, by_peer ? c.device_port : c.peer_port) && !names_ports) {
        return false;
      }
      return InRanges(rule.peer_ports, c.peer_port) && InRanges(rule.device_ports, c.device_port);
    }
    if (!rule.peer_ports.empty() || !rule.device_ports.empty()) return false;
    return (rule.icmp_types.empty() && !IsUnusualIcmp(c.protocol, c.icmp_request)) ||
           std::count(rule.icmp_types.begin(), rule.icmp_types.end(), c.icmp_request) != 0;
  };
  const auto first_in = [&](uint32_t ruleset, bool keep_alive_only) -> std::optional<RuleSpec> {
    for (const RuleSpec& rule : spec_.rulesets[ruleset].rules) {
      if ((rule.keep_alive || !keep_alive_only) && matches(rule)) return rule;
    }
    return std::nullopt;
  };
  if (who.kind == Who::kUnknown) return first_in(*spec_.unknown_device_ruleset, false);
  if (who.kind == Who::kNobody || (who.kind == Who::kGroup && c.protocol == kTcp)) {
    return std::nullopt;
  }
  for (size_t i = 0; i < spec_.devices.size(); ++i) {
    const DeviceSpec& device = spec_.devices[i];
    const bool concerned = who.kind == Who::kDevice
                               ? who.index == i
                               : PairOf(device) == c.pair && device.vlan == c.vlan;
    if (!concerned) continue;
    const auto rule = first_in(device.ruleset, device.mode == Mode::kQuarantine);
    if (rule) return rule;
  }
  return std::nullopt;
}

// Identity, spoofing, binding.
Reason Oracle::CheckAddresses(const Who& who, const Conversation& c, bool sent_by_peer) const {
  const bool dhcp = c.protocol == kUdp && c.device_port == 68 && c.peer_port == 67;
  const bool dhcpv6 = c.protocol == kUdp && c.device_port == 546 && c.peer_port == 547;
  const uint8_t type = c.icmp_request;
  const bool mld =
      c.protocol == kIcmpv6 && (type == 130 || type == 131 || type == 132 || type == 143);
  const IpAddress& ip = c.device_ip;
  const bool has_owner = Owner(c.pair, c.vlan, ip).kind == Who::kDevice;
  const bool is_stranger = who.kind == Who::kNobody || who.kind == Who::kUnknown;
  if (is_stranger && !sent_by_peer && IsOnOtherPair(c)) return Reason::kMacOnOtherPair;
  if (who.kind == Who::kNobody) return Reason::kUnknownDevice;
  if (sent_by_peer) {
    if (Owner(c.pair, c.vlan, c.peer_ip).kind == Who::kDevice) {
      return Reason::kDeviceMacOnNetworkSide;
    }
    if (dhcp || dhcpv6) return Reason::kUndecided;
    const bool bound =
        who.kind == Who::kGroup ? !has_owner && IsForMany(ip, c.peer_ip) : MayUse(who, c, ip);
    return bound ? Reason::kUndecided : Reason::kDestinationNotBound;
  }
  bool passes = MayUse(who, c, ip);
  if (ip.IsV6LinkLocal() && !has_owner && (mld || dhcpv6)) passes = true;
  if (ip.IsUnspecified()) passes = ip.IsV4() ? dhcp : mld;
  if (ip.IsMulticast() || ip.IsLimitedBroadcast()) passes = false;
  return passes ? Reason::kUndecided : Reason::kSourceNotBound;
}

// In every mode, before the rules.
std::optional<OracleAnswer> Oracle::DeniedByOverlay(const Who& who, const Conversation& c) const {
  for (const OverlayRuleSpec& rule : spec_.overlay) {
    RuleSpec as_rule;
    as_rule.protocol = rule.protocol;
    as_rule.protocol_number = rule.protocol_number;
    if (rule.protocol != RuleProtocol::kAny &&
        !ProtocolFits(as_rule, c.protocol, c.peer_ip.IsV4())) {
      continue;
    }
    const bool peer_fits =
        rule.any_peer || std::any_of(rule.peers.begin(), rule.peers.end(),
                                     [&](const IpPrefix& p) { return IsIn(p, c.peer_ip); });
    const bool has_ports = c.protocol == kTcp || c.protocol == kUdp;
    const bool ports_fit =
        rule.ports.empty() ||
        (has_ports && (InRanges(rule.ports, c.peer_port) || InRanges(rule.ports, c.device_port)));
    const bool type_fits =
        rule.icmp_types.empty() ||
        (IsIcmp(c.protocol) &&
         std::count(rule.icmp_types.begin(), rule.icmp_types.end(), c.icmp_request) != 0);
    if (!peer_fits || !ports_fit || !type_fits) continue;
    return OracleAnswer{Verdict::kDrop, Reason::kOverlayDenied, rule.origin,
                        who.kind == Who::kDevice ? spec_.devices[who.index].name : ""};
  }
  return std::nullopt;
}

OracleAnswer Oracle::DecideNew(const Conversation& c, bool by_peer,
                               std::optional<RuleSpec>& rule) const {
  const Who who = Find(c);
  const Reason reason = CheckAddresses(who, c, by_peer);
  if (reason != Reason::kUndecided) return Refuse(who, c, reason);
  if (const auto denied = DeniedByOverlay(who, c)) return *denied;
  rule = MatchRules(who, c, by_peer || who.kind == Who::kGroup);
  if (!rule) {
    if (who.kind == Who::kGroup) return Refuse(who, c, Reason::kGroupNoRule);
    const uint16_t opened = by_peer ? c.device_port : c.peer_port;
    return Refuse(who, c, WhyNoRule(c.protocol, opened, c.icmp_request));
  }
  return {Verdict::kForward, Reason::kRule, rule->origin,
          who.kind == Who::kDevice ? spec_.devices[who.index].name : ""};
}

}  // namespace cordon::dp::testing

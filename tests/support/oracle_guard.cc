// SPDX-License-Identifier: Apache-2.0
// ARP and neighbour discovery: what passes without a rule.
#include "tests/support/oracle.h"

namespace cordon::dp::testing {

OracleAnswer Oracle::JudgeArp(const Packet& packet, Side side, const Conversation& c) const {
  const Who who = Find(c);
  const ArpFacts& arp = packet.arp;
  if (who.kind == Who::kNobody) return Refuse(who, c, Reason::kUnknownDevice);
  OracleAnswer pass{Verdict::kForward, Reason::kArpGuard, "",
                    who.kind == Who::kDevice ? spec_.devices[who.index].name : ""};
  if (side == Side::kDevice) {
    if (arp.sender_mac != packet.source_mac) return Refuse(who, c, Reason::kArpSenderMac);
    if (arp.sender_ip.IsUnspecified() || MayUse(who, c, arp.sender_ip)) return pass;
    return Refuse(who, c, Reason::kArpSenderNotBound);
  }
  if (IsDeviceMac(c.pair, c.vlan, packet.source_mac)) {
    return Refuse(who, c, Reason::kDeviceMacOnNetworkSide);
  }
  const auto is_ours = [&](const IpAddress& ip) {
    return Owner(c.pair, c.vlan, ip).kind == Who::kDevice;
  };
  if (is_ours(arp.sender_ip) || IsDeviceMac(c.pair, c.vlan, arp.sender_mac)) {
    return Refuse(who, c, Reason::kArpSenderNotBound);
  }
  const bool nobody_listens =
      who.kind == Who::kGroup && !HasDevices(c) && !spec_.unknown_device_ruleset;
  if (nobody_listens) return Refuse(who, c, Reason::kArpTargetNotBound);
  if (arp.sender_ip == arp.target_ip) return pass;
  if (who.kind != Who::kGroup && MayUse(who, c, arp.target_ip)) return pass;
  if (who.kind == Who::kGroup && is_ours(arp.target_ip)) return pass;
  if (who.kind == Who::kGroup && arp.operation == 1 && MayBeAnybodys(c)) return pass;
  return Refuse(who, c, Reason::kArpTargetNotBound);
}

OracleAnswer Oracle::JudgeNeighbour(const Packet& packet, Side side, const Conversation& c) const {
  const Who who = Find(c);
  if (who.kind == Who::kNobody) return Refuse(who, c, Reason::kUnknownDevice);
  if (!packet.nd.hop_limit_ok) return Refuse(who, c, Reason::kNdInvalid);
  OracleAnswer pass{Verdict::kForward, Reason::kNdGuard, "",
                    who.kind == Who::kDevice ? spec_.devices[who.index].name : ""};
  const OracleAnswer refuse = Refuse(who, c, Reason::kNdNotBound);
  const IpAddress& target = packet.nd.target;
  const auto owner = [&](const IpAddress& ip) { return Owner(c.pair, c.vlan, ip); };
  const auto may_use_or_link_local = [&](const IpAddress& ip) {
    if (MayUse(who, c, ip)) return true;
    return ip.IsV6LinkLocal() && (owner(ip).kind != Who::kDevice || owner(ip) == who);
  };
  const bool advertisement = packet.icmp_type == 136;
  const bool solicitation = packet.icmp_type == 135;
  if (side == Side::kDevice) {
    if (!packet.source.IsUnspecified() && !may_use_or_link_local(packet.source)) return refuse;
    return advertisement && !may_use_or_link_local(target) ? refuse : pass;
  }
  if (IsDeviceMac(c.pair, c.vlan, packet.source_mac)) {
    return Refuse(who, c, Reason::kDeviceMacOnNetworkSide);
  }
  const auto made_from_device_mac = [&](const IpAddress& ip) {
    const bool eui64 = ip.hi == 0xfe80ULL << 48 && (ip.lo >> 24 & 0xffff) == 0xfffe;
    const MacAddress mac{(ip.lo >> 40 ^ 0x020000) << 24 | (ip.lo & 0xffffff)};
    return eui64 && IsDeviceMac(c.pair, c.vlan, mac);
  };
  if (owner(packet.source).kind == Who::kDevice || made_from_device_mac(packet.source)) {
    return refuse;
  }
  const std::string group = ToString(packet.destination);
  if (solicitation) {
    if (who.kind != Who::kGroup) return may_use_or_link_local(target) ? pass : refuse;
    if (owner(target).kind == Who::kDevice || MayBeAnybodys(c)) return pass;
    const bool solicited_node = group.starts_with("ff02::1:ff");
    return target.IsV6LinkLocal() && solicited_node && HasDevices(c) ? pass : refuse;
  }
  if (!advertisement || owner(target).kind == Who::kDevice || made_from_device_mac(target)) {
    return refuse;
  }
  if (who.kind != Who::kGroup) return pass;
  const bool somebody_listens = HasDevices(c) || spec_.unknown_device_ruleset;
  return group == "ff02::1" && somebody_listens ? pass : refuse;
}

}  // namespace cordon::dp::testing

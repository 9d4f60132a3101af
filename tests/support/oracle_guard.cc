// SPDX-License-Identifier: Apache-2.0
// What passes without a rule, and what is refused whatever the rules: Ethernet control protocols,
// ARP, neighbour discovery, DHCP, group membership. Leases are left out: the traffic has none.
#include <algorithm>

#include "tests/support/oracle.h"

namespace cordon::dp::testing {
namespace {

bool IsHost(const IpAddress& ip) {
  const uint32_t first = ip.AsV4() >> 24;
  return first != 0 && first != 127 && first < 224;
}

bool IsTrustworthyMembership(const Packet& packet, Side side, Reason& reason) {
  const bool igmp = packet.protocol == 2;
  const bool query = igmp ? packet.igmp.type == 0x11 : packet.icmp_type == 130;
  const bool alert = packet.has_router_alert || (igmp && packet.igmp.type == 0x12);
  const bool source =
      igmp || packet.source.IsV6LinkLocal() || (packet.source.IsUnspecified() && !query);
  reason = Reason::kMembershipInvalid;
  if (packet.hop_limit != 1 || !alert || !source) return false;
  reason = Reason::kMembershipQueryFromDevice;
  return !query || side == Side::kNetwork;
}

}  // namespace

bool IsForMany(const IpAddress& ip, const IpAddress& sender) {
  if (ip.IsMulticast() || ip.IsLimitedBroadcast()) return true;
  if (!ip.IsV4() || !sender.IsV4() || ip == sender) return false;
  for (int length = 8; length <= 28; ++length) {
    const uint32_t hosts = 0xffffffff >> length;
    if (ip.AsV4() == (sender.AsV4() | hosts)) return true;
  }
  return false;
}

std::optional<OracleAnswer> Oracle::JudgeGuarded(const Packet& packet, Side side,
                                                 const Conversation& c) const {
  if (packet.guard == GuardKind::kLayer2) return JudgeLayer2(packet, side, c);
  const bool to_group = packet.destination_mac.IsGroup();
  if (packet.guard == GuardKind::kNone && !to_group) return std::nullopt;
  const Who who = Find(c);
  const bool is_stranger = who.kind == Who::kNobody || who.kind == Who::kUnknown;
  if (is_stranger && side == Side::kDevice && IsOnOtherPair(c)) {
    return Refuse(who, c, Reason::kMacOnOtherPair);
  }
  if (who.kind == Who::kNobody) return Refuse(who, c, Reason::kUnknownDevice);
  const bool is_ip = packet.layer3 == Layer3::kIpv4 || packet.layer3 == Layer3::kIpv6;
  if (is_ip && side == Side::kDevice && to_group && !IsForMany(packet.destination, packet.source)) {
    return Refuse(who, c, Reason::kGroupAddress);
  }
  Reason reason = Reason::kUndecided;
  switch (packet.guard) {
    case GuardKind::kArp:
      return JudgeArp(packet, side, c);
    case GuardKind::kNeighbour:
      return JudgeNeighbour(packet, side, c);
    case GuardKind::kDhcp:
      reason = JudgeDhcp(packet, side, c, who);
      if (reason != Reason::kUndecided) return Refuse(who, c, reason);
      return std::nullopt;
    case GuardKind::kMembership:
      if (!IsTrustworthyMembership(packet, side, reason)) return Refuse(who, c, reason);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

OracleAnswer Oracle::JudgeLayer2(const Packet& packet, Side side, const Conversation& c) const {
  const Who who = Find(c);
  const auto kind = packet.l2_kind;
  if (kind == L2Kind::kRarp) return Refuse(who, c, Reason::kL2Rarp);
  if (kind == L2Kind::kLlc) return Refuse(who, c, Reason::kL2Llc);
  // The pairs of the traffic have the default guard.
  if (kind == L2Kind::kLacp) return Refuse(who, c, Reason::kL2Lacp);
  if (kind == L2Kind::kPtp) return Refuse(who, c, Reason::kL2Ptp);
  if (kind == L2Kind::kCdp) return Refuse(who, c, Reason::kL2Cdp);
  if (kind == L2Kind::kOther) return Refuse(who, c, Reason::kEthertypeNotAllowed);
  const bool is_tagged = packet.vlan != VlanTags{};
  if (is_tagged && !HasDevices(c) && !spec_.unknown_device_ruleset) {
    return Refuse(who, c, Reason::kUnknownDevice);
  }
  if (side == Side::kNetwork && IsDeviceMac(c.pair, c.vlan, packet.source_mac)) {
    return Refuse(who, c, Reason::kDeviceMacOnNetworkSide);
  }
  const Reason reason = kind == L2Kind::kEapol  ? Reason::kL2Eapol
                        : kind == L2Kind::kLldp ? Reason::kL2Lldp
                                                : Reason::kL2Stp;
  return {Verdict::kForward, reason, "",
          who.kind == Who::kDevice ? spec_.devices[who.index].name : ""};
}

Reason Oracle::JudgeDhcp(const Packet& packet, Side side, const Conversation& c,
                         const Who& who) const {
  const bool v6 = packet.layer3 == Layer3::kIpv6;
  const uint16_t client_port = v6 ? 546 : 68, server_port = v6 ? 547 : 67;
  const DhcpFacts& dhcp = packet.dhcp;
  if (side == Side::kDevice) {
    if (dhcp.role == DhcpRole::kServer || packet.destination_port == client_port) {
      return Reason::kDhcpServerOnDeviceSide;
    }
    if (dhcp.role == DhcpRole::kRelay || dhcp.is_relayed) return Reason::kDhcpRelay;
    if (packet.source_port != client_port) return Reason::kDhcpPorts;
    const bool is_own = v6 || dhcp.client == packet.source_mac;
    return is_own ? Reason::kUndecided : Reason::kDhcpClientMac;
  }
  if (packet.destination_port == server_port) return Reason::kDhcpClientOnNetworkSide;
  if (packet.source_port != server_port || dhcp.role != DhcpRole::kServer) {
    return Reason::kDhcpPorts;
  }
  if (dhcp.type == (v6 ? 10 : 9)) return Reason::kDhcpSummons;
  const MacAddress client = v6 ? packet.destination_mac : dhcp.client;
  const bool is_for_group = who.kind == Who::kGroup;
  if (!v6 && !is_for_group && client != packet.destination_mac) return Reason::kDhcpClientMac;
  if (!v6 && is_for_group && !IsDeviceMac(c.pair, c.vlan, client) &&
      !spec_.unknown_device_ruleset) {
    return Reason::kDhcpClientMac;
  }
  if (dhcp.address.IsUnspecified()) return Reason::kUndecided;
  Conversation of_client = c;
  of_client.device_mac = client;
  const bool has_device = IsDeviceMac(c.pair, c.vlan, client);
  const Who receiver = has_device ? Find(of_client) : Who{};
  const Who owner = Owner(c.pair, c.vlan, dhcp.address);
  const bool is_bound_elsewhere = has_device && !spec_.devices[receiver.index].ips.empty();
  const bool is_taken = owner.kind == Who::kDevice ? !(owner == receiver) : is_bound_elsewhere;
  return is_taken ? Reason::kDhcpAddressTaken : Reason::kUndecided;
}

OracleAnswer Oracle::JudgeArp(const Packet& packet, Side side, const Conversation& c) const {
  const Who who = Find(c);
  const ArpFacts& arp = packet.arp;
  OracleAnswer pass{Verdict::kForward, Reason::kArpGuard, "",
                    who.kind == Who::kDevice ? spec_.devices[who.index].name : ""};
  if (side == Side::kDevice) {
    if (arp.sender_mac != packet.source_mac) return Refuse(who, c, Reason::kArpSenderMac);
    if (arp.sender_ip.IsUnspecified()) {
      if (IsHost(arp.target_ip) && MayUse(who, c, arp.target_ip)) return pass;
      return Refuse(who, c, Reason::kArpProbeNotBound);
    }
    if (!IsHost(arp.sender_ip)) return Refuse(who, c, Reason::kArpMalformed);
    if (MayUse(who, c, arp.sender_ip)) return pass;
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
  if ((!arp.sender_ip.IsUnspecified() && !IsHost(arp.sender_ip)) || arp.sender_mac.IsGroup() ||
      arp.sender_mac.IsZero()) {
    return Refuse(who, c, Reason::kArpMalformed);
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

std::optional<OracleAnswer> Oracle::JudgeNeighbour(const Packet& packet, Side side,
                                                   const Conversation& c) const {
  const Who who = Find(c);
  const bool from_device = side == Side::kDevice;
  const bool advertisement = packet.icmp_type == 136, solicitation = packet.icmp_type == 135;
  const bool router = packet.icmp_type == 134;
  if (packet.icmp_type == 137) return Refuse(who, c, Reason::kNdRedirect);
  if (router && from_device) return Refuse(who, c, Reason::kNdRouterOnDeviceSide);
  if (!packet.nd.hop_limit_ok) return Refuse(who, c, Reason::kNdInvalid);
  OracleAnswer pass{Verdict::kForward, Reason::kNdGuard, "",
                    who.kind == Who::kDevice ? spec_.devices[who.index].name : ""};
  const OracleAnswer refuse = Refuse(who, c, Reason::kNdNotBound);
  const IpAddress& target = packet.nd.target;
  const auto owner = [&](const IpAddress& ip) { return Owner(c.pair, c.vlan, ip); };
  const auto maker = [&](const IpAddress& ip) {
    const bool eui64 = ip.hi == 0xfe80ULL << 48 && (ip.lo >> 24 & 0xffff) == 0xfffe;
    const MacAddress mac{(ip.lo >> 40 ^ 0x020000) << 24 | (ip.lo & 0xffffff)};
    return eui64 && IsDeviceMac(c.pair, c.vlan, mac) ? mac : MacAddress{};
  };
  const auto is_own = [&](const IpAddress& ip) {
    if (MayUse(who, c, ip)) return true;
    if (!ip.IsV6LinkLocal()) return false;
    if (owner(ip).kind == Who::kDevice) return owner(ip) == who;
    Conversation of_maker = c;
    of_maker.device_mac = maker(ip);
    return maker(ip).IsZero() || Find(of_maker) == who;
  };
  const MacAddress options[] = {packet.nd.source_link_layer, packet.nd.target_link_layer};
  if (from_device) {
    for (const MacAddress mac : options) {
      if (!mac.IsZero() && mac != packet.source_mac) return Refuse(who, c, Reason::kNdLinkLayer);
    }
    const bool no_source = packet.source.IsUnspecified();
    if (!no_source && !is_own(packet.source)) return refuse;
    const bool claims = advertisement || (solicitation && no_source);
    return claims && !is_own(target) ? refuse : pass;
  }
  if (IsDeviceMac(c.pair, c.vlan, packet.source_mac)) {
    return Refuse(who, c, Reason::kDeviceMacOnNetworkSide);
  }
  for (const MacAddress mac : options) {
    if (IsDeviceMac(c.pair, c.vlan, mac)) return Refuse(who, c, Reason::kNdLinkLayer);
  }
  if (owner(packet.source).kind == Who::kDevice || !maker(packet.source).IsZero()) return refuse;
  if (router) return std::nullopt;
  const std::string group = ToString(packet.destination);
  if (solicitation) {
    if (who.kind != Who::kGroup) return is_own(target) ? pass : refuse;
    if (owner(target).kind == Who::kDevice || MayBeAnybodys(c)) return pass;
    const bool solicited_node = group.starts_with("ff02::1:ff");
    return target.IsV6LinkLocal() && solicited_node && HasDevices(c) ? pass : refuse;
  }
  if (!advertisement || owner(target).kind == Who::kDevice || !maker(target).IsZero()) {
    return refuse;
  }
  if (who.kind != Who::kGroup) return pass;
  const bool somebody_listens = HasDevices(c) || spec_.unknown_device_ruleset;
  return group == "ff02::1" && somebody_listens ? pass : refuse;
}

}  // namespace cordon::dp::testing

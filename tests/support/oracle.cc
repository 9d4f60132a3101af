// SPDX-License-Identifier: Apache-2.0
#include "tests/support/oracle.h"

#include <algorithm>

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

bool CarriesId(uint8_t number, uint8_t type) {
  if (number == kIcmpv6) return type == 128 || type == 129;
  return type == 8 || type == 0 || (type >= 13 && type <= 18);
}

bool IsReplyType(uint8_t number, uint8_t type) {
  if (number == kIcmpv6) return type == 129;
  return type == 0 || type == 14 || type == 16 || type == 18;
}

uint8_t RequestFor(uint8_t number, uint8_t type) {
  if (!IsReplyType(number, type)) return type;
  if (number == kIcmpv6) return 128;
  return type == 0 ? 8 : static_cast<uint8_t>(type - 1);
}

bool IsIcmp(uint8_t number) { return number == kIcmp || number == kIcmpv6; }

}  // namespace

void Oracle::SetPolicy(const PolicySpec& spec) {
  spec_ = spec;
  ++policy_;
}

// --- the policy

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

bool Oracle::MayUse(const Who& who, const Conversation& c, const IpAddress& ip) const {
  const Who owner = Owner(c.pair, c.vlan, ip);
  if (owner.kind == Who::kDevice) return owner == who;
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
    const bool peer_fits =
        rule.any_peer || std::any_of(rule.peers.begin(), rule.peers.end(),
                                     [&](const IpPrefix& p) { return IsIn(p, c.peer_ip); });
    if (!peer_fits) return false;
    if (!IsIcmp(c.protocol)) {
      return InRanges(rule.peer_ports, c.peer_port) && InRanges(rule.device_ports, c.device_port);
    }
    if (!rule.peer_ports.empty() || !rule.device_ports.empty()) return false;
    const bool redirect_or_quench =
        c.protocol == kIcmpv6 ? c.icmp_request == 137 : c.icmp_request == 4 || c.icmp_request == 5;
    return (rule.icmp_types.empty() && !redirect_or_quench) ||
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
  if (who.kind == Who::kNobody) return Reason::kUnknownDevice;
  if (sent_by_peer) {
    if (Owner(c.pair, c.vlan, c.peer_ip).kind == Who::kDevice) {
      return Reason::kDeviceMacOnNetworkSide;
    }
    if (dhcp || dhcpv6) return Reason::kUndecided;
    const bool bound = who.kind == Who::kGroup ? !has_owner : MayUse(who, c, ip);
    return bound ? Reason::kUndecided : Reason::kDestinationNotBound;
  }
  bool passes = MayUse(who, c, ip);
  if (ip.IsV6LinkLocal() && !has_owner && (mld || dhcpv6)) passes = true;
  if (ip.IsUnspecified()) passes = ip.IsV4() ? dhcp : mld;
  if (ip.IsMulticast() || ip.IsLimitedBroadcast()) passes = false;
  return passes ? Reason::kUndecided : Reason::kSourceNotBound;
}

OracleAnswer Oracle::DecideNew(const Conversation& c, bool by_peer,
                               std::optional<RuleSpec>& rule) const {
  const Who who = Find(c);
  const Reason reason = CheckAddresses(who, c, by_peer);
  if (reason != Reason::kUndecided) return Refuse(who, c, reason);
  rule = MatchRules(who, c, by_peer || who.kind == Who::kGroup);
  if (!rule) {
    return Refuse(who, c, who.kind == Who::kGroup ? Reason::kGroupNoRule : Reason::kNoRule);
  }
  return {Verdict::kForward, Reason::kRule, rule->origin,
          who.kind == Who::kDevice ? spec_.devices[who.index].name : ""};
}

// --- one frame

Oracle::Conversation Oracle::ConversationOf(const Packet& packet, Side side, uint16_t pair) {
  const bool out = side == Side::kDevice;
  Conversation c;
  c.pair = pair;
  c.vlan = packet.vlan;
  c.device_mac = out ? packet.source_mac : packet.destination_mac;
  c.protocol = packet.protocol;
  c.device_ip = out ? packet.source : packet.destination;
  c.peer_ip = out ? packet.destination : packet.source;
  if (packet.layer3 == Layer3::kArp) {
    c.device_ip = out ? packet.arp.sender_ip : packet.arp.target_ip;
    c.peer_ip = out ? packet.arp.target_ip : packet.arp.sender_ip;
  }
  if (packet.icmp_kind != IcmpKind::kNone) {
    c.icmp_request = RequestFor(packet.protocol, packet.icmp_type);
    c.icmp_id = CarriesId(packet.protocol, packet.icmp_type) ? packet.icmp_id : packet.icmp_code;
    c.icmp_asked_by_peer = out == IsReplyType(packet.protocol, packet.icmp_type);
  } else {
    c.device_port = out ? packet.source_port : packet.destination_port;
    c.peer_port = out ? packet.destination_port : packet.source_port;
  }
  return c;
}

// As if the quoted packet had been seen when its sender sent it.
std::optional<Oracle::Conversation> Oracle::QuotedConversation(const Packet& packet, Side side,
                                                               uint16_t pair) {
  const QuotedFacts& quoted = packet.quoted;
  const bool device_sent_it = side == Side::kNetwork;
  if (packet.destination != quoted.source) return std::nullopt;
  if (side == Side::kDevice && packet.source != quoted.destination) return std::nullopt;
  Packet original;
  const MacAddress device_mac = device_sent_it ? packet.destination_mac : packet.source_mac;
  if (device_mac.IsGroup()) return std::nullopt;
  original.source_mac = original.destination_mac = device_mac;
  original.vlan = packet.vlan;
  original.protocol = quoted.protocol;
  original.source = quoted.source;
  original.destination = quoted.destination;
  original.source_port = quoted.source_port;
  original.destination_port = quoted.destination_port;
  if (IsIcmp(quoted.protocol)) {
    if (!CarriesId(quoted.protocol, quoted.icmp_type)) return std::nullopt;
    original.icmp_kind = IcmpKind::kRequest;
    original.icmp_type = quoted.icmp_type;
    original.icmp_id = quoted.icmp_id;
  }
  return ConversationOf(original, device_sent_it ? Side::kDevice : Side::kNetwork, pair);
}

OracleAnswer Oracle::Decide(const Packet& packet, Side side, uint16_t pair, uint64_t now_ns) {
  now_ns_ = now_ns;
  if (policy_ == 0) return {Verdict::kDrop, Reason::kNoPolicy, "", ""};
  if (!packet.has_ethernet) return {Verdict::kDrop, packet.reason, "", ""};
  const Conversation c = ConversationOf(packet, side, pair);
  if (packet.reason == Reason::kSourceMacInvalid || packet.reason == Reason::kVlanIdReserved ||
      packet.reason == Reason::kVlanTruncated) {
    return {Verdict::kDrop, packet.reason, "", ""};
  }
  if (packet.reason != Reason::kUndecided) return Refuse(Find(c), c, packet.reason);
  if (packet.layer3 == Layer3::kArp) return JudgeArp(packet, side, c);
  if (packet.icmp_kind == IcmpKind::kNeighbour) return JudgeNeighbour(packet, side, c);
  if (packet.icmp_kind == IcmpKind::kError) return JudgeError(packet, side, pair);
  return JudgePacket(packet, side, c);
}

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

OracleAnswer Oracle::JudgeError(const Packet& packet, Side side, uint16_t pair) {
  const auto quoted = QuotedConversation(packet, side, pair);
  if (quoted) {
    bool revoked = false;
    const auto flow = Lookup(*quoted, &revoked);
    if (revoked) {
      OracleAnswer answer = Refuse(Find(*quoted), *quoted, Reason::kIcmpNoFlow);
      return answer;
    }
    const bool pretends =
        side == Side::kNetwork && (IsDeviceMac(pair, packet.vlan, packet.source_mac) ||
                                   Owner(pair, packet.vlan, packet.source).kind == Who::kDevice);
    if (flow != flows_.end() && pretends) {
      return Refuse(Find(*quoted), *quoted, Reason::kDeviceMacOnNetworkSide);
    }
    if (flow != flows_.end()) {
      OracleAnswer answer = flow->second.answer;
      if (answer.verdict == Verdict::kForward) answer.reason = Reason::kIcmpErrorOfFlow;
      return answer;
    }
  }
  return JudgeFirst(packet, side, ConversationOf(packet, side, pair));
}

OracleAnswer Oracle::JudgePacket(const Packet& packet, Side side, const Conversation& c) {
  bool revoked = false;
  const auto found = Lookup(c, &revoked);
  if (revoked) return Refuse(Find(c), c, Reason::kFlowRevoked);
  if (found == flows_.end()) return JudgeFirst(packet, side, c);
  if (side == Side::kNetwork && IsDeviceMac(c.pair, c.vlan, packet.source_mac)) {
    return Refuse(Find(c), c, Reason::kDeviceMacOnNetworkSide);
  }
  Flow& flow = found->second;
  const bool from_initiator = (side == Side::kNetwork) == flow.by_peer;
  if (packet.protocol == kTcp) {
    const TcpOutcome outcome = AdvanceTcp(flow, from_initiator, packet);
    if (outcome.reopens) {
      flows_.erase(found);
      return JudgeFirst(packet, side, c);
    }
    if (!outcome.fits()) return Refuse(Find(c), c, outcome.reason);
  }
  flow.last_ms = static_cast<uint32_t>(now_ns_ / 1'000'000);
  return flow.answer;
}

OracleAnswer Oracle::JudgeFirst(const Packet& packet, Side side, const Conversation& c) {
  const bool sent_by_peer = side == Side::kNetwork;
  const Who who = Find(c);
  if (who.kind != Who::kNobody && sent_by_peer && IsDeviceMac(c.pair, c.vlan, packet.source_mac)) {
    return Refuse(who, c, Reason::kDeviceMacOnNetworkSide);
  }
  const Reason reason = CheckAddresses(who, c, sent_by_peer);
  const bool answer_to_nothing =
      packet.icmp_kind == IcmpKind::kReply || packet.icmp_kind == IcmpKind::kError;
  const bool reset = packet.protocol == kTcp && (packet.tcp_flags & tcp_flag::kRst) != 0;
  const bool opening =
      packet.protocol != kTcp || ((packet.tcp_flags & tcp_flag::kSyn) != 0 &&
                                  (packet.tcp_flags & tcp_flag::kAck) == 0 && !reset);
  if (answer_to_nothing || reset) {
    const Reason no_flow = reset ? Reason::kTcpNoFlow : Reason::kIcmpNoFlow;
    return Refuse(who, c, reason != Reason::kUndecided ? reason : no_flow);
  }
  Flow flow;
  flow.by_peer = sent_by_peer;
  if (opening) {
    flow.answer = DecideNew(c, sent_by_peer, flow.rule);
    if (packet.protocol == kTcp) flow.tcp = OpenTrack(SegmentOf(packet));
  } else {
    flow.answer = JudgeMidstream(packet, side, c, who, flow);
    flow.tcp =
        AdoptTrack(sent_by_peer == flow.by_peer ? FlowSide::kInitiator : FlowSide::kResponder,
                   SegmentOf(packet));
  }
  if (flow.answer.verdict == Verdict::kDrop) return flow.answer;
  if (!Admit(c, flow)) return Refuse(who, c, Reason::kFlowTableFull);
  return flow.answer;
}

OracleAnswer Oracle::JudgeMidstream(const Packet& packet, Side side, const Conversation& c,
                                    const Who& who, Flow& flow) const {
  const bool sent_by_peer = side == Side::kNetwork;
  const bool sender_is_server =
      (packet.tcp_flags & tcp_flag::kSyn) != 0 || packet.source_port < packet.destination_port;
  flow.by_peer = who.kind == Who::kGroup || sent_by_peer != sender_is_server;
  const Reason reason = CheckAddresses(who, c, sent_by_peer);
  if (reason != Reason::kUndecided) return Refuse(who, c, reason);
  const OracleAnswer refused = Refuse(who, c, Reason::kTcpNoFlow);
  if (refused.verdict == Verdict::kDrop && now_ns_ >= adopt_until_ns_) return refused;
  for (const bool by_peer : {false, true}) {
    const auto rule = MatchRules(who, c, by_peer);
    if (!rule) continue;
    flow.by_peer = by_peer;
    flow.rule = rule;
    return {Verdict::kForward, Reason::kRule, rule->origin, refused.device};
  }
  return refused;
}

// --- flows

bool Oracle::IsExpired(const Conversation& c, const Flow& flow) const {
  const uint32_t by_rule = flow.rule ? static_cast<uint32_t>(flow.rule->idle_timeout.count()) : 0;
  uint32_t seconds = by_rule;
  if (c.protocol == kTcp) {
    if (flow.tcp.state == TcpState::kSynSent || flow.tcp.state == TcpState::kSynReceived)
      seconds = 60;
    if (flow.tcp.state == TcpState::kEstablished && by_rule == 0) seconds = 24 * 3600;
    if (flow.tcp.state == TcpState::kClosing) seconds = 240;
    if (flow.tcp.state == TcpState::kClosed) seconds = 10;
  } else if (by_rule == 0) {
    seconds = c.protocol == kUdp ? 180 : 60;
  }
  return (static_cast<uint32_t>(now_ns_ / 1'000'000) - flow.last_ms) / 1000 >= seconds;
}

Oracle::FlowMap::iterator Oracle::Lookup(const Conversation& c, bool* revoked) {
  const auto found = flows_.find(c);
  if (found == flows_.end()) return found;
  Flow& flow = found->second;
  if (IsExpired(c, flow)) {
    flows_.erase(found);
    return flows_.end();
  }
  if (flow.policy == policy_) return found;
  std::optional<RuleSpec> rule;
  const OracleAnswer answer = DecideNew(c, flow.by_peer, rule);
  if (answer.verdict == Verdict::kDrop) {
    flows_.erase(found);
    *revoked = true;
    return flows_.end();
  }
  flow.answer = answer;
  flow.rule = rule;
  flow.policy = policy_;
  return Lookup(c, revoked);  // the new rule's timeout may already have passed
}

void Oracle::Sweep(uint64_t now_ns) {
  now_ns_ = now_ns;
  std::vector<Conversation> all;
  for (const auto& [conversation, flow] : flows_) all.push_back(conversation);
  bool revoked = false;
  for (const Conversation& conversation : all) Lookup(conversation, &revoked);
}

TcpOutcome Oracle::AdvanceTcp(Flow& flow, bool from_initiator, const Packet& packet) {
  const FlowSide from = from_initiator ? FlowSide::kInitiator : FlowSide::kResponder;
  const TcpOutcome outcome = Track(flow.tcp, from, SegmentOf(packet));
  if (!flow.tcp.evictable()) {
    flow.evictable_since = 0;
  } else if (flow.evictable_since == 0) {
    flow.evictable_since = ++evictable_counter_;
  }
  return outcome;
}

bool Oracle::Admit(const Conversation& c, const Flow& flow) {
  if (flows_.size() >= capacity_) {
    auto oldest = flows_.end();
    for (auto at = flows_.begin(); at != flows_.end(); ++at) {
      if (at->second.evictable_since == 0) continue;
      if (oldest == flows_.end() || at->second.evictable_since < oldest->second.evictable_since) {
        oldest = at;
      }
    }
    if (oldest == flows_.end()) return false;
    flows_.erase(oldest);
  }
  Flow& admitted = flows_[c] = flow;
  admitted.policy = policy_;
  admitted.last_ms = static_cast<uint32_t>(now_ns_ / 1'000'000);
  if (c.protocol == kTcp && admitted.tcp.evictable())
    admitted.evictable_since = ++evictable_counter_;
  return true;
}

}  // namespace cordon::dp::testing

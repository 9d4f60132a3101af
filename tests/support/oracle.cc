// SPDX-License-Identifier: Apache-2.0
#include "tests/support/oracle.h"

#include <algorithm>

namespace cordon::dp::testing {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17, kIcmp = 1, kIcmpv6 = 58;

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

void Oracle::SetPolicy(const PolicySpec& spec, int64_t unix_time) {
  spec_ = spec;
  policy_time_ = unix_time;
  ++policy_;
  std::vector<std::string_view> names;
  for (const DeviceSpec& device : spec_.devices) names.push_back(device.name);
  const std::vector<uint32_t> numbers = device_numbers_.Assign(names);
  number_of_.clear();
  for (size_t i = 0; i < names.size(); ++i) number_of_[std::string(names[i])] = numbers[i];
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
  if (packet.reason != Reason::kUndecided && packet.guard != GuardKind::kLayer2) {
    return Refuse(Find(c), c, packet.reason);
  }
  const bool is_error = packet.icmp_kind == IcmpKind::kError;
  const Conversation subject = is_error ? QuotedConversation(packet, side, pair).value_or(c) : c;
  const Who who = Find(subject);
  const ProtectionSpec& protection =
      who.kind == Who::kDevice ? spec_.devices[who.index].protection : spec_.protection;
  if (const CheckMask failed = packet.anomalies & MaskOf(protection)) {
    return Refuse(who, subject, ReasonOf(failed));
  }
  if (const auto guarded = JudgeGuarded(packet, side, c)) return *guarded;
  if (packet.icmp_kind == IcmpKind::kError) return JudgeError(packet, side, pair);
  return JudgePacket(packet, side, c);
}

OracleAnswer Oracle::JudgeError(const Packet& packet, Side side, uint16_t pair) {
  const auto quoted = QuotedConversation(packet, side, pair);
  if (quoted) {
    std::optional<OracleAnswer> revoked;
    const auto flow = Lookup(*quoted, &revoked);
    if (revoked) {
      const OracleAnswer answer = Refuse(Find(*quoted), *quoted, Reason::kIcmpNoFlow);
      return {Verdict::kDrop, Reason::kIcmpNoFlow, "", answer.device};
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
  std::optional<OracleAnswer> revoked;
  const auto found = Lookup(c, &revoked);
  if (revoked) return *revoked;
  if (found == flows_.end()) return JudgeFirst(packet, side, c);
  if (side == Side::kNetwork && IsDeviceMac(c.pair, c.vlan, packet.source_mac)) {
    return Refuse(Find(c), c, Reason::kDeviceMacOnNetworkSide);
  }
  Flow& flow = found->second;
  if ((packet.anomalies & MaskOf(Check::kL4Checksum)) != 0) return flow.answer;
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
  if (const auto denied = DeniedByOverlay(who, c)) return *denied;
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
      seconds = 240;
    if (flow.tcp.state == TcpState::kEstablished && by_rule == 0) seconds = 24 * 3600;
    if (flow.tcp.state == TcpState::kClosing) seconds = 240;
    if (flow.tcp.state == TcpState::kClosed) seconds = 10;
  } else if (by_rule == 0) {
    seconds = c.protocol == kUdp ? 180 : 60;
  }
  return (static_cast<uint32_t>(now_ns_ / 1'000'000) - flow.last_ms) / 1000 >= seconds;
}

Oracle::FlowMap::iterator Oracle::Lookup(const Conversation& c,
                                         std::optional<OracleAnswer>* revoked) {
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
    *revoked = answer.reason == Reason::kOverlayDenied
                   ? answer
                   : OracleAnswer{Verdict::kDrop, Reason::kFlowRevoked, "", answer.device};
    return flows_.end();
  }
  flow.answer = answer;
  flow.rule = rule;
  flow.policy = policy_;
  flow.device_number = NumberOf(answer.device);
  return Lookup(c, revoked);  // the new rule's timeout may already have passed
}

void Oracle::Sweep(uint64_t now_ns) {
  now_ns_ = now_ns;
  std::vector<Conversation> all;
  for (const auto& [conversation, flow] : flows_) all.push_back(conversation);
  std::optional<OracleAnswer> revoked;
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

// Of a full table each device that has flows, and the one that asks, may have an equal part.
bool Oracle::HasFairShare(uint32_t device_number) const {
  std::map<uint32_t, size_t> counts;
  counts[device_number] = 0;
  for (const auto& [conversation, flow] : flows_) ++counts[flow.device_number];
  return counts[device_number] >= capacity_ / counts.size();
}

uint32_t Oracle::NumberOf(const std::string& device) const {
  const auto found = number_of_.find(device);
  return found == number_of_.end() ? kNobodysSlot : found->second;
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
    const uint32_t device = NumberOf(flow.answer.device);
    if (oldest->second.device_number != device && HasFairShare(device)) return false;
    flows_.erase(oldest);
  }
  Flow& admitted = flows_[c] = flow;
  admitted.policy = policy_;
  admitted.device_number = NumberOf(flow.answer.device);
  admitted.last_ms = static_cast<uint32_t>(now_ns_ / 1'000'000);
  if (c.protocol == kTcp && admitted.tcp.evictable())
    admitted.evictable_since = ++evictable_counter_;
  return true;
}

}  // namespace cordon::dp::testing

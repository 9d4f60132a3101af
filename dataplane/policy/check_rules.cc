// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/check_rules.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>
#include <string>

#include "dataplane/packet/packet.h"
#include "dataplane/policy/rows.h"

namespace cordon::dp {
namespace {

// Flows count idle time in milliseconds of 32 bits; this leaves room on both sides.
constexpr std::chrono::seconds kMaxIdleTimeout = std::chrono::hours(24 * 30);

constexpr int64_t kLatestExpiry = 253'402'300'799;  // 9999-12-31T23:59:59Z

struct RowCount {
  size_t v4 = 0, v6 = 0;
};

// Rows are one prefix x one port range each. Saturates: the product of three lists a client chose.
RowCount RowsFor(const RuleSpec& rule) {
  constexpr size_t kMany = size_t{1} << 20;
  const size_t ports =
      std::max<size_t>(rule.peer_ports.size(), 1) * std::max<size_t>(rule.device_ports.size(), 1);
  const size_t protocols = rule.protocol == RuleProtocol::kAny ? 2 : 1;
  const size_t types = std::max<size_t>(rule.icmp_types.size(), 1);
  if (rule.peers.size() > kMany || ports > kMany || types > kMany) return {kMany, kMany};
  RowCount peers{rule.any_peer ? 1u : 0u, rule.any_peer ? 1u : 0u};
  for (const IpPrefix& prefix : rule.peers) ++(prefix.address.IsV4() ? peers.v4 : peers.v6);
  return {peers.v4 * ports * protocols * types, peers.v6 * ports * protocols * types};
}

uint8_t WidthOf(const IpPrefix& prefix) { return prefix.address.IsV4() ? 32 : 128; }

// `length` is within the width.
bool HasHostBits(const IpPrefix& prefix) {
  const int host_bits = WidthOf(prefix) - prefix.length;
  const IpAddress& a = prefix.address;
  if (prefix.address.IsV4()) {
    return host_bits == 32 ? a.AsV4() != 0 : (a.AsV4() & ((1u << host_bits) - 1)) != 0;
  }
  if (host_bits >= 64) {
    const uint64_t mask = host_bits == 128 ? ~0ULL : (1ULL << (host_bits - 64)) - 1;
    return a.lo != 0 || (a.hi & mask) != 0;
  }
  return (a.lo & ((1ULL << host_bits) - 1)) != 0;
}

bool IsIcmp(RuleProtocol protocol) {
  return protocol == RuleProtocol::kIcmp || protocol == RuleProtocol::kIcmpv6;
}
bool HasPorts(RuleProtocol protocol) {
  return !IsIcmp(protocol) && protocol != RuleProtocol::kNumber;
}

// Those with a name go by it; IPv6 extension headers are walked over and never the protocol.
bool IsNameableNumber(uint8_t number) {
  constexpr uint8_t kNever[] = {
      protocol::kIcmp,   protocol::kTcp,          protocol::kUdp,
      protocol::kIcmpv6, 0 /* hop-by-hop */,      43 /* routing */,
      44 /* fragment */, 59 /* no next header */, 60 /* destination options */};
  return std::find(std::begin(kNever), std::end(kNever), number) == std::end(kNever);
}

}  // namespace

bool IsLegalVlan(VlanTags vlan) {
  return vlan.outer <= 4094 && vlan.inner <= 4094 && (vlan.inner == 0 || vlan.outer != 0);
}

RuleSpec RuleOf(const OverlayRuleSpec& overlay) {
  RuleSpec rule;
  rule.origin = overlay.origin;
  rule.protocol = overlay.protocol;
  rule.protocol_number = overlay.protocol_number;
  rule.any_peer = overlay.any_peer;
  rule.peers = overlay.peers;
  rule.peer_ports = overlay.ports;
  rule.icmp_types = overlay.icmp_types;
  return rule;
}

void RulesetChecker::AddFault(std::string_view field, std::string message) {
  faults_.Add(Element(list_, rule_) + "." + std::string(field), std::move(message));
}

void RulesetChecker::AddFault(std::string_view list, size_t i, std::string message) {
  AddFault(Element(list, i), std::move(message));
}

void RulesetChecker::Check(const RulesetSpec& ruleset, size_t position) {
  list_ = Element("rulesets", position) + ".rules";
  CheckRules(ruleset.rules);
  const size_t rows = rows_v4_ + rows_v6_;
  if (rows > limits_.rows_per_ruleset) {
    faults_.Add(Element("rulesets", position),
                "'" + ruleset.name + "' needs " + std::to_string(rows) +
                    " rows (prefixes x port ranges); this gateway takes at most " +
                    std::to_string(limits_.rows_per_ruleset) + " a ruleset");
  }
}

void RulesetChecker::CheckOverlay(const std::vector<OverlayRuleSpec>& overlay) {
  list_ = "overlay";
  std::vector<RuleSpec> rules;
  rules.reserve(overlay.size());
  for (const OverlayRuleSpec& rule : overlay) rules.push_back(RuleOf(rule));
  CheckRules(rules);
  const size_t rows = 2 * (rows_v4_ + rows_v6_);
  if (rows > limits_.rows_per_ruleset) {
    faults_.Add("overlay", "needs " + std::to_string(rows) +
                               " rows (prefixes x port ranges); this gateway takes at most " +
                               std::to_string(limits_.rows_per_ruleset));
  }
}

void RulesetChecker::CheckRules(const std::vector<RuleSpec>& rules) {
  ++round_;
  const size_t slots = std::bit_ceil(rules.size() * 2 + 2);
  if (seen_.size() < slots) seen_.assign(slots, SeenOrigin{});
  RowCount count;
  for (rule_ = 0; rule_ < rules.size(); ++rule_) {
    const RuleSpec& rule = rules[rule_];
    CheckPeers(rule);
    CheckPorts(rule);
    CheckProtocol(rule);
    CheckGroup(rule);
    CheckRest(rule);
    CheckOrigin(rules, rule_);
    const RowCount of_rule = RowsFor(rule);
    count.v4 += of_rule.v4;
    count.v6 += of_rule.v6;
    totals_.origin_bytes += rule.origin.size();
  }
  rows_v4_ = count.v4;
  rows_v6_ = count.v6;
  totals_.rules += rules.size();
  totals_.rows += count.v4 + count.v6;
  // One block more for each initiator, whose rows begin a block of their own.
  totals_.blocks_v4 += count.v4 == 0 ? 0 : count.v4 / kLanes + 2;
  totals_.blocks_v6 += count.v6 == 0 ? 0 : count.v6 / kLanes + 2;
}

void RulesetChecker::CheckPeers(const RuleSpec& rule) {
  if (rule.any_peer && !rule.peers.empty()) {
    AddFault("peers", "any_peer is set: the list of peers must be empty");
  }
  if (!rule.any_peer && rule.peers.empty()) {
    AddFault("peers", "a rule needs at least one peer, or any_peer");
  }
  for (size_t i = 0; i < rule.peers.size(); ++i) {
    const IpPrefix& prefix = rule.peers[i];
    const uint8_t width = WidthOf(prefix);
    if (prefix.length > width) {
      AddFault("peers", i,
               "prefix length " + std::to_string(prefix.length) + " must be at most " +
                   std::to_string(width));
    } else if (HasHostBits(prefix)) {
      AddFault("peers", i,
               ToString(prefix) + " has bits set behind its prefix length; they must be 0");
    }
  }
}

void RulesetChecker::CheckPorts(const RuleSpec& rule) {
  const auto check = [this, &rule](std::string_view list, const std::vector<PortRange>& ranges) {
    if (!ranges.empty() && !HasPorts(rule.protocol)) {
      AddFault(list, ToString(rule.protocol, rule.protocol_number) +
                         " has no L4 ports: leave the list empty or use tcp, udp or any");
    }
    for (size_t i = 0; i < ranges.size(); ++i) {
      if (ranges[i].first == 0) {
        AddFault(list, i, "L4 port 0 cannot be allowed: ports are 1-65535");
      } else if (ranges[i].first > ranges[i].last) {
        AddFault(list, i,
                 "first port " + std::to_string(ranges[i].first) + " is above last port " +
                     std::to_string(ranges[i].last));
      }
    }
  };
  check(list_ == "overlay" ? "ports" : "peer_ports", rule.peer_ports);
  check("device_ports", rule.device_ports);
}

void RulesetChecker::CheckProtocol(const RuleSpec& rule) {
  const bool is_number = rule.protocol == RuleProtocol::kNumber;
  if (is_number && !IsNameableNumber(rule.protocol_number)) {
    AddFault("protocol", std::to_string(rule.protocol_number) +
                             " cannot be given as a number: use tcp, udp, icmp or icmpv6; IPv6 "
                             "extension headers are no protocols");
  } else if (!is_number && rule.protocol_number != 0) {
    AddFault("protocol", "a number beside " + ToString(rule.protocol) + ": leave one of them out");
  }
  if (!rule.icmp_types.empty() && !IsIcmp(rule.protocol)) {
    AddFault("icmp_types", ToString(rule.protocol, rule.protocol_number) +
                               " has no ICMP types: leave the list empty or use icmp or icmpv6");
  }
}

void RulesetChecker::CheckGroup(const RuleSpec& rule) {
  if (!rule.group) return;
  if (rule.group->IsUnspecified()) {
    AddFault("group",
             ToString(*rule.group) + " is not a group: name a multicast or broadcast address");
  } else if (rule.initiator == Initiator::kDevice) {
    AddFault("group",
             "is for what peers send; what a device sends to a group names the group as its peer");
  } else if (rule.protocol == RuleProtocol::kTcp) {
    AddFault("group", "TCP is never sent to a group (RFC 9293 3.9.2.3)");
  }
}

void RulesetChecker::CheckRest(const RuleSpec& rule) {
  if (rule.expires_at && (*rule.expires_at <= 0 || *rule.expires_at > kLatestExpiry)) {
    AddFault("expires_at", std::to_string(*rule.expires_at) +
                               " is out of range: Unix seconds, at most those of the year 9999");
  }
  if (rule.vlan && !IsLegalVlan(*rule.vlan)) {
    AddFault("vlan", "VLAN ids are 1-4094, and an inner id needs an outer one");
  }
  if (rule.idle_timeout.count() < 0 || rule.idle_timeout > kMaxIdleTimeout) {
    AddFault("idle_timeout", std::to_string(rule.idle_timeout.count()) +
                                 " s is out of range: 0 (the default) to " +
                                 std::to_string(kMaxIdleTimeout.count()) + " s (30 days)");
  }
}

void RulesetChecker::CheckOrigin(const std::vector<RuleSpec>& rules, size_t number) {
  const std::string& origin = rules[number].origin;
  if (origin.empty() || origin.size() > kMaxNameLength) {
    AddFault("origin", origin.empty()
                           ? "a rule needs an origin (profile and rule id)"
                           : "longer than " + std::to_string(kMaxNameLength) + " characters");
    return;
  }
  const uint64_t hash = std::hash<std::string_view>()(origin);
  const size_t mask = seen_.size() - 1;
  size_t at = hash & mask;
  for (; seen_[at].round == round_; at = (at + 1) & mask) {
    if (seen_[at].hash != hash || rules[seen_[at].rule].origin != origin) continue;
    AddFault("origin", "'" + origin + "' is already the origin of " +
                           Element("rules", seen_[at].rule) + "; it must be unique");
    return;
  }
  seen_[at] = {hash, round_, static_cast<uint32_t>(number)};
}

}  // namespace cordon::dp

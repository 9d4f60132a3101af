// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/compile_rules.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include "dataplane/packet/packet.h"

namespace cordon::dp {
namespace {

constexpr PortRange kAllPorts{0, 0xffff};

constexpr uint32_t HighBits(int count) {
  return count <= 0 ? 0 : count >= 32 ? 0xffffffff : 0xffffffffu << (32 - count);
}

RowV4 MakeRowV4(const IpPrefix& prefix) {
  RowV4 row{};
  row.mask[0] = HighBits(prefix.length);
  row.network[0] = prefix.address.AsV4() & row.mask[0];
  return row;
}

RowV6 MakeRowV6(const IpPrefix& prefix) {
  const uint32_t words[4] = {
      static_cast<uint32_t>(prefix.address.hi >> 32), static_cast<uint32_t>(prefix.address.hi),
      static_cast<uint32_t>(prefix.address.lo >> 32), static_cast<uint32_t>(prefix.address.lo)};
  RowV6 row{};
  for (int i = 0; i < 4; ++i) {
    row.mask[i] = HighBits(prefix.length - 32 * i);
    row.network[i] = words[i] & row.mask[i];
  }
  return row;
}

template <size_t Words>
bool IsUsed(const RowBlock<Words>& block, size_t lane) {
  return block.network[0][lane] != 1 || block.mask[0][lane] != 0;
}

template <size_t Words>
Row<Words> RowAt(const RowBlock<Words>& block, size_t lane) {
  Row<Words> row;
  for (size_t word = 0; word < Words; ++word) {
    row.network[word] = block.network[word][lane];
    row.mask[word] = block.mask[word][lane];
  }
  row.ports_low = block.ports_low[lane];
  row.ports_high = block.ports_high[lane];
  row.protocol = block.protocol[lane];
  row.rule = block.rule[lane];
  return row;
}

// Appends to `rows` those of `range` that `wanted` takes.
template <size_t Words, typename F>
void Select(const std::vector<RowBlock<Words>>& blocks, BlockRange range,
            std::vector<Row<Words>>& rows, F wanted) {
  for (uint32_t i = 0; i < range.count; ++i) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const RowBlock<Words>& block = blocks[range.first + i];
      if (!IsUsed(block, lane)) continue;
      Row<Words> row = RowAt(block, lane);
      if (wanted(row)) rows.push_back(row);
    }
  }
}

uint64_t HashBytes(const void* data, size_t size, uint64_t hash) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (; size >= 8; bytes += 8, size -= 8) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    hash = (std::rotl(hash, 23) ^ word) * 0x9e3779b97f4a7c15ULL;
  }
  uint64_t rest = size;
  std::memcpy(&rest, bytes, size);
  return MixBits(hash ^ rest);
}

template <typename Block>
bool BlocksEqual(const std::vector<Block>& blocks, BlockRange a, BlockRange b) {
  return a.count == b.count && (a.count == 0 || std::memcmp(&blocks[a.first], &blocks[b.first],
                                                            a.count * sizeof(Block)) == 0);
}

uint64_t HashOf(const CompiledRules& rules, const CompiledRuleset& ruleset) {
  uint64_t hash = ruleset.rule_count;
  for (size_t i = 0; i < 2; ++i) {
    const auto add = [&hash](const auto& blocks, BlockRange range) {
      hash = MixBits(hash + range.count);
      if (range.count == 0) return;
      hash = HashBytes(&blocks[range.first], range.count * sizeof(blocks[0]), hash);
    };
    add(rules.v4, ruleset.v4[i]);
    add(rules.v6, ruleset.v6[i]);
  }
  return hash;
}

// Equal as far as a match can see; the rule that is kept may have another number.
template <size_t Words>
struct SameMatch {
  const CompiledRules* rules;
  struct Rest {
    uint32_t flags = 0, vlan = 0;
    IpAddress group;
    friend bool operator==(const Rest&, const Rest&) = default;
  };
  Rest RestOf(const Row<Words>& row) const {
    const RuleFacts& rule = rules->facts[row.rule];
    const RuleExtra& extra = rules->extras[rule.extra];
    return {rule.flags & (RuleFacts::kHasVlan | RuleFacts::kHasGroup), extra.vlan, extra.group};
  }
  size_t operator()(const Row<Words>& row) const {
    const Rest rest = RestOf(row);
    return HashBytes(&row, offsetof(Row<Words>, rule), rest.vlan ^ rest.group.lo);
  }
  bool operator()(const Row<Words>& a, const Row<Words>& b) const {
    return std::memcmp(&a, &b, offsetof(Row<Words>, rule)) == 0 && RestOf(a) == RestOf(b);
  }
};

bool HasExpired(const RuleSpec& rule, int64_t now) {
  return rule.expires_at && *rule.expires_at <= now;
}

// Whether every L4 port that the rule opens is named by itself, as tunnels must be.
bool NamesUdpPorts(const RuleSpec& rule) {
  const auto& ports = rule.initiator == Initiator::kDevice ? rule.peer_ports : rule.device_ports;
  return rule.protocol == RuleProtocol::kUdp && !ports.empty() &&
         std::all_of(ports.begin(), ports.end(),
                     [](const PortRange& range) { return range.first == range.last; });
}

}  // namespace

void RulesetCompiler::Rows::Clear() {
  for (size_t i = 0; i < 2; ++i) {
    v4[i].clear();
    v6[i].clear();
  }
}

void RulesetCompiler::Reserve(const RulesetTotals& totals) {
  out_.v4.reserve(totals.blocks_v4);
  out_.v6.reserve(totals.blocks_v6);
  out_.facts.reserve(totals.rules);
  out_.origins.Reserve(totals.rules, totals.origin_bytes);
}

uint32_t RulesetCompiler::Compile(const RulesetSpec& spec) {
  rows_.Clear();
  const auto first_rule = static_cast<uint32_t>(out_.facts.size());
  for (size_t i = 0; i < spec.rules.size(); ++i) {
    const RuleSpec& rule = spec.rules[i];
    if (!HasExpired(rule, now_)) AddRule(rule, static_cast<uint32_t>(i));
    AddFacts(rule);
  }
  Append(first_rule, static_cast<uint32_t>(spec.rules.size()));
  return Deduplicate();
}

uint32_t RulesetCompiler::CompileOverlay(const std::vector<OverlayRuleSpec>& overlay) {
  rows_.Clear();
  for (size_t i = 0; i < overlay.size(); ++i) {
    RuleSpec rule = RuleOf(overlay[i]);
    const auto number = static_cast<uint32_t>(i);
    AddRule(rule, number);
    if (!rule.peer_ports.empty()) {  // at either end
      std::swap(rule.peer_ports, rule.device_ports);
      AddRule(rule, number);
    }
    AddFacts(rule);
  }
  return Append(0, static_cast<uint32_t>(overlay.size()));
}

void RulesetCompiler::AddFacts(const RuleSpec& rule) {
  const bool is_named =
      !rule.icmp_types.empty() || rule.protocol == RuleProtocol::kNumber || NamesUdpPorts(rule);
  const RuleExtra extra{rule.vlan ? VlanWord(*rule.vlan) : 0, rule.group.value_or(IpAddress{}),
                        rule.expires_at.value_or(0)};
  const auto [known, is_new] =
      extras_.try_emplace(extra, static_cast<uint32_t>(out_.extras.size()));
  if (is_new) out_.extras.push_back(extra);
  const uint32_t flags =
      (rule.vlan ? RuleFacts::kHasVlan : 0) | (rule.keep_alive ? RuleFacts::kKeepAlive : 0) |
      (is_named ? RuleFacts::kNamed : 0) | (rule.group ? RuleFacts::kHasGroup : 0) |
      (rule.log ? RuleFacts::kLog : 0) | (HasExpired(rule, now_) ? RuleFacts::kExpired : 0);
  out_.facts.push_back({static_cast<uint32_t>(rule.idle_timeout.count()), known->second, flags});
  out_.origins.Add(rule.origin);
}

void RulesetCompiler::AddRule(const RuleSpec& rule, uint32_t number) {
  const bool any_port = rule.peer_ports.empty() && rule.device_ports.empty();
  if (rule.protocol == RuleProtocol::kIcmp || rule.protocol == RuleProtocol::kIcmpv6) {
    const uint32_t icmp =
        rule.protocol == RuleProtocol::kIcmp ? protocol::kIcmp : protocol::kIcmpv6;
    for (const uint8_t type : rule.icmp_types) {
      AddRows(rule, number, icmp, kAllPorts, {type, type});
    }
    if (rule.icmp_types.empty()) AddRows(rule, number, icmp, kAllPorts, kAllPorts);
    return;
  }
  if (rule.protocol == RuleProtocol::kNumber) {
    AddRows(rule, number, rule.protocol_number, kAllPorts, kAllPorts);
    return;
  }
  if (rule.protocol == RuleProtocol::kAny && any_port) {
    AddRows(rule, number, 0, kAllPorts, kAllPorts);
    return;
  }
  static const std::vector<PortRange> kAnyPort = {kAllPorts};
  for (const PortRange peer : rule.peer_ports.empty() ? kAnyPort : rule.peer_ports) {
    for (const PortRange device : rule.device_ports.empty() ? kAnyPort : rule.device_ports) {
      if (rule.protocol != RuleProtocol::kUdp) {
        AddRows(rule, number, protocol::kTcp, peer, device);
      }
      if (rule.protocol != RuleProtocol::kTcp) {
        AddRows(rule, number, protocol::kUdp, peer, device);
      }
    }
  }
}

// ICMP and IGMP rows exist in the family of their protocol only.
void RulesetCompiler::AddRows(const RuleSpec& rule, uint32_t number, uint32_t protocol,
                              PortRange peer, PortRange device) {
  const auto initiator = static_cast<size_t>(rule.initiator);
  const auto add = [&](auto& rows, auto row) {
    row.ports_low = PortWord(peer.first, device.first);
    row.ports_high = PortWord(peer.last, device.last);
    row.protocol = protocol;
    row.rule = number;
    rows.push_back(row);
  };
  const bool v4 = protocol != protocol::kIcmpv6;
  const bool v6 = protocol != protocol::kIcmp && protocol != kIgmpNumber;
  if (rule.any_peer) {
    if (v4) add(rows_.v4[initiator], RowV4{});
    if (v6) add(rows_.v6[initiator], RowV6{});
  }
  for (const IpPrefix& prefix : rule.peers) {
    if (prefix.address.IsV4()) {
      if (v4) add(rows_.v4[initiator], MakeRowV4(prefix));
    } else if (v6) {
      add(rows_.v6[initiator], MakeRowV6(prefix));
    }
  }
}

uint32_t RulesetCompiler::Append(uint32_t first_rule, uint32_t rule_count) {
  CompiledRuleset ruleset;
  ruleset.first_rule = first_rule;
  ruleset.rule_count = rule_count;
  const auto pack = [this](const auto& rows, auto& blocks) {
    const auto first = static_cast<uint32_t>(blocks.size());
    PackRows(rows, blocks);
    out_.rows += rows.size();
    return BlockRange{first, static_cast<uint32_t>(blocks.size()) - first};
  };
  for (size_t i = 0; i < 2; ++i) {
    ruleset.v4[i] = pack(rows_.v4[i], out_.v4);
    ruleset.v6[i] = pack(rows_.v6[i], out_.v6);
  }
  out_.rulesets.push_back(ruleset);
  return static_cast<uint32_t>(out_.rulesets.size() - 1);
}

uint32_t RulesetCompiler::Deduplicate() {
  const CompiledRuleset last = out_.rulesets.back();
  std::vector<uint32_t>& candidates = by_hash_[HashOf(out_, last)];
  for (const uint32_t earlier : candidates) {
    if (!AreEqual(out_.rulesets[earlier], last)) continue;
    out_.rulesets.pop_back();
    out_.v4.resize(last.v4[0].first);
    out_.v6.resize(last.v6[0].first);
    out_.facts.resize(last.first_rule);
    out_.origins.Truncate(last.first_rule);
    for (size_t i = 0; i < 2; ++i) out_.rows -= rows_.v4[i].size() + rows_.v6[i].size();
    return earlier;
  }
  candidates.push_back(static_cast<uint32_t>(out_.rulesets.size() - 1));
  return candidates.back();
}

bool RulesetCompiler::AreEqual(const CompiledRuleset& a, const CompiledRuleset& b) const {
  if (a.rule_count != b.rule_count) return false;
  for (size_t i = 0; i < 2; ++i) {
    if (!BlocksEqual(out_.v4, a.v4[i], b.v4[i])) return false;
    if (!BlocksEqual(out_.v6, a.v6[i], b.v6[i])) return false;
  }
  for (uint32_t i = 0; i < a.rule_count; ++i) {
    const RuleFacts& x = out_.facts[a.first_rule + i];
    const RuleFacts& y = out_.facts[b.first_rule + i];
    if (std::memcmp(&x, &y, sizeof(x)) != 0) return false;
    if (out_.origins.At(a.first_rule + i) != out_.origins.At(b.first_rule + i)) return false;
  }
  return true;
}

uint32_t RulesetCompiler::KeepAliveOnly(uint32_t ruleset) {
  const auto [known, is_new] = keep_alive_.try_emplace(ruleset, 0);
  if (!is_new) return known->second;
  rows_.Clear();
  const CompiledRuleset whole = out_.rulesets[ruleset];
  const auto wanted = [&](const auto& row) {
    return (out_.facts[whole.first_rule + row.rule].flags & RuleFacts::kKeepAlive) != 0;
  };
  for (size_t i = 0; i < 2; ++i) {
    Select(out_.v4, whole.v4[i], rows_.v4[i], wanted);
    Select(out_.v6, whole.v6[i], rows_.v6[i], wanted);
  }
  known->second = Append(whole.first_rule, whole.rule_count);
  return known->second;
}

uint32_t RulesetCompiler::MergeForGroups(std::span<const uint32_t> rulesets) {
  rows_.Clear();
  const auto initiator = static_cast<size_t>(Initiator::kPeer);
  const auto merge = [&](const auto& blocks, auto range_of, auto& rows) {
    using RowType = typename std::remove_reference_t<decltype(rows)>::value_type;
    const SameMatch<std::extent_v<decltype(RowType::network)>> same{&out_};
    std::unordered_set<RowType, decltype(same), decltype(same)> seen(16, same, same);
    for (const uint32_t index : rulesets) {
      const CompiledRuleset& ruleset = out_.rulesets[index];
      Select(blocks, range_of(ruleset), rows, [&](RowType& row) {
        row.rule += ruleset.first_rule;
        return row.protocol != protocol::kTcp && seen.insert(row).second;
      });
    }
  };
  merge(
      out_.v4, [&](const CompiledRuleset& r) { return r.v4[initiator]; }, rows_.v4[initiator]);
  merge(
      out_.v6, [&](const CompiledRuleset& r) { return r.v6[initiator]; }, rows_.v6[initiator]);
  return Append(0, 0);
}

}  // namespace cordon::dp

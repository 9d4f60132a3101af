// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/table.h"

#include <algorithm>
#include <bit>

#include "dataplane/policy/compiled.h"

namespace cordon::dp {
namespace {

// Pair numbers are 16 bits in the table, whatever the caller's frame came from.
MacKey KeyOf(uint16_t pair, VlanTags vlan, MacAddress mac) {
  return {mac.value << 16 | pair, VlanWord(vlan)};
}

bool IsIcmp(uint8_t number) { return number == protocol::kIcmp || number == protocol::kIcmpv6; }

// `any` means four protocols, each in its own address family.
bool IsAmongAny(const FlowQuestion& question) {
  switch (question.protocol) {
    case protocol::kTcp:
    case protocol::kUdp:
      return true;
    case protocol::kIcmp:
      return question.peer.IsV4();
    case protocol::kIcmpv6:
      return !question.peer.IsV4();
    default:
      return false;
  }
}

RowQuestion ToRowQuestion(const FlowQuestion& question) {
  RowQuestion row{};
  if (question.peer.IsV4()) {
    row.peer[0] = question.peer.AsV4();
  } else {
    row.peer[0] = static_cast<uint32_t>(question.peer.hi >> 32);
    row.peer[1] = static_cast<uint32_t>(question.peer.hi);
    row.peer[2] = static_cast<uint32_t>(question.peer.lo >> 32);
    row.peer[3] = static_cast<uint32_t>(question.peer.lo);
  }
  row.protocol = question.protocol;
  row.ports = IsIcmp(question.protocol) ? PortWord(0, question.icmp_type)
                                        : PortWord(question.peer_port, question.device_port);
  return row;
}

// What is asked of a rule beside its rows.
struct FactsQuestion {
  uint32_t vlan = 0;
  IpAddress group;
  bool must_be_named = false;  // see MustBeNamed; tunnels; protocols that `any` does not mean
  bool FitsTo(const RuleFacts& rule, const std::vector<RuleExtra>& extras) const {
    if (must_be_named && (rule.flags & RuleFacts::kNamed) == 0) return false;
    if ((rule.flags & (RuleFacts::kHasVlan | RuleFacts::kHasGroup)) == 0) [[likely]]
      return true;
    const RuleExtra& extra = extras[rule.extra];
    return ((rule.flags & RuleFacts::kHasVlan) == 0 || extra.vlan == vlan) &&
           ((rule.flags & RuleFacts::kHasGroup) == 0 || extra.group == group);
  }
};

// The first row that matches and whose rule accepts the rest.
template <typename Block>
RuleMatch Scan(const Block* blocks, const CompiledRuleset& ruleset, BlockRange range,
               const CompiledRules& rules, const RowQuestion& question, const FactsQuestion& rest) {
  for (uint32_t i = 0; i < range.count; ++i) {
    const Block& block = blocks[range.first + i];
    for (uint32_t lanes = MatchBlock(block, question); lanes != 0; lanes &= lanes - 1) {
      const RuleIndex rule = ruleset.first_rule + block.rule[std::countr_zero(lanes)];
      const RuleFacts& facts = rules.facts[rule];
      if (rest.FitsTo(facts, rules.extras)) return {rule, facts.idle_timeout_seconds};
    }
  }
  return {};
}

RuleMatch MatchRows(const CompiledRules& rules, uint32_t index, Initiator rows_of,
                    const FlowQuestion& question, const FactsQuestion& rest) {
  const CompiledRuleset& ruleset = rules.rulesets[index];
  const RowQuestion row = ToRowQuestion(question);
  const auto initiator = static_cast<size_t>(rows_of);
  return question.peer.IsV4()
             ? Scan(rules.v4.data(), ruleset, ruleset.v4[initiator], rules, row, rest)
             : Scan(rules.v6.data(), ruleset, ruleset.v6[initiator], rules, row, rest);
}

RuleMatch MatchRuleset(const CompiledRules& rules, uint32_t index, const FlowQuestion& question) {
  const FactsQuestion rest{
      VlanWord(question.vlan), question.device_ip,
      !IsAmongAny(question) || MustBeNamed(question.protocol, question.icmp_type) ||
          (question.protocol == protocol::kUdp && IsUdpTunnelPort(ResponderPortOf(question)))};
  return MatchRows(rules, index, question.initiator, question, rest);
}

}  // namespace

PolicyTable::PolicyTable() : impl_(std::make_unique<Impl>()) {}
PolicyTable::~PolicyTable() = default;

DeviceIndex PolicyTable::FindByMac(uint16_t pair, VlanTags vlan, MacAddress mac) const noexcept {
  return impl_->by_mac.Get(KeyOf(pair, vlan, mac));
}

bool PolicyTable::IsOnOtherPair(uint16_t pair, MacAddress mac) const noexcept {
  const uint32_t home = impl_->pair_by_mac.Get({mac.value << 16, 0});
  return home != kNoValue && home != pair;
}

void PolicyTable::PrefetchMac(uint16_t pair, VlanTags vlan, MacAddress mac) const noexcept {
  impl_->by_mac.Prefetch(KeyOf(pair, vlan, mac));
}

void PolicyTable::PrefetchIp(uint16_t pair, VlanTags vlan, const IpAddress& ip) const noexcept {
  impl_->by_ip.Prefetch({ip.hi, ip.lo, VlanWord(vlan), pair});
}

void PolicyTable::PrefetchDevice(DeviceIndex device) const noexcept {
  if (device < impl_->devices.size()) __builtin_prefetch(&impl_->devices[device]);
}

void PolicyTable::PrefetchRules(DeviceIndex device, Initiator initiator,
                                const IpAddress& peer) const noexcept {
  if (device >= impl_->devices.size()) return;
  const CompiledRuleset& ruleset = impl_->rules.rulesets[impl_->devices[device].ruleset];
  const auto prefetch = [](const auto& blocks, BlockRange range) {
    const uint32_t count = std::min(range.count, 8u);
    for (uint32_t i = 0; i < count; ++i) __builtin_prefetch(&blocks[range.first + i]);
  };
  const auto i = static_cast<size_t>(initiator);
  if (peer.IsV4()) {
    prefetch(impl_->rules.v4, ruleset.v4[i]);
  } else {
    prefetch(impl_->rules.v6, ruleset.v6[i]);
  }
}

void PolicyTable::PrefetchMatch(DeviceIndex device, Initiator initiator,
                                const IpAddress& peer) const noexcept {
  if (device >= impl_->devices.size() || !peer.IsV4()) return;
  const CompiledRules& rules = impl_->rules;
  const CompiledRuleset& ruleset = rules.rulesets[impl_->devices[device].ruleset];
  const BlockRange range = ruleset.v4[static_cast<size_t>(initiator)];
  for (uint32_t i = 0; i < std::min(range.count, 8u); ++i) {
    const BlockV4& block = rules.v4[range.first + i];
    const uint32_t lanes = MatchPeers(block, peer.AsV4());
    if (lanes == 0) continue;
    __builtin_prefetch(&block.ports_low);
    __builtin_prefetch(&block.protocol);
    // Most rules are one row, so the row's place tells its rule; where not, nothing is lost.
    const size_t rule = i * kLanes + static_cast<size_t>(std::countr_zero(lanes));
    if (rule < ruleset.rule_count) __builtin_prefetch(&rules.facts[ruleset.first_rule + rule]);
    return;
  }
}

DeviceIndex PolicyTable::FindByIp(uint16_t pair, VlanTags vlan,
                                  const IpAddress& ip) const noexcept {
  return impl_->by_ip.Get({ip.hi, ip.lo, VlanWord(vlan), pair});
}

bool PolicyTable::IsRouted(DeviceIndex device) const noexcept {
  return device < impl_->devices.size() && impl_->devices[device].routed;
}

bool PolicyTable::HasBoundAddresses(DeviceIndex device) const noexcept {
  return device < impl_->devices.size() && impl_->devices[device].has_bound_addresses;
}

// An address is bound to one device of a pair and VLAN at most, so the map answers.
bool PolicyTable::IsBound(DeviceIndex device, const IpAddress& ip) const noexcept {
  if (!HasBoundAddresses(device)) return true;
  const CompiledDevice& compiled = impl_->devices[device];
  return impl_->by_ip.Get({ip.hi, ip.lo, compiled.vlan, compiled.pair}) == device;
}

Mode PolicyTable::ModeOf(DeviceIndex device) const noexcept {
  return device < impl_->devices.size() ? impl_->devices[device].mode : Mode::kEnforce;
}

bool PolicyTable::HasUnknownDeviceRules() const noexcept {
  return impl_->unknown_device_ruleset != kNoValue;
}

RuleMatch PolicyTable::Match(DeviceIndex device, const FlowQuestion& question) const noexcept {
  if (device < impl_->devices.size()) {
    return MatchRuleset(impl_->rules, impl_->devices[device].ruleset, question);
  }
  if (device == kUnknownDeviceIndex && HasUnknownDeviceRules()) {
    return MatchRuleset(impl_->rules, impl_->unknown_device_ruleset, question);
  }
  return {};
}

RuleMatch PolicyTable::MatchGroup(uint16_t pair, const FlowQuestion& question) const noexcept {
  const uint32_t scope = impl_->by_scope.Get({VlanWord(question.vlan), pair});
  if (scope == kNoValue || question.protocol == protocol::kTcp) return {};
  FlowQuestion from_peer = question;
  from_peer.initiator = Initiator::kPeer;
  return MatchRuleset(impl_->rules, impl_->scopes[scope].ruleset, from_peer);
}

// Its rows stand for both initiators.
RuleMatch PolicyTable::MatchOverlay(const FlowQuestion& question) const noexcept {
  if (impl_->overlay_ruleset == kNoValue) [[likely]]
    return {};
  return MatchRows(impl_->rules, impl_->overlay_ruleset, Initiator::kDevice, question, {});
}

CheckMask PolicyTable::ChecksOf(DeviceIndex device) const noexcept {
  return device < impl_->devices.size() ? impl_->devices[device].checks : impl_->nobodys_checks;
}

CheckMask PolicyTable::ChecksOfAny() const noexcept { return impl_->anybodys_checks; }

const DeviceLimits& PolicyTable::LimitsOf(DeviceIndex device) const noexcept {
  return impl_->limits[device < impl_->devices.size() ? impl_->devices[device].limits : 0];
}

uint32_t PolicyTable::SlotOf(DeviceIndex device) const noexcept {
  return device < impl_->devices.size() ? impl_->devices[device].slot : kNobodysSlot;
}

const PairGuards& PolicyTable::GuardsOf(uint16_t pair) const noexcept {
  return pair < impl_->guards.size() ? impl_->guards[pair] : impl_->default_guards;
}

bool PolicyTable::IsLogged(RuleIndex rule) const noexcept {
  return rule < impl_->rules.facts.size() &&
         (impl_->rules.facts[rule].flags & RuleFacts::kLog) != 0;
}

Mode PolicyTable::GroupMode(uint16_t pair, VlanTags vlan) const noexcept {
  return ScopeOf(pair, vlan).mode;
}

GroupScope PolicyTable::ScopeOf(uint16_t pair, VlanTags vlan) const noexcept {
  const uint32_t scope = impl_->by_scope.Get({VlanWord(vlan), pair});
  return scope == kNoValue ? GroupScope{} : impl_->scopes[scope].facts;
}

std::string_view PolicyTable::DeviceName(DeviceIndex device) const {
  return device < impl_->device_names.size() ? impl_->device_names.At(device) : "";
}

std::string_view PolicyTable::RuleOrigin(RuleIndex rule) const {
  return rule < impl_->rules.origins.size() ? impl_->rules.origins.At(rule) : "";
}

int64_t PolicyTable::RuleExpiry(RuleIndex rule) const {
  return rule < impl_->rules.facts.size()
             ? impl_->rules.extras[impl_->rules.facts[rule].extra].expires_at
             : 0;
}

std::string_view PolicyTable::PairName(uint16_t pair) const {
  return pair < impl_->pairs.size() ? std::string_view(impl_->pairs[pair]) : "";
}

size_t PolicyTable::device_count() const { return impl_->devices.size(); }
size_t PolicyTable::rule_count() const { return impl_->rules.facts.size(); }
size_t PolicyTable::overlay_rule_count() const { return impl_->overlay_rules; }
size_t PolicyTable::ruleset_count() const { return impl_->distinct_rulesets; }
size_t PolicyTable::row_count() const { return impl_->rules.rows; }

size_t PolicyTable::memory_bytes() const {
  return sizeof(*this) + sizeof(*impl_) + impl_->by_mac.memory_bytes() +
         impl_->pair_by_mac.memory_bytes() + impl_->by_ip.memory_bytes() +
         impl_->by_scope.memory_bytes() + impl_->devices.capacity() * sizeof(CompiledDevice) +
         impl_->scopes.capacity() * sizeof(CompiledScope) + impl_->rules.memory_bytes() +
         impl_->limits.capacity() * sizeof(DeviceLimits) + impl_->device_names.memory_bytes() +
         hits_.memory_bytes();
}

int PolicyTable::PairNumber(std::string_view name) const {
  for (size_t i = 0; i < impl_->pairs.size(); ++i) {
    if (impl_->pairs[i] == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace cordon::dp

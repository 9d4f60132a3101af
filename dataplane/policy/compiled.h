// SPDX-License-Identifier: Apache-2.0
// What a PolicyTable holds. Private to policy/: the compiler fills it, the table reads it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/policy/rows.h"
#include "dataplane/policy/table.h"

namespace cordon::dp {

constexpr uint32_t VlanWord(VlanTags vlan) {
  return static_cast<uint32_t>(vlan.outer) << 16 | vlan.inner;
}
constexpr uint64_t MixBits(uint64_t x) {
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
  return x ^ x >> 32;
}

// --- keys of the hash maps below
struct MacKey {
  uint64_t mac_and_pair = 0;  // MAC << 16 | pair
  uint32_t vlan = 0;
  friend bool operator==(const MacKey&, const MacKey&) = default;
  uint64_t Hash() const { return MixBits(mac_and_pair ^ std::rotl(uint64_t{vlan}, 29)); }
};
struct IpKey {
  uint64_t hi = 0, lo = 0;
  uint32_t vlan = 0;
  uint16_t pair = 0;
  friend bool operator==(const IpKey&, const IpKey&) = default;
  uint64_t Hash() const {
    return MixBits(MixBits(hi + vlan) ^ lo ^ static_cast<uint64_t>(pair) << 48);
  }
};
struct ScopeKey {
  uint32_t vlan = 0;
  uint16_t pair = 0;
  friend bool operator==(const ScopeKey&, const ScopeKey&) = default;
  uint64_t Hash() const { return MixBits(static_cast<uint64_t>(pair) << 32 | vlan); }
};

inline constexpr uint32_t kNoValue = 0xffffffff;

// Open addressing with linear probing, at most half full: a lookup is one cache line nearly always.
// Filled once, read by everybody.
template <typename Key>
class IndexMap {
 public:
  IndexMap() : slots_(2) {}

  // Room for `count` keys; forgets what was there.
  void Reset(size_t count) { slots_.assign(std::bit_ceil(count * 2 + 2), Slot{}); }

  // The value that was there already, or kNoValue after `value` was put.
  uint32_t Put(const Key& key, uint32_t value) {
    Slot& slot = slots_[Locate(key)];
    if (slot.value != kNoValue) return slot.value;
    slot = {key, value};
    return kNoValue;
  }
  // Starts loading what Get will look at.
  void Prefetch(const Key& key) const noexcept {
    __builtin_prefetch(&slots_[key.Hash() & (slots_.size() - 1)]);
  }
  uint32_t Get(const Key& key) const noexcept { return slots_[Locate(key)].value; }
  size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    Key key;
    uint32_t value = kNoValue;
  };
  size_t Locate(const Key& key) const noexcept {
    const size_t mask = slots_.size() - 1;
    size_t at = key.Hash() & mask;
    while (slots_[at].value != kNoValue && !(slots_[at].key == key)) at = (at + 1) & mask;
    return at;
  }
  std::vector<Slot> slots_;
};

// --- rules
struct BlockRange {
  uint32_t first = 0;
  uint32_t count = 0;
};
struct CompiledRuleset {
  uint32_t first_rule = 0;  // added to the rule of a row
  uint32_t rule_count = 0;
  BlockRange v4[2];  // by Initiator
  BlockRange v6[2];
};

// What few rules have. Equal ones are one: see RuleFacts::extra.
struct RuleExtra {
  uint32_t vlan = 0;
  IpAddress group;
  int64_t expires_at = 0;
  friend auto operator<=>(const RuleExtra&, const RuleExtra&) = default;
};

// What a match needs beside its row. Padding-free: rulesets are compared by memory.
struct RuleFacts {
  uint32_t idle_timeout_seconds = 0;
  uint32_t extra = 0;  // into CompiledRules::extras
  uint32_t flags = 0;
  // kNamed: names ICMP types, or its protocol by number. kExpired, kLog: as they say.
  static constexpr uint32_t kHasVlan = 1, kKeepAlive = 2, kNamed = 4, kHasGroup = 8, kLog = 16,
                            kExpired = 32;
};
static_assert(sizeof(RuleFacts) == 12);

// Strings back to back: one allocation for all of them.
class StringArena {
 public:
  void Reserve(size_t strings, size_t bytes) {
    ends_.reserve(strings);
    text_.reserve(bytes);
  }
  void Add(std::string_view text) {
    text_.insert(text_.end(), text.begin(), text.end());
    ends_.push_back(static_cast<uint32_t>(text_.size()));
  }
  std::string_view At(size_t i) const {
    const uint32_t begin = i == 0 ? 0 : ends_[i - 1];
    return {text_.data() + begin, ends_[i] - begin};
  }
  void Truncate(size_t strings) {
    text_.resize(strings == 0 ? 0 : ends_[strings - 1]);
    ends_.resize(strings);
  }
  size_t size() const { return ends_.size(); }
  size_t memory_bytes() const { return text_.capacity() + ends_.capacity() * sizeof(uint32_t); }

 private:
  std::vector<char> text_;
  std::vector<uint32_t> ends_;
};

// Every compiled ruleset, back to back.
struct CompiledRules {
  std::vector<CompiledRuleset> rulesets;
  std::vector<BlockV4> v4;
  std::vector<BlockV6> v6;
  std::vector<RuleFacts> facts;  // by RuleIndex
  std::vector<RuleExtra> extras{RuleExtra{}};
  StringArena origins;  // by RuleIndex
  size_t rows = 0;
  size_t memory_bytes() const {
    return rulesets.capacity() * sizeof(CompiledRuleset) + v4.capacity() * sizeof(BlockV4) +
           v6.capacity() * sizeof(BlockV6) + facts.capacity() * sizeof(RuleFacts) +
           extras.capacity() * sizeof(RuleExtra) + origins.memory_bytes();
  }
};

struct CompiledDevice {
  CheckMask checks = 0;
  uint32_t ruleset = 0;  // of its mode: in quarantine the one with keep-alive rules only
  uint32_t vlan = 0;
  uint32_t slot = kNobodysSlot;
  uint32_t limits = 0;  // into PolicyTable::Impl::limits
  uint16_t pair = 0;
  Mode mode = Mode::kEnforce;
  bool routed = false;
  bool has_bound_addresses = false;
};

// The devices of one (pair, VLAN) seen as one, for group traffic.
struct CompiledScope {
  GroupScope facts;
  uint32_t ruleset = 0;  // peer-initiated rows of all its devices, without duplicates
};

struct PolicyTable::Impl {
  IndexMap<MacKey> by_mac;
  IndexMap<MacKey> pair_by_mac;  // of the first device that has it; keys without pair and VLAN
  IndexMap<IpKey> by_ip;
  IndexMap<ScopeKey> by_scope;
  std::vector<CompiledDevice> devices;
  std::vector<CompiledScope> scopes;
  CompiledRules rules;
  StringArena device_names;
  std::vector<std::string> pairs;
  uint32_t unknown_device_ruleset = kNoValue;
  uint32_t overlay_ruleset = kNoValue;
  uint32_t overlay_rules = 0;
  CheckMask nobodys_checks = dp::ChecksOf(Protection::kStandard);
  CheckMask anybodys_checks = dp::ChecksOf(Protection::kStandard);  // the union of all
  std::vector<DeviceLimits> limits{DeviceLimits{}};  // distinct ones; the first: none
  std::vector<PairGuards> guards;                    // by pair number
  PairGuards default_guards;
  size_t distinct_rulesets = 0;
};

}  // namespace cordon::dp

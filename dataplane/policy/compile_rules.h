// SPDX-License-Identifier: Apache-2.0
// Rules to rows. Private to policy/.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "dataplane/policy/check_rules.h"
#include "dataplane/policy/compiled.h"
#include "dataplane/policy/spec.h"

namespace cordon::dp {

// Compiles rulesets, which must have passed RulesetChecker, into `out`. Equal rulesets become one:
// equal in all that is enforced, and in the origins, so that each pass is still attributed to its
// own rules.
class RulesetCompiler {
 public:
  // Rules that expired by `now` (Unix seconds) get no rows.
  RulesetCompiler(CompiledRules& out, int64_t now) : out_(out), now_(now) {}

  void Reserve(const RulesetTotals& totals);
  // The index of the compiled ruleset.
  uint32_t Compile(const RulesetSpec& spec);
  // The deny list: its rows are those of initiator kDevice, and count for both. To be compiled
  // first, so that its rules have the first indices.
  uint32_t CompileOverlay(const std::vector<OverlayRuleSpec>& overlay);
  // The ruleset with only the keep-alive rules of `ruleset`; rules keep their indices.
  uint32_t KeepAliveOnly(uint32_t ruleset);
  // One ruleset with the rows that may accept group frames of any of `rulesets`: peer-initiated
  // and not TCP. Of equal rows the first stays.
  uint32_t MergeForGroups(std::span<const uint32_t> rulesets);

 private:
  struct Rows {  // of one ruleset before packing, by Initiator
    std::vector<RowV4> v4[2];
    std::vector<RowV6> v6[2];
    void Clear();
  };
  void AddFacts(const RuleSpec& rule);
  void AddRule(const RuleSpec& rule, uint32_t number);
  void AddRows(const RuleSpec& rule, uint32_t number, uint32_t protocol, PortRange peer,
               PortRange device);
  // Packs rows_ behind what is there.
  uint32_t Append(uint32_t first_rule, uint32_t rule_count);
  // The earlier ruleset that the last one equals, which is then taken back; else the last one.
  uint32_t Deduplicate();
  bool AreEqual(const CompiledRuleset& a, const CompiledRuleset& b) const;

  CompiledRules& out_;
  const int64_t now_;
  std::map<RuleExtra, uint32_t> extras_{{RuleExtra{}, 0}};
  Rows rows_;
  std::unordered_map<uint64_t, std::vector<uint32_t>> by_hash_;
  std::unordered_map<uint32_t, uint32_t> keep_alive_;
};

}  // namespace cordon::dp

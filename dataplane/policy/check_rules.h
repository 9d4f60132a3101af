// SPDX-License-Identifier: Apache-2.0
// Finds every fault of a ruleset before it is compiled. Private to policy/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/policy/faults.h"
#include "dataplane/policy/spec.h"

namespace cordon::dp {

// What compiled rulesets will need at most, so that room can be made once.
struct RulesetTotals {
  size_t rows = 0;
  size_t blocks_v4 = 0;
  size_t blocks_v6 = 0;
  size_t rules = 0;
  size_t origin_bytes = 0;
};

class RulesetChecker {
 public:
  RulesetChecker(const PolicyLimits& limits, FaultList& faults)
      : limits_(limits), faults_(faults) {}

  // `position` is that in PolicySpec::rulesets.
  void Check(const RulesetSpec& ruleset, size_t position);
  void CheckOverlay(const std::vector<OverlayRuleSpec>& overlay);
  // Of all rulesets checked so far.
  const RulesetTotals& totals() const { return totals_; }

 private:
  void CheckRules(const std::vector<RuleSpec>& rules);
  void CheckPeers(const RuleSpec& rule);
  void CheckPorts(const RuleSpec& rule);
  void CheckProtocol(const RuleSpec& rule);
  void CheckGroup(const RuleSpec& rule);
  void CheckRest(const RuleSpec& rule);
  void CheckOrigin(const std::vector<RuleSpec>& rules, size_t number);
  void AddFault(std::string_view field, std::string message);
  void AddFault(std::string_view list, size_t i, std::string message);

  const PolicyLimits& limits_;
  FaultList& faults_;
  RulesetTotals totals_;
  // Where the check is now: "rulesets[2].rules" or "overlay", and the rule in that list.
  std::string list_;
  size_t rule_ = 0;
  size_t rows_v4_ = 0, rows_v6_ = 0;  // of that list
  // Origins seen in this ruleset, open addressing. A slot of an earlier round is free, so nothing
  // is cleared between rulesets.
  struct SeenOrigin {
    uint64_t hash = 0;
    uint32_t round = 0;
    uint32_t rule = 0;
  };
  std::vector<SeenOrigin> seen_;
  uint32_t round_ = 0;
};

// The line of an overlay as a rule; its ports are those of the peer, once.
RuleSpec RuleOf(const OverlayRuleSpec& overlay);

// "30" or "100.30" in range; untagged is fine.
bool IsLegalVlan(VlanTags vlan);

}  // namespace cordon::dp

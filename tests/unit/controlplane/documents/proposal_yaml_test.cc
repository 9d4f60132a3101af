// SPDX-License-Identifier: Apache-2.0
// What learning proposes can be applied as it is: its YAML reads back as the proposed rules.
#include <gtest/gtest.h>

#include "controlplane/documents/documents.h"
#include "controlplane/profile/learn.h"

namespace cordon::cp {
namespace {

Observation Seen(RuleInitiator initiator, uint8_t protocol, const std::string& peer,
                 uint16_t port) {
  Observation seen;
  seen.device = "pump-1";
  seen.initiator = initiator;
  seen.protocol = protocol;
  seen.peer = *dp::ParseIp(peer);
  (initiator == RuleInitiator::kDevice ? seen.peer_port : seen.device_port) = port;
  seen.icmp_type = protocol == dp::protocol::kIcmp ? 8 : 0;
  seen.answered = true;
  seen.days = {20'758};
  seen.flows = 3;
  return seen;
}

TEST(ProposalToYaml, ReadsBackAsTheProposedRules) {
  const Proposal proposal =
      Propose("pump",
              {Seen(RuleInitiator::kDevice, dp::protocol::kTcp, "10.0.0.9", 104),
               Seen(RuleInitiator::kDevice, dp::protocol::kUdp, "fd00::9", 123),
               Seen(RuleInitiator::kPeer, dp::protocol::kTcp, "10.0.0.9", 3010),
               Seen(RuleInitiator::kDevice, dp::protocol::kIcmp, "10.0.0.9", 0)},
              nullptr, {});
  const ParsedDocuments parsed = ParseDocuments({{"learned.yaml", ToYaml(proposal)}});
  ASSERT_TRUE(parsed.faults.empty()) << parsed.faults[0].place << ": " << parsed.faults[0].message;
  ASSERT_EQ(parsed.profiles.size(), 1u);
  EXPECT_EQ(parsed.profiles[0].name, "pump-learned");
  std::vector<ProfileRule> expected;
  for (const ProposedRule& proposed : proposal.rules) expected.push_back(proposed.rule);
  EXPECT_EQ(parsed.profiles[0].rules, expected);
}

}  // namespace
}  // namespace cordon::cp

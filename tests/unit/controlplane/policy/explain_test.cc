// SPDX-License-Identifier: Apache-2.0
#include "controlplane/policy/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/policy/builders.h"

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using testing::Hospital;
using testing::StoreRule;
using testing::TcpRule;

// ct-2 opens tcp to an address and port.
Question ToTcp(std::string_view peer, uint16_t l4_port) {
  Question question;
  question.device = "ct-2";
  question.flow.protocol = dp::protocol::kTcp;
  question.flow.peer = *dp::ParseIp(peer);
  question.flow.peer_port = l4_port;
  question.flow.device_port = 40000;
  return question;
}

std::optional<Explanation> Ask(const Configuration& configuration, const Question& question) {
  const auto compiled = dp::Compile(Assemble(configuration, "radiology-1", 1));
  if (compiled.table == nullptr) return std::nullopt;
  return Explain(configuration, *compiled.table, question);
}

TEST(Explain, NamesTheRuleThatAllowsAndWhy) {
  const auto explanation = Ask(Hospital(), ToTcp("10.20.0.10", 104));
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->verdict, dp::Verdict::kForward);
  EXPECT_EQ(explanation->rule, "ct/store");
  EXPECT_EQ(explanation->rule_reason, "the test needs it");
  EXPECT_EQ(explanation->gateway, "radiology-1");
}

TEST(Explain, SaysForEachRuleWhyItDidNotMatch) {
  Configuration hospital = Hospital();
  hospital.profiles["ct"].rules.push_back(TcpRule("other", "10.9.0.0/16", 443));
  const auto explanation = Ask(hospital, ToTcp("10.20.0.10", 443));
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->verdict, dp::Verdict::kDrop);
  EXPECT_EQ(explanation->reason, dp::Reason::kNoRule);
  EXPECT_THAT(explanation->considered,
              ElementsAre("ct/store: peer ports are 104",
                          "ct/other: peer is 10.9.0.0/16, which does not hold 10.20.0.10"));
}

TEST(Explain, VerdictFollowsTheMode) {
  Configuration hospital = Hospital();
  hospital.devices["ct-2"].mode = DeviceMode::kAudit;
  EXPECT_EQ(Ask(hospital, ToTcp("10.20.0.10", 443))->verdict, dp::Verdict::kAudit);
  hospital.devices["ct-2"].mode = DeviceMode::kQuarantine;
  const auto explanation = Ask(hospital, ToTcp("10.20.0.10", 104));
  EXPECT_EQ(explanation->verdict, dp::Verdict::kDrop);
  EXPECT_THAT(explanation->considered,
              ElementsAre("ct/store: not a keep_alive rule, and the device is in quarantine"));
}

TEST(Explain, TakesTheVlanOfTheDevice) {
  Configuration hospital = Hospital();
  hospital.devices["ct-2"].vlan = {30, 0};
  EXPECT_EQ(Ask(hospital, ToTcp("10.20.0.10", 104))->verdict, dp::Verdict::kForward);
  StoreRule(hospital).vlan = dp::VlanTags{31, 0};
  EXPECT_EQ(Ask(hospital, ToTcp("10.20.0.10", 104))->verdict, dp::Verdict::kDrop);
}

TEST(Explain, FindsADeviceBehindARouterByItsAddress) {
  Configuration hospital = Hospital();
  hospital.devices["ct-2"].macs.clear();
  EXPECT_EQ(Ask(hospital, ToTcp("10.20.0.10", 104))->verdict, dp::Verdict::kForward);
}

TEST(Explain, HasNoAnswerForADeviceThatIsNotThere) {
  Question question = ToTcp("10.20.0.10", 104);
  question.device = "ct-9";
  EXPECT_FALSE(Ask(Hospital(), question));
}

}  // namespace
}  // namespace cordon::cp

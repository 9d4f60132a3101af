// SPDX-License-Identifier: Apache-2.0
// Rules with a group, an expiry time, a protocol number; and the overlay that denies before them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "dataplane/policy/decide.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

using ::testing::ElementsAre;

constexpr Initiator kOut = Initiator::kDevice, kIn = Initiator::kPeer;
const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};

std::unique_ptr<PolicyTable> Compiled(const PolicySpec& spec, const CompileOptions& options = {}) {
  CompileResult result = Compile(spec, {}, options);
  EXPECT_TRUE(result.faults.empty()) << result.faults[0].path << ": " << result.faults[0].message;
  return std::move(result.table);
}
std::vector<std::string> FaultPaths(const PolicySpec& spec) {
  std::vector<std::string> paths;
  for (const Fault& fault : Compile(spec).faults) paths.push_back(fault.path);
  return paths;
}
FlowQuestion Ask(Initiator initiator, uint8_t number, std::string_view peer,
                 uint16_t peer_port = 40000, uint16_t device_port = 40001) {
  FlowQuestion question;
  question.initiator = initiator;
  question.protocol = number;
  question.peer = Ip(peer);
  question.peer_port = peer_port;
  question.device_port = device_port;
  return question;
}
OverlayRuleSpec Deny(RuleProtocol protocol, std::string_view peer, uint16_t l4_port = 0) {
  OverlayRuleSpec rule;
  rule.origin = "no-smb/smb";
  rule.protocol = protocol;
  rule.any_peer = peer == "any";
  if (!rule.any_peer) rule.peers = {ParsePrefix(peer).value()};
  if (l4_port != 0) rule.ports = {{l4_port, l4_port}};
  return rule;
}
Policy PolicyWith(OverlayRuleSpec overlay, Mode mode = Mode::kEnforce) {
  Policy policy =
      Policy()
          .Rules({Allow(kOut, RuleProtocol::kAny, "any"), Allow(kIn, RuleProtocol::kAny, "any")})
          .Device("pump", kPump, mode);
  policy.spec().overlay = {std::move(overlay)};
  return policy;
}

// --- overlay
TEST(Overlay, DeniesBeforeRulesAndNamesItsRule) {
  const auto policy = Compiled(PolicyWith(Deny(RuleProtocol::kTcp, "any", 445)));
  const Decision decision = Decide(*policy, 0, Ask(kOut, protocol::kTcp, "10.0.0.9", 445));
  EXPECT_EQ(decision.verdict, Verdict::kDrop);
  EXPECT_EQ(decision.reason, Reason::kOverlayDenied);
  EXPECT_EQ(policy->RuleOrigin(decision.rule), "no-smb/smb");
  EXPECT_EQ(Decide(*policy, 0, Ask(kOut, protocol::kTcp, "10.0.0.9", 446)).reason, Reason::kRule);
  EXPECT_EQ(Decide(*policy, 0, Ask(kOut, protocol::kUdp, "10.0.0.9", 445)).reason, Reason::kRule);
}

TEST(Overlay, DeniesInEveryModeAndForTheGroup) {
  for (const Mode mode : {Mode::kObserve, Mode::kAudit, Mode::kEnforce, Mode::kQuarantine}) {
    const auto policy = Compiled(PolicyWith(Deny(RuleProtocol::kUdp, "any", 137), mode));
    const FlowQuestion question = Ask(kIn, protocol::kUdp, "10.0.0.9", 137, 137);
    EXPECT_EQ(Decide(*policy, 0, question).verdict, Verdict::kDrop);
    EXPECT_EQ(DecideGroup(*policy, 0, question).reason, Reason::kOverlayDenied);
  }
}

TEST(Overlay, HoldsItsPortAtEitherEndAndForEitherInitiator) {
  const auto policy = Compiled(PolicyWith(Deny(RuleProtocol::kTcp, "10.0.0.0/24", 445)));
  const auto denied = [&](const FlowQuestion& question) {
    return bool(policy->MatchOverlay(question));
  };
  EXPECT_TRUE(denied(Ask(kOut, protocol::kTcp, "10.0.0.9", 445, 40000)));
  EXPECT_TRUE(denied(Ask(kIn, protocol::kTcp, "10.0.0.9", 40000, 445)));
  EXPECT_FALSE(denied(Ask(kIn, protocol::kTcp, "10.0.1.9", 40000, 445)));
  EXPECT_FALSE(denied(Ask(kIn, protocol::kTcp, "10.0.0.9", 40000, 446)));
}

TEST(Overlay, AnyMeansEveryIpProtocol) {
  const auto policy = Compiled(PolicyWith(Deny(RuleProtocol::kAny, "10.0.0.66")));
  for (const uint8_t number : {1, 2, 6, 17, 47, 132}) {
    EXPECT_TRUE(policy->MatchOverlay(Ask(kOut, number, "10.0.0.66")));
  }
}

TEST(Overlay, HasTheFirstRuleIndices) {
  const auto policy = Compiled(PolicyWith(Deny(RuleProtocol::kTcp, "any", 445)));
  EXPECT_EQ(policy->overlay_rule_count(), 1u);
  EXPECT_EQ(policy->RuleOrigin(0), "no-smb/smb");
  EXPECT_EQ(policy->rule_count(), 3u);
  EXPECT_EQ(policy->ruleset_count(), 1u);
}

TEST(Compile, NamesTheFieldsOfABadOverlay) {
  Policy policy;
  policy.spec().overlay = {Deny(RuleProtocol::kIcmp, "any", 445), Deny(RuleProtocol::kTcp, "any")};
  policy.spec().overlay[1].any_peer = false;
  EXPECT_THAT(FaultPaths(policy),
              ElementsAre("overlay[0].ports", "overlay[1].peers", "overlay[1].origin"));
}

// --- protocol numbers
// R103
TEST(Match, HoldsAProtocolNumberWhichAnyDoesNotMean) {
  Policy policy = Policy()
                      .Rules({Allow(kOut, RuleProtocol::kAny, "any"),
                              Allow(kOut, RuleProtocol::kNumber, "10.0.0.9")})
                      .Device("pump", kPump);
  policy.spec().rulesets[0].rules[1].protocol_number = 47;
  const auto table = Compiled(policy);
  EXPECT_EQ(table->RuleOrigin(table->Match(0, Ask(kOut, 47, "10.0.0.9")).rule), "test/rule-2");
  EXPECT_FALSE(table->Match(0, Ask(kOut, 47, "10.0.0.8")));
  EXPECT_FALSE(table->Match(0, Ask(kOut, 50, "10.0.0.9")));
}

TEST(Compile, RefusesProtocolNumbersThatHaveANameOrArePartOfIpv6) {
  for (const uint8_t number : {0, 1, 6, 17, 43, 44, 58, 59, 60}) {
    Policy policy = Policy().Rules({Allow(kOut, RuleProtocol::kNumber, "any")});
    policy.spec().rulesets[0].rules[0].protocol_number = number;
    EXPECT_THAT(FaultPaths(policy), ElementsAre("rulesets[0].rules[0].protocol"));
  }
  Policy policy = Policy().Rules({Allow(kOut, RuleProtocol::kNumber, "any").PeerPort(80)});
  policy.spec().rulesets[0].rules[0].protocol_number = 47;
  EXPECT_THAT(FaultPaths(policy), ElementsAre("rulesets[0].rules[0].peer_ports"));
}

// --- groups
TEST(MatchGroup, HoldsTheGroupOfARule) {
  Policy policy =
      Policy().Rules({Allow(kIn, RuleProtocol::kUdp, "any").DevicePort(3702)}).Device("a", kPump);
  policy.spec().rulesets[0].rules[0].group = Ip("239.255.255.250");
  const auto table = Compiled(policy);
  FlowQuestion question = Ask(kIn, protocol::kUdp, "10.0.0.9", 5000, 3702);
  question.device_ip = Ip("239.255.255.250");
  EXPECT_TRUE(table->MatchGroup(0, question));
  EXPECT_TRUE(table->Match(0, question));
  question.device_ip = Ip("224.0.0.251");
  EXPECT_FALSE(table->MatchGroup(0, question));
  EXPECT_FALSE(table->Match(0, question));
}

TEST(MatchGroup, KeepsRulesOfTwoGroupsApart) {
  Policy policy = Policy()
                      .Rules({Allow(kIn, RuleProtocol::kUdp, "any")})
                      .Device("a", kPump)
                      .Rules({Allow(kIn, RuleProtocol::kUdp, "any")})
                      .Device("b", {Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}});
  policy.spec().rulesets[0].rules[0].group = Ip("224.0.0.251");
  policy.spec().rulesets[1].rules[0].group = Ip("239.255.255.250");
  const auto table = Compiled(policy);
  FlowQuestion question = Ask(kIn, protocol::kUdp, "10.0.0.9", 5000, 3702);
  question.device_ip = Ip("239.255.255.250");
  EXPECT_TRUE(table->MatchGroup(0, question));
  question.device_ip = Ip("239.1.1.1");
  EXPECT_FALSE(table->MatchGroup(0, question));
}

TEST(Compile, RefusesGroupsThatCannotBe) {
  Policy policy =
      Policy().Rules({Allow(kOut, RuleProtocol::kUdp, "any"), Allow(kIn, RuleProtocol::kTcp, "any"),
                      Allow(kIn, RuleProtocol::kUdp, "any")});
  for (RuleSpec& rule : policy.spec().rulesets[0].rules) rule.group = Ip("224.0.0.1");
  policy.spec().rulesets[0].rules[2].group = Ip("0.0.0.0");
  EXPECT_THAT(FaultPaths(policy),
              ElementsAre("rulesets[0].rules[0].group", "rulesets[0].rules[1].group",
                          "rulesets[0].rules[2].group"));
}

// --- expiry
Policy TimeBoxed(int64_t expires_at) {
  Policy policy = Policy()
                      .Rules({Allow(kOut, RuleProtocol::kTcp, "10.0.0.8"),
                              Allow(kOut, RuleProtocol::kTcp, "10.0.0.9")})
                      .Device("pump", kPump);
  policy.spec().rulesets[0].rules[0].expires_at = expires_at;
  return policy;
}

TEST(Compile, LeavesOutRulesThatHaveExpiredButKeepsTheirIndices) {
  const auto before = Compiled(TimeBoxed(1000), {.now = 999});
  const auto after = Compiled(TimeBoxed(1000), {.now = 1000});
  EXPECT_TRUE(before->Match(0, Ask(kOut, protocol::kTcp, "10.0.0.8")));
  EXPECT_FALSE(after->Match(0, Ask(kOut, protocol::kTcp, "10.0.0.8")));
  EXPECT_EQ(before->Match(0, Ask(kOut, protocol::kTcp, "10.0.0.9")).rule,
            after->Match(0, Ask(kOut, protocol::kTcp, "10.0.0.9")).rule);
  EXPECT_EQ(after->RuleOrigin(0), "test/rule-1");
  EXPECT_EQ(after->RuleExpiry(0), 1000);
}

TEST(Compile, SaysWhenTheNextRuleExpires) {
  EXPECT_EQ(Compiled(TimeBoxed(1000), {.now = 999})->next_expiry(), 1000);
  EXPECT_EQ(Compiled(TimeBoxed(1000), {.now = 1000})->next_expiry(), std::nullopt);
}

TEST(Compile, RefusesExpiryTimesThatAreNone) {
  EXPECT_THAT(FaultPaths(TimeBoxed(0)), ElementsAre("rulesets[0].rules[0].expires_at"));
}

// R102
TEST(Compile, KeepsWhichRulesAreToBeLogged) {
  Policy policy = TimeBoxed(1000);
  policy.spec().rulesets[0].rules[1].log = true;
  const auto table = Compiled(policy);
  EXPECT_FALSE(table->IsLogged(0));
  EXPECT_TRUE(table->IsLogged(1));
  EXPECT_FALSE(table->IsLogged(kNoRuleIndex));
}

}  // namespace
}  // namespace cordon::dp::testing

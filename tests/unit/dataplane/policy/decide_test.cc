// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/decide.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

constexpr Initiator kOut = Initiator::kDevice, kIn = Initiator::kPeer;
const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
const Station kCt{Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}};

std::unique_ptr<PolicyTable> Compiled(const PolicySpec& spec) {
  CompileResult result = Compile(spec);
  EXPECT_TRUE(result.faults.empty());
  return std::move(result.table);
}

FlowQuestion Ask(Initiator initiator, uint8_t number, std::string_view peer, uint16_t peer_port,
                 uint16_t device_port) {
  FlowQuestion question;
  question.initiator = initiator;
  question.protocol = number;
  question.peer = Ip(peer);
  question.peer_port = peer_port;
  question.device_port = device_port;
  return question;
}
FlowQuestion AskTcp(std::string_view peer, uint16_t peer_port) {
  return Ask(kOut, protocol::kTcp, peer, peer_port, 40000);
}
FlowQuestion AskIcmp(std::string_view peer, uint8_t type) {
  FlowQuestion question =
      Ask(kOut, Ip(peer).IsV4() ? protocol::kIcmp : protocol::kIcmpv6, peer, 0, 0);
  question.icmp_type = type;
  return question;
}
std::string RuleFor(const PolicyTable& policy, const FlowQuestion& question) {
  return std::string(policy.RuleOrigin(policy.Match(0, question).rule));
}

TEST(Match, HoldsEachRangeToItsOwnEnd) {
  const auto policy = Compiled(Policy()
                                   .Rules({Allow(kOut, RuleProtocol::kTcp, "10.0.0.8/29")
                                               .PeerPort(100, 200)
                                               .DevicePort(300, 400)})
                                   .Device("pump", kPump));
  const auto passes = [&](std::string_view peer, uint16_t peer_port, uint16_t device_port) {
    return bool(policy->Match(0, Ask(kOut, protocol::kTcp, peer, peer_port, device_port)));
  };
  EXPECT_TRUE(passes("10.0.0.8", 100, 300));
  EXPECT_TRUE(passes("10.0.0.15", 200, 400));
  EXPECT_FALSE(passes("10.0.0.16", 150, 350));
  EXPECT_FALSE(passes("10.0.0.7", 150, 350));
  EXPECT_FALSE(passes("10.0.0.8", 99, 350));
  EXPECT_FALSE(passes("10.0.0.8", 201, 350));
  EXPECT_FALSE(passes("10.0.0.8", 150, 299));
  EXPECT_FALSE(passes("10.0.0.8", 150, 401));
  EXPECT_FALSE(passes("10.0.0.8", 350, 150));
}

// R101, R103
TEST(Match, HoldsTheInitiatorAndTheProtocol) {
  const auto policy =
      Compiled(Policy().Rules({Allow(kIn, RuleProtocol::kUdp, "any")}).Device("pump", kPump));
  EXPECT_TRUE(policy->Match(0, Ask(kIn, protocol::kUdp, "10.0.0.9", 1, 2)));
  EXPECT_TRUE(policy->Match(0, Ask(kIn, protocol::kUdp, "fd00::9", 1, 2)));
  EXPECT_FALSE(policy->Match(0, Ask(kOut, protocol::kUdp, "10.0.0.9", 1, 2)));
  EXPECT_FALSE(policy->Match(0, Ask(kIn, protocol::kTcp, "10.0.0.9", 1, 2)));
}

TEST(Match, ComparesAllBitsOfAnIpv6Prefix) {
  const auto policy = Compiled(Policy()
                                   .Rules({Allow(kOut, RuleProtocol::kTcp, "fd00:0:0:4::/62"),
                                           Allow(kOut, RuleProtocol::kTcp, "fd01::abcd")})
                                   .Device("pump", kPump));
  EXPECT_EQ(RuleFor(*policy, AskTcp("fd00:0:0:7:1::", 1)), "test/rule-1");
  EXPECT_EQ(RuleFor(*policy, AskTcp("fd00:0:0:8::", 1)), "");
  EXPECT_EQ(RuleFor(*policy, AskTcp("fd01::abcd", 1)), "test/rule-2");
  EXPECT_EQ(RuleFor(*policy, AskTcp("fd01::abcc", 1)), "");
  EXPECT_EQ(RuleFor(*policy, AskTcp("fd01:0:1::abcd", 1)), "");
}

TEST(Match, AnyProtocolMeansFourAndWithPortsTwo) {
  const auto policy =
      Compiled(Policy()
                   .Rules({Allow(kOut, RuleProtocol::kAny, "10.0.0.9").PeerPort(1, 65535),
                           Allow(kOut, RuleProtocol::kAny, "10.0.0.8")})
                   .Device("pump", kPump));
  EXPECT_EQ(RuleFor(*policy, AskTcp("10.0.0.9", 80)), "test/rule-1");
  EXPECT_EQ(RuleFor(*policy, AskIcmp("10.0.0.9", 8)), "");
  EXPECT_EQ(RuleFor(*policy, AskIcmp("10.0.0.8", 8)), "test/rule-2");
  EXPECT_EQ(RuleFor(*policy, Ask(kOut, 47, "10.0.0.8", 0, 0)), "");
}

TEST(Match, HoldsIcmpTypes) {
  const auto policy =
      Compiled(Policy()
                   .Rules({Allow(kOut, RuleProtocol::kIcmp, "any").IcmpType(8).IcmpType(13),
                           Allow(kOut, RuleProtocol::kIcmpv6, "any").IcmpType(128)})
                   .Device("pump", kPump));
  EXPECT_EQ(RuleFor(*policy, AskIcmp("10.0.0.9", 13)), "test/rule-1");
  EXPECT_EQ(RuleFor(*policy, AskIcmp("10.0.0.9", 128)), "");
  EXPECT_EQ(RuleFor(*policy, AskIcmp("fd00::9", 128)), "test/rule-2");
}

// R101
TEST(Match, NamesTheFirstRuleAlsoBeyondOneBlockOfRows) {
  Policy policy;
  policy.Rules({});
  for (int i = 0; i < 40; ++i) {
    RuleSpec rule = Allow(kOut, RuleProtocol::kTcp, "any").PeerPort(i < 20 ? 1000 + i : 80).rule();
    rule.origin = "test/" + std::to_string(i);
    policy.spec().rulesets[0].rules.push_back(rule);
  }
  const auto table = Compiled(policy.Device("pump", kPump));
  EXPECT_EQ(RuleFor(*table, AskTcp("10.0.0.9", 80)), "test/20");
  EXPECT_EQ(RuleFor(*table, AskTcp("10.0.0.9", 1019)), "test/19");
}

TEST(Match, RuleOfAVlanMatchesOnlyThere) {
  const auto policy = Compiled(Policy()
                                   .Rules({Allow(kOut, RuleProtocol::kTcp, "any").Vlan({30, 0}),
                                           Allow(kOut, RuleProtocol::kTcp, "any")})
                                   .Device("pump", kPump));
  FlowQuestion question = AskTcp("10.0.0.9", 80);
  EXPECT_EQ(RuleFor(*policy, question), "test/rule-2");
  question.vlan = {30, 0};
  EXPECT_EQ(RuleFor(*policy, question), "test/rule-1");
}

TEST(Decide, CarriesTheIdleTimeoutOfTheRule) {
  const auto policy = Compiled(
      Policy()
          .Rules({Allow(kOut, RuleProtocol::kTcp, "any").IdleTimeout(std::chrono::hours(72))})
          .Device("pump", kPump));
  EXPECT_EQ(Decide(*policy, 0, AskTcp("10.0.0.9", 80)).idle_timeout_seconds, 72u * 3600);
}

struct ModeCase {
  Mode mode;
  Verdict verdict;
  Reason reason;
};
// R100
TEST(Decide, FollowsTheModeWhenNoRuleMatches) {
  for (const ModeCase& c : {ModeCase{Mode::kObserve, Verdict::kForward, Reason::kObserveMode},
                            ModeCase{Mode::kAudit, Verdict::kAudit, Reason::kNoRule},
                            ModeCase{Mode::kEnforce, Verdict::kDrop, Reason::kNoRule},
                            ModeCase{Mode::kQuarantine, Verdict::kDrop, Reason::kNoRule}}) {
    const auto policy = Compiled(Policy().Device("pump", kPump, c.mode));
    const Decision decision = Decide(*policy, 0, AskTcp("10.0.0.9", 80));
    EXPECT_EQ(decision.verdict, c.verdict) << ToString(c.mode);
    EXPECT_EQ(decision.reason, c.reason) << ToString(c.mode);
  }
}

TEST(Decide, QuarantineLeavesKeepAliveRulesOnly) {
  const auto policy = Compiled(Policy()
                                   .Rules({Allow(kOut, RuleProtocol::kTcp, "10.0.0.9"),
                                           Allow(kOut, RuleProtocol::kTcp, "10.0.0.8").KeepAlive()})
                                   .Device("pump", kPump, Mode::kQuarantine)
                                   .Device("ct", kCt));
  EXPECT_EQ(RuleFor(*policy, AskTcp("10.0.0.9", 80)), "");
  EXPECT_EQ(RuleFor(*policy, AskTcp("10.0.0.8", 80)), "test/rule-2");
  EXPECT_EQ(policy->RuleOrigin(policy->Match(1, AskTcp("10.0.0.9", 80)).rule), "test/rule-1");
}

TEST(Decide, UnknownDevicesGetTheirOwnRulesEnforced) {
  const auto policy =
      Compiled(Policy().Rules({Allow(kOut, RuleProtocol::kTcp, "10.0.0.9")}).UnknownDevices());
  EXPECT_EQ(Decide(*policy, kUnknownDeviceIndex, AskTcp("10.0.0.9", 80)).verdict,
            Verdict::kForward);
  EXPECT_EQ(Decide(*policy, kUnknownDeviceIndex, AskTcp("10.0.0.8", 80)).verdict, Verdict::kDrop);
}

TEST(DecideGroup, PassesIfAnyDeviceOfThePairAndVlanAccepts) {
  const auto policy =
      Compiled(Policy()
                   .Rules({Allow(kIn, RuleProtocol::kUdp, "10.0.0.9").DevicePort(5353)})
                   .Device("pump", kPump)
                   .Rules({Allow(kIn, RuleProtocol::kUdp, "10.0.0.9").DevicePort(3702)})
                   .Device("ct", kCt));
  const auto decide = [&](uint16_t device_port, VlanTags vlan) {
    FlowQuestion question = Ask(kIn, protocol::kUdp, "10.0.0.9", 5353, device_port);
    question.vlan = vlan;
    return DecideGroup(*policy, 0, question);
  };
  EXPECT_EQ(policy->RuleOrigin(decide(5353, {}).rule), "test/rule-1");
  EXPECT_EQ(decide(3702, {}).verdict, Verdict::kForward);
  EXPECT_EQ(decide(1900, {}).reason, Reason::kGroupNoRule);
  EXPECT_EQ(decide(5353, {30, 0}).verdict, Verdict::kDrop);
}

TEST(DecideGroup, NeverAcceptsTcp) {
  const auto policy =
      Compiled(Policy().Rules({Allow(kIn, RuleProtocol::kTcp, "any")}).Device("pump", kPump));
  EXPECT_EQ(DecideGroup(*policy, 0, Ask(kIn, protocol::kTcp, "10.0.0.9", 1, 2)).verdict,
            Verdict::kDrop);
}

TEST(DecideGroup, PassesWhatAWatchedDeviceOfThePairWouldGet) {
  const auto policy = Compiled(Policy().Device("pump", kPump).Device("ct", kCt, Mode::kAudit));
  const FlowQuestion question = Ask(kIn, protocol::kUdp, "10.0.0.9", 1, 2);
  EXPECT_EQ(DecideGroup(*policy, 0, question).verdict, Verdict::kAudit);
}

TEST(PolicyTable, FindsDevicesByMacAndByBoundAddress) {
  const auto policy = Compiled(Policy().Device("pump", kPump).Device("ct", kCt));
  EXPECT_EQ(policy->FindByMac(0, {}, kCt.mac), 1u);
  EXPECT_EQ(policy->FindByMac(0, {30, 0}, kCt.mac), kNoDevice);
  EXPECT_EQ(policy->FindByMac(1, {}, kCt.mac), kNoDevice);
  EXPECT_EQ(policy->FindByIp(0, {}, kPump.ip), 0u);
  EXPECT_TRUE(policy->IsBound(0, kPump.ip));
  EXPECT_FALSE(policy->IsBound(0, kCt.ip));
  EXPECT_EQ(policy->DeviceName(1), "ct");
  EXPECT_EQ(policy->DeviceName(kGroupDevice), "");
}

TEST(PolicyTable, DeviceBehindARouterHasNoMac) {
  const auto policy = Compiled(Policy().Device("pump", {{}, kPump.ip, {}}));
  EXPECT_TRUE(policy->has_routed_devices());
  EXPECT_TRUE(policy->IsRouted(0));
}

TEST(PolicyTable, FindsEachOfManyDevices) {
  Policy policy;
  for (uint64_t i = 0; i < 20'000; ++i) {
    policy.Device("d" + std::to_string(i), {MacAddress{0x020000000000 + i * 256},
                                            IpAddress::V4(static_cast<uint32_t>(0x0a000001 + i)),
                                            {}});
  }
  const auto table = Compiled(policy);
  for (uint64_t i = 0; i < 20'000; ++i) {
    ASSERT_EQ(table->FindByMac(0, {}, {0x020000000000 + i * 256}), i);
    ASSERT_EQ(table->FindByIp(0, {}, IpAddress::V4(static_cast<uint32_t>(0x0a000001 + i))), i);
  }
}

}  // namespace
}  // namespace cordon::dp::testing

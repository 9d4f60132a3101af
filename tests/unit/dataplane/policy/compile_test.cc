// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dataplane/policy/table.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Initiator kOut = Initiator::kDevice;
const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
const Station kCt{Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}};

std::vector<std::string> FaultPaths(const PolicySpec& spec, const PolicyLimits& limits = {}) {
  const CompileResult result = Compile(spec, limits);
  EXPECT_EQ(result.table == nullptr, !result.faults.empty());
  std::vector<std::string> paths;
  for (const Fault& fault : result.faults) paths.push_back(fault.path);
  return paths;
}
std::vector<std::string> RuleFaults(Allow rule) {
  return FaultPaths(Policy().Rules({std::move(rule)}).Device("pump", kPump));
}
Allow Tcp() { return Allow(kOut, RuleProtocol::kTcp, "10.0.0.9"); }
Allow Icmp() { return Allow(kOut, RuleProtocol::kIcmp, "10.0.0.9"); }

TEST(Compile, AcceptsAPolicyWithoutDevices) { EXPECT_THAT(FaultPaths(Policy()), IsEmpty()); }

TEST(Compile, RefusesGenerationZero) {
  EXPECT_THAT(FaultPaths(Policy().Generation(0)), ElementsAre("generation"));
}

TEST(Compile, RefusesPairsWithTheSameOrNoName) {
  Policy policy;
  policy.spec().pairs = {"ward", "ward", ""};
  EXPECT_THAT(FaultPaths(policy), ElementsAre("pairs[1]", "pairs[2]"));
}

TEST(Compile, RefusesTwoDevicesOfOneName) {
  EXPECT_THAT(FaultPaths(Policy().Device("pump", kPump).Device("pump", kCt)),
              ElementsAre("devices[1].name"));
}

TEST(Compile, RefusesOneMacTwiceOnAPairAndVlan) {
  EXPECT_THAT(
      FaultPaths(Policy().Device("a", {kPump.mac, {}, {}}).Device("b", {kPump.mac, {}, {}})),
      ElementsAre("devices[1].macs[0]"));
}

TEST(Compile, AcceptsOneMacOnTwoVlans) {
  EXPECT_THAT(
      FaultPaths(Policy().Device("a", {kPump.mac, {}, {}}).Device("b", {kPump.mac, {}, {30, 0}})),
      IsEmpty());
}

TEST(Compile, RefusesOneAddressBoundToTwoDevicesOfAPairAndVlan) {
  const CompileResult result =
      Compile(Policy().Device("a", kPump).Device("b", {kCt.mac, kPump.ip, {}}));
  ASSERT_THAT(result.faults, SizeIs(1));
  EXPECT_EQ(result.faults[0].path, "devices[1].ips[0]");
  EXPECT_THAT(result.faults[0].message, HasSubstr("10.0.0.1 is already bound to devices[0] ('a')"));
}

TEST(Compile, RefusesAddressesThatNoDeviceCanHave) {
  Policy policy;
  policy.Device("a", {MacAddress::Broadcast(), Ip("224.0.0.1"), {}});
  policy.spec().devices[0].ips.push_back(Ip("255.255.255.255"));
  EXPECT_THAT(FaultPaths(policy),
              ElementsAre("devices[0].macs[0]", "devices[0].ips[0]", "devices[0].ips[1]"));
}

TEST(Compile, RefusesADeviceWithoutAnyAddress) {
  EXPECT_THAT(FaultPaths(Policy().Device("a", {})), ElementsAre("devices[0].macs"));
}

TEST(Compile, RefusesUnknownPairAndRuleset) {
  Policy policy;
  policy.Device("a", kPump);
  policy.spec().devices[0].pair = "attic";
  policy.spec().devices[0].ruleset = 7;
  policy.spec().unknown_device_ruleset = 9;
  EXPECT_THAT(FaultPaths(policy),
              ElementsAre("unknown_device_ruleset", "devices[0].ruleset", "devices[0].pair"));
}

TEST(Compile, RefusesVlanIdsThatDoNotExist) {
  EXPECT_THAT(FaultPaths(Policy().Device("a", {kPump.mac, {}, {4095, 0}})),
              ElementsAre("devices[0].vlan"));
  EXPECT_THAT(RuleFaults(Tcp().Vlan({0, 30})), ElementsAre("rulesets[0].rules[0].vlan"));
}

TEST(Compile, RefusesARuleWithoutPeersOrWithPeersBesideAny) {
  Policy policy;
  policy.Rules({Tcp(), Tcp()});
  policy.spec().rulesets[0].rules[0].peers.clear();
  policy.spec().rulesets[0].rules[1].any_peer = true;
  EXPECT_THAT(FaultPaths(policy),
              ElementsAre("rulesets[0].rules[0].peers", "rulesets[0].rules[1].peers"));
}

TEST(Compile, RefusesPortsOnIcmpAndTypesOnTcp) {
  EXPECT_THAT(RuleFaults(Icmp().PeerPort(80)), ElementsAre("rulesets[0].rules[0].peer_ports"));
  EXPECT_THAT(RuleFaults(Icmp().DevicePort(80)), ElementsAre("rulesets[0].rules[0].device_ports"));
  EXPECT_THAT(RuleFaults(Tcp().IcmpType(8)), ElementsAre("rulesets[0].rules[0].icmp_types"));
}

TEST(Compile, RefusesPortZeroAndReversedRanges) {
  EXPECT_THAT(
      RuleFaults(Tcp().PeerPort(0, 5).DevicePort(9, 8)),
      ElementsAre("rulesets[0].rules[0].peer_ports[0]", "rulesets[0].rules[0].device_ports[0]"));
}

TEST(Compile, RefusesPrefixesWithHostBitsOrTooLong) {
  Policy policy;
  policy.Rules({Tcp()});
  policy.spec().rulesets[0].rules[0].peers = {
      {Ip("10.0.0.1"), 8}, {Ip("10.0.0.1"), 33}, {Ip("fd00::1"), 64}, {Ip("fd00:1::"), 16}};
  EXPECT_THAT(FaultPaths(policy),
              ElementsAre("rulesets[0].rules[0].peers[0]", "rulesets[0].rules[0].peers[1]",
                          "rulesets[0].rules[0].peers[2]", "rulesets[0].rules[0].peers[3]"));
}

TEST(Compile, RefusesRulesWithoutOriginOrWithTheSame) {
  Policy policy;
  policy.Rules({Tcp().Origin("ct/store"), Tcp().Origin("ct/store"), Tcp()});
  policy.spec().rulesets[0].rules[2].origin = "";
  EXPECT_THAT(FaultPaths(policy),
              ElementsAre("rulesets[0].rules[1].origin", "rulesets[0].rules[2].origin"));
}

TEST(Compile, RefusesIdleTimeoutsOutOfRange) {
  EXPECT_THAT(RuleFaults(Tcp().IdleTimeout(std::chrono::seconds(-1))), SizeIs(1));
  EXPECT_THAT(RuleFaults(Tcp().IdleTimeout(std::chrono::hours(24 * 31))), SizeIs(1));
}

TEST(Compile, ReportsAllFaultsAtOnceAndCompilesNothing) {
  Policy policy;
  policy.Generation(0).Rules({Icmp().PeerPort(80)}).Device("a", {}).Device("a", kPump);
  EXPECT_THAT(FaultPaths(policy), ElementsAre("generation", "rulesets[0].rules[0].peer_ports",
                                              "devices[0].macs", "devices[1].name"));
}

TEST(Compile, BoundsTheListOfFaults) {
  Policy policy;
  for (int i = 0; i < 5000; ++i) policy.Device("", kPump);
  const CompileResult result = Compile(policy);
  EXPECT_LT(result.faults.size(), 1100u);
  EXPECT_THAT(result.faults.back().message, HasSubstr("more faults"));
}

TEST(Compile, RefusesWhatExceedsCapacityAsAWhole) {
  const Policy policy = Policy()
                            .Rules({Tcp().Peer("10.0.1.0/24").PeerPort(1).PeerPort(2)})
                            .Device("a", kPump)
                            .Device("b", kCt);
  EXPECT_THAT(FaultPaths(policy, {.devices = 1}), ElementsAre("devices"));
  EXPECT_THAT(FaultPaths(policy, {.rules = 0}), ElementsAre("rulesets"));
  EXPECT_THAT(FaultPaths(policy, {.rows = 3}), ElementsAre("rulesets"));
  EXPECT_THAT(FaultPaths(policy, {.rows_per_ruleset = 3}), ElementsAre("rulesets[0]"));
  EXPECT_THAT(FaultPaths(policy, {.rows = 4, .rows_per_ruleset = 4}), IsEmpty());
}

TEST(Compile, SharesEqualRulesetsBetweenDevices) {
  const CompileResult result =
      Compile(Policy().Rules({Tcp()}).Device("a", kPump).Rules({Tcp()}).Device("b", kCt));
  EXPECT_EQ(result.table->ruleset_count(), 1u);
  EXPECT_EQ(result.table->row_count(), 1u);
}

TEST(Compile, KeepsRulesetsApartThatDifferInOriginOrTimeoutOnly) {
  const CompileResult result = Compile(Policy()
                                           .Rules({Tcp()})
                                           .Rules({Tcp().Origin("other/rule")})
                                           .Rules({Tcp().IdleTimeout(std::chrono::seconds(9))})
                                           .Rules({Tcp().KeepAlive()}));
  EXPECT_EQ(result.table->ruleset_count(), 4u);
}

TEST(Compile, IsTheSameForTheSameSpec) {
  const Policy policy = Policy().Rules({Tcp(), Icmp()}).Device("a", kPump);
  const CompileResult one = Compile(policy), two = Compile(policy);
  EXPECT_EQ(one.table->row_count(), two.table->row_count());
  EXPECT_EQ(one.table->memory_bytes(), two.table->memory_bytes());
}

}  // namespace
}  // namespace cordon::dp::testing

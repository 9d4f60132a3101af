// SPDX-License-Identifier: Apache-2.0
// Protection, limits, guards, overlay, groups and expiry of a pushed policy set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/agent/from_proto.h"
#include "tests/unit/dataplane/agent/agent_fixture.h"

namespace cordon::dp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> PathsOf(const v1::PolicySet& set, const PolicySetLimits& limits = {}) {
  std::vector<std::string> paths;
  for (const Fault& fault : FromProto(set, "gw-1", {"ward"}, limits).faults) {
    paths.push_back(fault.path);
  }
  return paths;
}
v1::Rule& RuleOf(v1::PolicySet& set) { return *set.mutable_rulesets(0)->mutable_rules(0); }

// R014
TEST(FromProto, ConvertsProtectionAndLimitsOfADevice) {
  v1::PolicySet set = MakePolicySet(1);
  v1::DevicePolicy& device = *set.mutable_devices(0);
  device.mutable_protection()->set_level(v1::PROTECTION_LEVEL_STRICT);
  device.mutable_protection()->add_drop("ipv6");
  device.mutable_protection()->add_pass("ipv4_link_local");
  device.mutable_limits()->mutable_toward()->set_packets_per_second(500);
  device.mutable_limits()->set_max_half_open(8);
  const PolicySetResult result = FromProto(set, "gw-1", {"ward"});
  ASSERT_THAT(result.faults, IsEmpty());
  const DeviceSpec& spec = result.spec.devices.at(0);
  EXPECT_EQ(spec.protection.level, Protection::kStrict);
  EXPECT_THAT(spec.protection.overrides,
              ElementsAre(CheckOverride{Check::kIpv6, CheckAction::kDrop},
                          CheckOverride{Check::kIpv4LinkLocal, CheckAction::kPass}));
  EXPECT_EQ(spec.limits.toward.packets_per_second, 500u);
  EXPECT_EQ(spec.limits.max_half_open, 8u);
}

TEST(FromProto, RefusesChecksItDoesNotKnowOrThatAreNamedTwice) {
  v1::PolicySet set = MakePolicySet(1);
  set.mutable_protection()->add_drop("quantum");
  set.mutable_protection()->add_drop("ipv6");
  set.mutable_protection()->add_pass("ipv6");
  EXPECT_THAT(PathsOf(set),
              ElementsAre("protection.level", "protection.drop[0]", "protection.pass[0]"));
}

TEST(FromProto, PutsGuardsAtTheirPair) {
  v1::PolicySet set = MakePolicySet(1);
  v1::PairGuards& guards = *set.add_guards();
  guards.set_pair("ward");
  guards.add_ethertypes(0x88f7);
  guards.add_dhcp_servers("10.20.0.67");
  guards.set_arp_per_second(20);
  const PolicySetResult result = FromProto(set, "gw-1", {"spare", "ward"});
  ASSERT_THAT(result.faults, IsEmpty());
  EXPECT_EQ(result.spec.guards.at(0), GuardSpec{});
  EXPECT_EQ(result.spec.guards.at(1), (GuardSpec{{0x88f7}, {*ParseIp("10.20.0.67")}, 20, 0}));
}

TEST(FromProto, RefusesGuardsOfUnknownPairsAndValuesOutOfRange) {
  v1::PolicySet set = MakePolicySet(1);
  v1::PairGuards& guards = *set.add_guards();
  guards.set_pair("ward");
  guards.add_ethertypes(70000);
  guards.add_dhcp_servers("nobody");
  EXPECT_THAT(PathsOf(set), ElementsAre("guards[0].ethertypes[0]", "guards[0].dhcp_servers[0]"));
  guards.set_pair("attic");
  EXPECT_THAT(PathsOf(set), ElementsAre("guards[0].pair"));
}

TEST(FromProto, ConvertsTheOverlay) {
  v1::PolicySet set = MakePolicySet(1);
  v1::OverlayRule& rule = *set.add_overlay();
  rule.set_origin("no-smb/smb");
  rule.set_protocol(v1::PROTOCOL_TCP);
  rule.set_any_peer(true);
  rule.add_ports()->set_first(445);
  rule.mutable_ports(0)->set_last(445);
  const PolicySetResult result = FromProto(set, "gw-1", {"ward"});
  ASSERT_THAT(result.faults, IsEmpty());
  const OverlayRuleSpec& spec = result.spec.overlay.at(0);
  EXPECT_EQ(spec.origin, "no-smb/smb");
  EXPECT_TRUE(spec.any_peer);
  EXPECT_THAT(spec.ports, ElementsAre(PortRange{445, 445}));
}

TEST(FromProto, ReportsAllFaultsOfTheOverlayAndItsSize) {
  v1::PolicySet set = MakePolicySet(1);
  set.add_overlay()->set_protocol(v1::PROTOCOL_NUMBER);
  EXPECT_THAT(PathsOf(set),
              ElementsAre("overlay[0].origin", "overlay[0].protocol_number", "overlay[0].peer"));
  PolicySetLimits limits;
  limits.overlay_rules = 0;
  EXPECT_THAT(PathsOf(set, limits), ElementsAre("overlay"));
}

TEST(FromProto, ConvertsGroupExpiryLogAndProtocolNumber) {
  v1::PolicySet set = MakePolicySet(1);
  v1::Rule& rule = RuleOf(set);
  rule.clear_peer_ports();
  rule.set_initiator(v1::INITIATOR_PEER);
  rule.set_protocol(v1::PROTOCOL_NUMBER);
  rule.set_protocol_number(2);
  rule.set_group("224.0.0.1");
  rule.mutable_expires_at()->set_seconds(1'798'135'200);
  rule.set_log(true);
  const PolicySetResult result = FromProto(set, "gw-1", {"ward"});
  ASSERT_THAT(result.faults, IsEmpty());
  const RuleSpec& spec = result.spec.rulesets.at(0).rules.at(0);
  EXPECT_EQ(spec.protocol_number, kIgmpNumber);
  EXPECT_EQ(spec.group, ParseIp("224.0.0.1"));
  EXPECT_EQ(spec.expires_at, 1'798'135'200);
  EXPECT_TRUE(spec.log);
}

TEST(FromProto, RefusesGroupsAndTimesThatAreNone) {
  v1::PolicySet set = MakePolicySet(1);
  RuleOf(set).set_group("everybody");
  RuleOf(set).mutable_expires_at()->set_nanos(5);
  RuleOf(set).set_protocol_number(6);
  EXPECT_THAT(PathsOf(set),
              ElementsAre("rulesets[0].rules[0].protocol_number", "rulesets[0].rules[0].group",
                          "rulesets[0].rules[0].expires_at"));
}

}  // namespace
}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/from_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dataplane/agent/agent_fixture.h"

namespace cordon::dp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

auto FaultAt(const std::string& path, const std::string& text) {
  return AllOf(Field(&Fault::path, path), Field(&Fault::message, HasSubstr(text)));
}

std::vector<Fault> FaultsOf(const v1::PolicySet& set, const PolicySetLimits& limits = {}) {
  return FromProto(set, "gw-1", {"ward"}, limits).faults;
}

TEST(FromProto, ConvertsEveryFieldOfASoundSet) {
  v1::PolicySet set = MakePolicySet(7);
  v1::Rule& rule = *set.mutable_rulesets(0)->mutable_rules(0);
  rule.mutable_vlan()->set_outer(30);
  rule.mutable_idle_timeout()->set_seconds(90);
  rule.set_keep_alive(true);
  set.set_unknown_device_ruleset(0);
  const PolicySetResult result = FromProto(set, "gw-1", {"ward"});
  ASSERT_THAT(result.faults, IsEmpty());
  const RuleSpec& converted = result.spec.rulesets.at(0).rules.at(0);
  EXPECT_EQ(result.spec.generation, 7u);
  EXPECT_EQ(converted.peers.at(0), *ParsePrefix("10.20.0.5"));
  EXPECT_EQ(converted.peer_ports.at(0), (PortRange{2575, 2575}));
  EXPECT_EQ(converted.vlan, (VlanTags{30, 0}));
  EXPECT_EQ(converted.idle_timeout, std::chrono::seconds(90));
  EXPECT_TRUE(converted.keep_alive);
  EXPECT_EQ(result.spec.devices.at(0).macs.at(0).value, 0x020000001001u);
  EXPECT_EQ(result.spec.unknown_device_ruleset, 0u);
}

TEST(FromProto, NumbersPairsAsTheyAreWiredNotAsTheSetListsThem) {
  v1::PolicySet set = MakePolicySet(1);
  set.add_pairs("lab");
  const PolicySetResult result = FromProto(set, "gw-1", {"lab", "spare", "ward"});
  EXPECT_THAT(result.faults, IsEmpty());
  EXPECT_THAT(result.spec.pairs, ElementsAre("lab", "spare", "ward"));
}

TEST(FromProto, RefusesAPairThatIsNotWired) {
  v1::PolicySet set = MakePolicySet(1);
  set.add_pairs("attic");
  EXPECT_THAT(FaultsOf(set), ElementsAre(FaultAt("pairs[1]",
                                                 "pair 'attic' is not wired on this "
                                                 "gateway (wired: ward)")));
}

TEST(FromProto, RefusesASetForAnotherGateway) {
  v1::PolicySet set = MakePolicySet(1);
  set.set_gateway("gw-2");
  EXPECT_THAT(FaultsOf(set),
              ElementsAre(FaultAt("gateway", "is for 'gw-2', this gateway is 'gw-1'")));
}

TEST(FromProto, ReportsAnEmptySetField) {
  EXPECT_THAT(FaultsOf(v1::PolicySet()),
              ElementsAre(FaultAt("gateway", ""), FaultAt("generation", "at least 1"),
                          FaultAt("pairs", "at least one")));
}

TEST(FromProto, ReportsAllFaultsOfARule) {
  v1::PolicySet set = MakePolicySet(1);
  v1::Rule& rule = *set.mutable_rulesets(0)->mutable_rules(0);
  rule.set_origin("");
  rule.set_initiator(v1::INITIATOR_UNSPECIFIED);
  rule.set_protocol(static_cast<v1::Protocol>(99));
  rule.mutable_prefixes()->add_prefixes("10.0.0.1/8");
  rule.mutable_peer_ports(0)->set_last(70'000);
  rule.add_icmp_types(8);
  rule.mutable_vlan()->set_outer(4095);
  rule.mutable_idle_timeout()->set_nanos(5);
  const std::string path = "rulesets[0].rules[0].";
  EXPECT_THAT(FaultsOf(set),
              ElementsAre(FaultAt(path + "origin", "empty"), FaultAt(path + "initiator", "not 0"),
                          FaultAt(path + "protocol", "not 99"),
                          FaultAt(path + "prefixes[1]", "'10.0.0.1/8'"),
                          FaultAt(path + "peer_ports[0]", "not 2575-70000"),
                          FaultAt(path + "icmp_types", "only icmp"),
                          FaultAt(path + "vlan.outer", "not 4095"),
                          FaultAt(path + "idle_timeout", "whole seconds")));
}

TEST(FromProto, RefusesARuleWithoutAPeer) {
  v1::PolicySet set = MakePolicySet(1);
  v1::Rule& rule = *set.mutable_rulesets(0)->mutable_rules(0);
  rule.clear_peer();
  EXPECT_THAT(FaultsOf(set), ElementsAre(FaultAt("rulesets[0].rules[0].peer", "is missing")));
  rule.mutable_prefixes();
  EXPECT_THAT(FaultsOf(set), ElementsAre(FaultAt("rulesets[0].rules[0].peer", "is missing")));
  rule.set_any_peer(false);
  EXPECT_THAT(FaultsOf(set), ElementsAre(FaultAt("rulesets[0].rules[0].any_peer", "must be true")));
}

TEST(FromProto, ReportsAllFaultsOfADevice) {
  v1::PolicySet set = MakePolicySet(1);
  v1::DevicePolicy& device = *set.mutable_devices(0);
  device.set_name("");
  device.set_pair("x");
  device.set_macs(0, "zz");
  device.set_ips(0, "10.0.0");
  device.set_mode(v1::MODE_UNSPECIFIED);
  device.set_ruleset(1);
  EXPECT_THAT(FaultsOf(set), ElementsAre(FaultAt("devices[0].name", "empty"),
                                         FaultAt("devices[0].pair", "not one of the set's pairs"),
                                         FaultAt("devices[0].macs[0]", "'zz'"),
                                         FaultAt("devices[0].ips[0]", "'10.0.0'"),
                                         FaultAt("devices[0].mode", "not 0"),
                                         FaultAt("devices[0].ruleset", "is 1, but there are 1")));
}

TEST(FromProto, BoundsListsAndFaults) {
  v1::PolicySet set = MakePolicySet(1);
  for (int i = 0; i < 10; ++i) set.add_devices();
  EXPECT_THAT(FaultsOf(set, {.devices = 5}), ElementsAre(FaultAt("devices", "has 11 entries")));
  const std::vector<Fault> faults = FaultsOf(set, {.faults = 4});
  EXPECT_THAT(faults, SizeIs(5));
  EXPECT_THAT(faults.back().message, HasSubstr("more faults"));
}

TEST(FromProto, ShowsNothingUnprintableOfAHostileValue) {
  v1::PolicySet set = MakePolicySet(1);
  set.mutable_devices(0)->set_ips(0, "\x1b[2J" + std::string(1000, 'x'));
  const std::vector<Fault> faults = FaultsOf(set);
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults[0].message.find('\x1b'), std::string::npos);
  EXPECT_LT(faults[0].message.size(), 200u);
}

}  // namespace
}  // namespace cordon::dp

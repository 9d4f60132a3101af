// SPDX-License-Identifier: Apache-2.0
#include "controlplane/policy/assemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/controlplane/policy/builders.h"

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using testing::Hospital;
using ::testing::IsEmpty;
using testing::MakeDevice;
using ::testing::SizeIs;
using testing::StoreRule;
using testing::TcpRule;

TEST(AssemblePolicySet, ResolvesNamesToAddresses) {
  const PolicySet set = Assemble(Hospital(), "radiology-1", 7);
  EXPECT_EQ(set.generation, 7u);
  EXPECT_THAT(set.pairs, ElementsAre("ct-suite"));
  ASSERT_THAT(set.rulesets, SizeIs(1));
  const dp::RuleSpec& rule = set.rulesets[0].rules.at(0);
  EXPECT_EQ(rule.origin, "ct/store");
  EXPECT_THAT(rule.peers, ElementsAre(*dp::ParsePrefix("10.20.0.10")));
  EXPECT_EQ(set.devices.at(0).mode, dp::Mode::kEnforce);
}

TEST(AssemblePolicySet, MixesGroupsAndAddressesWithoutDoubles) {
  Configuration hospital = Hospital();
  StoreRule(hospital).peer = {"archive", "10.20.0.10", "10.9.0.0/16"};
  const PolicySet set = Assemble(hospital, "radiology-1", 1);
  EXPECT_THAT(set.rulesets.at(0).rules.at(0).peers,
              ElementsAre(*dp::ParsePrefix("10.9.0.0/16"), *dp::ParsePrefix("10.20.0.10")));
}

TEST(AssemblePolicySet, AnyBecomesAnyPeer) {
  Configuration hospital = Hospital();
  StoreRule(hospital).peer = {"any"};
  const dp::RuleSpec rule = Assemble(hospital, "radiology-1", 1).rulesets.at(0).rules.at(0);
  EXPECT_TRUE(rule.any_peer);
  EXPECT_THAT(rule.peers, IsEmpty());
}

TEST(AssemblePolicySet, DevicesOfOneProfileShareARulesetInOrderOfName) {
  Configuration hospital = Hospital();
  hospital.devices["ct-1"] = MakeDevice("ct-1", 20);
  const PolicySet set = Assemble(hospital, "radiology-1", 1);
  EXPECT_THAT(set.rulesets, SizeIs(1));
  ASSERT_THAT(set.devices, SizeIs(2));
  EXPECT_EQ(set.devices[0].name, "ct-1");
  EXPECT_EQ(set.devices[1].name, "ct-2");
}

TEST(AssemblePolicySet, LeavesOutDevicesOfOtherGatewaysAndOfNone) {
  Configuration hospital = Hospital();
  hospital.devices["ct-2"].gateway = hospital.devices["ct-2"].pair = "";
  hospital.gateways["other"] = {"other", {"p"}, "deny"};
  hospital.devices["ct-3"] = MakeDevice("ct-3", 22);
  hospital.devices["ct-3"].gateway = "other";
  EXPECT_THAT(Assemble(hospital, "radiology-1", 1).devices, IsEmpty());
}

TEST(AssemblePolicySet, UnknownDevicesGetTheNamedProfile) {
  Configuration hospital = Hospital();
  EXPECT_EQ(Assemble(hospital, "radiology-1", 1).unknown_device_ruleset, std::nullopt);
  hospital.profiles["guest"] = {"guest", "", {}, {TcpRule("web", "any", 443)}};
  hospital.gateways["radiology-1"].unknown_device = "guest";
  const PolicySet set = Assemble(hospital, "radiology-1", 1);
  EXPECT_EQ(set.rulesets.at(set.unknown_device_ruleset.value()).name, "guest");
}

TEST(AssemblePolicySet, SameContentIgnoresTheGenerationOnly) {
  Configuration hospital = Hospital();
  const PolicySet set = Assemble(hospital, "radiology-1", 1);
  EXPECT_TRUE(SameContent(set, Assemble(hospital, "radiology-1", 2)));
  StoreRule(hospital).idle_timeout = std::chrono::hours(1);
  EXPECT_FALSE(SameContent(set, Assemble(hospital, "radiology-1", 1)));
}

TEST(AssemblePolicySet, TenThousandDevicesAreCheckedAndAssembledInASecond) {
  Configuration hospital = Hospital();
  for (uint64_t i = 0; i < 10'000; ++i) {
    const std::string name = "device-" + std::to_string(i);
    hospital.devices[name] = MakeDevice(name, 1000 + i);
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(Check(hospital).faults, IsEmpty());
  EXPECT_THAT(Assemble(hospital, "radiology-1", 1).devices, SizeIs(10'001));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

}  // namespace
}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// What a policy sets beside rules: checks, limits, slots, guards; and what is wrong with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "dataplane/policy/slot.h"
#include "dataplane/policy/table.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
const Station kCt{Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}};

std::unique_ptr<PolicyTable> Compiled(const PolicySpec& spec, const CompileOptions& options = {}) {
  CompileResult result = Compile(spec, {}, options);
  EXPECT_TRUE(result.faults.empty()) << result.faults[0].path << ": " << result.faults[0].message;
  return std::move(result.table);
}
std::vector<std::string> FaultPaths(const PolicySpec& spec, const PolicyLimits& limits = {}) {
  std::vector<std::string> paths;
  for (const Fault& fault : Compile(spec, limits).faults) paths.push_back(fault.path);
  return paths;
}

TEST(ChecksOfADevice, AreThoseOfTheStandardLevelByDefault) {
  const auto policy = Compiled(Policy().Device("pump", kPump));
  EXPECT_EQ(policy->ChecksOf(0), ChecksOf(Protection::kStandard));
  EXPECT_EQ(policy->ChecksOf(kNoDevice), ChecksOf(Protection::kStandard));
}

// R014
TEST(ChecksOfADevice, FollowItsLevelAndItsOverrides) {
  Policy policy = Policy().Device("pump", kPump).Device("ct", kCt);
  policy.spec().devices[0].protection = {Protection::kOff,
                                         {{Check::kIpv4LinkLocal, CheckAction::kDrop}}};
  policy.spec().devices[1].protection = {Protection::kStandard,
                                         {{Check::kIpv4LinkLocal, CheckAction::kPass}}};
  const auto table = Compiled(policy);
  EXPECT_EQ(table->ChecksOf(0), MaskOf(Check::kIpv4LinkLocal));
  EXPECT_EQ(table->ChecksOf(1), ChecksOf(Protection::kStandard) & ~MaskOf(Check::kIpv4LinkLocal));
}

TEST(ChecksOfADevice, AreTheGatewaysForFramesOfNobodyAndUnknownDevices) {
  Policy policy = Policy().Device("pump", kPump);
  policy.spec().protection = {Protection::kStrict, {}};
  const auto table = Compiled(policy);
  for (const DeviceIndex nobody : {kNoDevice, kGroupDevice, kUnknownDeviceIndex}) {
    EXPECT_EQ(table->ChecksOf(nobody), ChecksOf(Protection::kStrict));
  }
  EXPECT_EQ(table->ChecksOf(0), ChecksOf(Protection::kStandard));
}

TEST(Compile, RefusesACheckThatIsSetTwice) {
  Policy policy = Policy().Device("pump", kPump);
  policy.spec().devices[0].protection.overrides = {{Check::kTcpMss, CheckAction::kDrop},
                                                   {Check::kTcpMss, CheckAction::kPass}};
  EXPECT_THAT(FaultPaths(policy), ElementsAre("devices[0].protection.overrides[1]"));
}

TEST(LimitsOfADevice, AreItsOwnAndNoneForPseudoDevices) {
  Policy policy = Policy().Device("pump", kPump).Device("ct", kCt);
  LimitSpec limits;
  limits.toward.packets_per_second = 500;
  limits.max_half_open = 16;
  policy.spec().devices[1].limits = limits;
  const auto table = Compiled(policy);
  EXPECT_EQ(table->LimitsOf(0), LimitSpec{});
  EXPECT_EQ(table->LimitsOf(1), limits);
  EXPECT_EQ(table->LimitsOf(kGroupDevice), LimitSpec{});
}

TEST(Compile, RefusesRatesThatNoPortHas) {
  Policy policy = Policy().Device("pump", kPump);
  policy.spec().devices[0].limits.from.bytes_per_second = ~0ull;
  policy.spec().devices[0].limits.toward.new_flows_per_second = ~0ull;
  EXPECT_THAT(FaultPaths(policy), ElementsAre("devices[0].limits.toward.new_flows_per_second",
                                              "devices[0].limits.from.bytes_per_second"));
}

TEST(SlotOfADevice, StaysTheSameOverTablesAndIsReusedLate) {
  DeviceSlots slots;
  const CompileOptions options{.slots = &slots};
  const auto first = Compiled(Policy().Device("a", kPump).Device("b", kCt), options);
  const auto second = Compiled(Policy().Device("b", kCt), options);
  EXPECT_EQ(second->SlotOf(0), first->SlotOf(1));
  EXPECT_NE(first->SlotOf(0), first->SlotOf(1));
  const auto third = Compiled(Policy().Device("c", kPump).Device("b", kCt), options);
  EXPECT_EQ(third->SlotOf(0), first->SlotOf(0));
  EXPECT_EQ(third->SlotOf(1), first->SlotOf(1));
  EXPECT_EQ(third->SlotOf(kGroupDevice), kNobodysSlot);
}

TEST(SlotOfADevice, IsNotChangedByAPolicyThatIsRefused) {
  DeviceSlots slots;
  Compiled(Policy().Device("a", kPump), {.slots = &slots});
  EXPECT_FALSE(Compile(Policy().Generation(0).Device("b", kCt), {}, {.slots = &slots}).table);
  EXPECT_EQ(slots.end(), 2u);
}

TEST(GuardsOfAPair, AreTheDefaultsWhereNothingIsSaid) {
  const auto table = Compiled(Policy());
  EXPECT_TRUE(table->GuardsOf(0).Passes(guard_ethertype::kLldp));
  EXPECT_FALSE(table->GuardsOf(0).Passes(guard_ethertype::kPtp));
  EXPECT_TRUE(table->GuardsOf(7).IsDhcpServer(Ip("10.0.0.67")));
}

TEST(GuardsOfAPair, AreItsOwn) {
  Policy policy;
  policy.spec().guards = {{{guard_ethertype::kPtp}, {Ip("10.0.0.67")}, 20, 50}};
  const auto table = Compiled(policy);
  EXPECT_TRUE(table->GuardsOf(0).Passes(guard_ethertype::kPtp));
  EXPECT_FALSE(table->GuardsOf(0).Passes(guard_ethertype::kLldp));
  EXPECT_FALSE(table->GuardsOf(0).IsDhcpServer(Ip("10.0.0.66")));
  EXPECT_EQ(table->GuardsOf(0).arp_per_second, 20u);
}

TEST(Compile, RefusesGuardsThatMakeNoSense) {
  Policy policy;
  policy.spec().guards = {{{0x0800, 0x05dc, 0x88f7, 0x88f7}, {Ip("224.0.0.1")}, 0, 2'000'000}, {}};
  EXPECT_THAT(FaultPaths(policy),
              ElementsAre("guards", "guards[0].ethertypes[0]", "guards[0].ethertypes[1]",
                          "guards[0].ethertypes[3]", "guards[0].dhcp_servers[0]",
                          "guards[0].group_per_second"));
}

TEST(Compile, RefusesMoreGuardEntriesThanTheGatewayTakes) {
  Policy policy;
  policy.spec().guards = {{{0x88f7, 0x88cc}, {}, 0, 0}};
  EXPECT_THAT(FaultPaths(policy, {.guard_entries = 1}), ElementsAre("guards[0]"));
  EXPECT_THAT(FaultPaths(policy, {.guard_entries = 2}), IsEmpty());
}

TEST(HitsOfARule, AreSummedOverWorkersAndKeepTheLatestTime) {
  PolicySlot slot(2);
  CompileResult result = Compile(
      Policy().Rules({Allow(Initiator::kDevice, RuleProtocol::kTcp, "any")}).Device("a", kPump));
  slot.Publish(std::move(result.table));
  const PolicyTable& policy = slot.Acquire(0);
  policy.CountHit(0, 0, 7);
  policy.CountHit(1, 0, 9);
  policy.RefreshHit(0, 0, 8);
  EXPECT_EQ(policy.HitsOf(0).count, 2u);
  EXPECT_EQ(policy.HitsOf(0).last_seconds, 9u);
  policy.CountHit(0, kNoRuleIndex, 9);
  policy.CountHit(5, 0, 9);
  EXPECT_EQ(policy.HitsOf(0).count, 2u);
  EXPECT_EQ(policy.HitsOf(kNoRuleIndex).count, 0u);
}

}  // namespace
}  // namespace cordon::dp::testing

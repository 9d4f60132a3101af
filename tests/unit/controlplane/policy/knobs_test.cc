// SPDX-License-Identifier: Apache-2.0
// Knobs, presets and overlays from documents to the policy set, and in words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/policy/assemble.h"
#include "controlplane/policy/explain.h"
#include "controlplane/profile/preset.h"
#include "dataplane/policy/table.h"
#include "tests/unit/controlplane/policy/builders.h"

namespace cordon::cp {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Hospital;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::StoreRule;

PolicySet Assembled(const Configuration& configuration) {
  return Assemble(configuration, "radiology-1", 1);
}
std::vector<std::string> FaultsOf(const Configuration& configuration) {
  std::vector<std::string> faults;
  for (const InputFault& fault : Check(configuration).faults) {
    faults.push_back(fault.place + ": " + fault.message);
  }
  return faults;
}
Configuration WithOverlay() {
  Configuration hospital = Hospital();
  hospital.overlays["no-smb"] = {"no-smb",
                                 "",
                                 {{.id = "smb",
                                   .peer = {"any"},
                                   .ports = {{104, 104}},
                                   .icmp_types = {},
                                   .reason = "a worm"}}};
  return hospital;
}

TEST(Assemble, GivesADeviceTheKnobsOfItsProfileUnlessItHasItsOwn) {
  Configuration hospital = Hospital();
  hospital.profiles["ct"].knobs.protection = {dp::Protection::kStrict,
                                              {{dp::Check::kIpv6, CheckAction::kDrop}}};
  hospital.profiles["ct"].knobs.limits = {{Limit::kTowardPackets, 500}, {Limit::kMaxFlows, 64}};
  hospital.devices["ct-2"].knobs.limits = {{Limit::kMaxFlows, 0}};
  const dp::DeviceSpec device = Assembled(hospital).devices.at(0);
  EXPECT_EQ(device.protection.level, dp::Protection::kStrict);
  EXPECT_THAT(device.protection.overrides, SizeIs(1));
  EXPECT_EQ(device.limits.toward.packets_per_second, 500u);
  EXPECT_EQ(device.limits.max_flows, 0u);
}

TEST(Assemble, ALevelOfTheDevicesOwnStartsAfresh) {
  Configuration hospital = Hospital();
  hospital.profiles["ct"].knobs.protection = {dp::Protection::kStrict,
                                              {{dp::Check::kIpv6, CheckAction::kDrop}}};
  hospital.devices["ct-2"].knobs.protection = {dp::Protection::kOff, {}};
  const dp::DeviceSpec device = Assembled(hospital).devices.at(0);
  EXPECT_EQ(device.protection, (dp::ProtectionSpec{dp::Protection::kOff, {}}));
}

TEST(Assemble, PutsGuardsAtTheirPairAndOverlaysIntoEveryGateway) {
  Configuration hospital = WithOverlay();
  hospital.gateways["radiology-1"].pairs = {"a", "ct-suite"};
  hospital.gateways["radiology-1"].guards["ct-suite"].arp_per_second = 20;
  hospital.gateways["icu"] = {"icu", {"w"}, "deny"};
  const PolicySet set = Assembled(hospital);
  ASSERT_THAT(set.guards, SizeIs(2));
  EXPECT_EQ(set.guards[0], dp::GuardSpec{});
  EXPECT_EQ(set.guards[1].arp_per_second, 20u);
  EXPECT_EQ(set.overlay.at(0).origin, "no-smb/smb");
  EXPECT_EQ(Assemble(hospital, "icu", 1).overlay, set.overlay);
  EXPECT_FALSE(SameContent(set, Assembled(Hospital())));
}

TEST(Assemble, ExpandsPresetsIntoRulesThatCompile) {
  for (const std::string& preset : PresetNames()) {
    Configuration hospital = Hospital();
    ProfileRule rule = StoreRule(hospital);
    rule.id = "found";
    rule.preset = preset;
    rule.peer_ports.clear();
    hospital.profiles["ct"].rules = {rule};
    EXPECT_THAT(FaultsOf(hospital), IsEmpty()) << preset;
    const PolicySet set = Assembled(hospital);
    EXPECT_THAT(set.rulesets.at(0).rules, ::testing::Not(IsEmpty()));
    EXPECT_THAT(set.rulesets.at(0).rules.at(0).origin, HasSubstr("ct/found-"));
    EXPECT_THAT(dp::Compile(set).faults, IsEmpty()) << preset;
  }
}

TEST(Check, RefusesPresetsThatDoNotExistOrMakeAnIdTwice) {
  Configuration hospital = Hospital();
  ProfileRule rule = StoreRule(hospital);
  rule.peer_ports.clear();
  rule.id = "x";
  rule.preset = "mdsn";
  hospital.profiles["ct"].rules = {rule};
  EXPECT_THAT(FaultsOf(hospital), ElementsAre(HasSubstr("there is no preset 'mdsn'")));
  hospital.profiles["ct"].rules[0].preset = "mdns";
  ProfileRule same = testing::TcpRule("x-say", "archive", 1);
  hospital.profiles["ct"].rules.push_back(same);
  EXPECT_THAT(FaultsOf(hospital), ElementsAre(HasSubstr("the id 'x-say'")));
}

// R106
TEST(Check, WarnsOfARuleThatAnEarlierOneCovers) {
  Configuration hospital = Hospital();
  hospital.profiles["ct"].rules.push_back(testing::TcpRule("again", "archive", 104));
  const std::vector<InputFault> warnings = Check(hospital).warnings;
  ASSERT_THAT(warnings, SizeIs(1));
  EXPECT_THAT(warnings[0].place, HasSubstr("rules[1]"));
  EXPECT_THAT(warnings[0].message, HasSubstr("never counts: rule 'store'"));
}

TEST(Check, RefusesOverlaysThatCannotBe) {
  Configuration hospital = WithOverlay();
  OverlayRule& rule = hospital.overlays["no-smb"].rules[0];
  rule.protocol = RuleProtocol::kIcmp;
  rule.reason = "";
  rule.peer = {"archvie"};
  EXPECT_THAT(FaultsOf(hospital),
              ElementsAre(HasSubstr("Overlay no-smb: rules[0].reason"),
                          HasSubstr("did you mean 'archive'?"), HasSubstr("rules[0].ports")));
}

TEST(Check, RefusesLimitsGroupsAndProtocolNumbersThatCannotBe) {
  Configuration hospital = Hospital();
  hospital.devices["ct-2"].knobs.limits = {{Limit::kMaxFlows, 1ull << 40}};
  StoreRule(hospital).group = dp::ParseIp("224.0.0.1");
  ProfileRule number = testing::TcpRule("n", "archive", 1);
  number.protocol = RuleProtocol::kNumber;
  number.protocol_number = 6;
  hospital.profiles["ct"].rules.push_back(number);
  EXPECT_THAT(FaultsOf(hospital),
              ElementsAre(HasSubstr("rules[0].group"), HasSubstr("rules[1].protocol"),
                          HasSubstr("rules[1].protocol"), HasSubstr("limits.max_flows")));
}

TEST(DiffConfigurations, NamesKnobsGuardsAndOverlays) {
  Configuration after = WithOverlay();
  after.devices["ct-2"].knobs.protection.checks[dp::Check::kIpv6] = CheckAction::kDrop;
  after.gateways["radiology-1"].guards["ct-suite"].arp_per_second = 20;
  StoreRule(after).expires_at = 1'798'135'200;
  std::vector<std::string> details;
  for (const ResourceChange& change : DiffConfigurations(Hospital(), after)) {
    details.push_back(change.kind);
    details.insert(details.end(), change.details.begin(), change.details.end());
  }
  EXPECT_THAT(details, Contains("checks.ipv6: (none) -> drop"));
  EXPECT_THAT(details, Contains("pairs.ct-suite.guards.arp_per_second: (none) -> 20"));
  EXPECT_THAT(details, Contains(HasSubstr("until 2026-12-24T18:00:00Z")));
  EXPECT_THAT(details, Contains("Overlay"));
}

TEST(DescribeEffects, SaysWhatAnOverlayAndALimitMeanForWhom) {
  Configuration after = WithOverlay();
  after.profiles["ct"].knobs.limits[Limit::kTowardPackets] = 500;
  EXPECT_THAT(DescribeEffects(Hospital(), after),
              ElementsAre("ct-2: limits.toward.packets_per_second: (none) -> 500",
                          "every device, in every mode: no tcp with any address ports 104 from now "
                          "on (no-smb/smb)"));
  EXPECT_THAT(DescribeEffects(WithOverlay(), Hospital()),
              ElementsAre(HasSubstr("is no longer denied by the overlay (no-smb/smb)")));
}

Explanation Asked(const Configuration& hospital, int64_t now) {
  const auto table = dp::Compile(Assembled(hospital), {}, {.now = now}).table;
  Question question{"ct-2", {}};
  question.flow.protocol = dp::protocol::kTcp;
  question.flow.peer = *dp::ParseIp("10.20.0.10");
  question.flow.peer_port = 104;
  question.flow.device_port = 40000;
  return *Explain(hospital, *table, question, now);
}

TEST(Explain, NamesTheOverlayThatDenies) {
  const Explanation explanation = Asked(WithOverlay(), 0);
  EXPECT_EQ(explanation.verdict, dp::Verdict::kDrop);
  EXPECT_EQ(explanation.reason, dp::Reason::kOverlayDenied);
  EXPECT_EQ(explanation.rule, "no-smb/smb");
  EXPECT_EQ(explanation.rule_reason, "a worm");
}

TEST(Explain, SaysThatARuleHasExpired) {
  Configuration hospital = Hospital();
  StoreRule(hospital).expires_at = 1000;
  EXPECT_EQ(Asked(hospital, 999).verdict, dp::Verdict::kForward);
  const Explanation late = Asked(hospital, 1000);
  EXPECT_EQ(late.reason, dp::Reason::kNoRule);
  EXPECT_THAT(late.considered, ElementsAre(HasSubstr("expired at 1970-01-01T00:16:40Z")));
}

}  // namespace
}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/policy/assemble.h"
#include "tests/unit/controlplane/policy/builders.h"

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Hospital;
using ::testing::IsEmpty;
using testing::MakeDevice;
using ::testing::SizeIs;
using testing::StoreRule;
using testing::TcpRule;

// The only change, in words: "Changed Device ct-2: mode: ...; ..."
std::string TheChange(const Configuration& before, const Configuration& after) {
  const std::vector<ResourceChange> changes = DiffConfigurations(before, after);
  if (changes.size() != 1) return std::to_string(changes.size()) + " changes";
  constexpr const char* kTypes[] = {"+ ", "~ ", "- "};
  std::string text = kTypes[static_cast<int>(changes[0].type)];
  text += changes[0].kind + " " + changes[0].name + ":";
  for (const std::string& detail : changes[0].details) text += " " + detail + ";";
  return text;
}

TEST(DiffConfigurations, EqualOnesHaveNoChanges) {
  EXPECT_THAT(DiffConfigurations(Hospital(), Hospital()), IsEmpty());
}

TEST(DiffConfigurations, NamesAddedAndRemovedDocuments) {
  Configuration after = Hospital();
  after.devices["ct-3"] = MakeDevice("ct-3", 22);
  EXPECT_EQ(TheChange(Hospital(), after), "+ Device ct-3:");
  EXPECT_EQ(TheChange(after, Hospital()), "- Device ct-3:");
}

TEST(DiffConfigurations, NamesTheFieldsOfADevice) {
  Configuration after = Hospital();
  after.devices["ct-2"].mode = DeviceMode::kAudit;
  EXPECT_EQ(TheChange(Hospital(), after), "~ Device ct-2: mode: enforce -> audit;");
}

TEST(DiffConfigurations, SourceOfADeviceIsNoChange) {
  Configuration after = Hospital();
  after.devices["ct-2"].source = "import:x.csv";
  EXPECT_THAT(DiffConfigurations(Hospital(), after), IsEmpty());
}

TEST(DiffConfigurations, NamesRulesAndAddresses) {
  Configuration after = Hospital();
  after.profiles["ct"].rules[0].peer_ports = {{104, 104}, {11112, 11112}};
  EXPECT_EQ(TheChange(Hospital(), after),
            "~ Profile ct: rules.store: open tcp to archive ports 104 -> open tcp to archive ports "
            "104, 11112;");
  after = Hospital();
  after.peers["archive"].addresses = {*dp::ParsePrefix("10.20.0.11")};
  EXPECT_EQ(TheChange(Hospital(), after),
            "~ Peer archive: addresses: - 10.20.0.10; addresses: + 10.20.0.11;");
}

TEST(DescribeEffects, EqualConfigurationsHaveNone) {
  EXPECT_THAT(DescribeEffects(Hospital(), Hospital()), IsEmpty());
}

TEST(DescribeEffects, RevokedRuleIsARightLost) {
  Configuration after = Hospital();
  after.profiles["ct"].rules.clear();
  EXPECT_THAT(DescribeEffects(Hospital(), after),
              ElementsAre("ct-2 may no longer open tcp to archive ports 104 (ct/store)"));
  EXPECT_THAT(DescribeEffects(after, Hospital()),
              ElementsAre("ct-2 may now open tcp to archive ports 104 (ct/store)"));
}

TEST(DescribeEffects, SaysWhatObserveAndAuditStillForward) {
  Configuration before = Hospital();
  before.devices["ct-2"].mode = DeviceMode::kObserve;
  Configuration after = before;
  after.profiles["ct"].rules.clear();
  EXPECT_THAT(DescribeEffects(before, after),
              ElementsAre(HasSubstr("; observe mode still forwards it")));
}

TEST(DescribeEffects, RenamedRuleAndReasonChangeNothing) {
  Configuration after = Hospital();
  StoreRule(after).id = "store-images";
  StoreRule(after).reason = "better said";
  EXPECT_THAT(DescribeEffects(Hospital(), after), IsEmpty());
}

TEST(DescribeEffects, RightCoveredByAWiderRuleIsNotLost) {
  Configuration after = Hospital();
  ProfileRule wide = TcpRule("all", "10.20.0.0/16", 1);
  wide.peer_ports = {{1, 1023}};
  after.profiles["ct"].rules = {wide};
  EXPECT_THAT(DescribeEffects(Hospital(), after),
              ElementsAre("ct-2 may now open tcp to 10.20.0.0/16 ports 1-1023 (ct/all)"));
}

TEST(DescribeEffects, LostAddressOfAPeerIsNamed) {
  Configuration before = Hospital();
  before.peers["archive"].addresses.push_back(*dp::ParsePrefix("10.20.0.11"));
  EXPECT_THAT(DescribeEffects(before, Hospital()),
              ElementsAre("ct-2 may no longer open tcp to 10.20.0.11 (of archive) ports 104 "
                          "(ct/store)"));
}

TEST(DescribeEffects, ModeAndPlaceOfADevice) {
  Configuration after = Hospital();
  after.devices["ct-2"].mode = DeviceMode::kAudit;
  EXPECT_THAT(DescribeEffects(Hospital(), after), ElementsAre("ct-2: mode enforce -> audit"));
  after = Hospital();
  after.devices["ct-2"].gateway = after.devices["ct-2"].pair = "";
  EXPECT_THAT(DescribeEffects(Hospital(), after),
              ElementsAre(HasSubstr("ct-2 leaves gateway radiology-1")));
  EXPECT_THAT(
      DescribeEffects(after, Hospital()),
      ElementsAre("ct-2 comes behind gateway radiology-1, pair ct-suite, with profile ct in "
                  "mode enforce"));
}

TEST(DescribeEffects, ManyDevicesShareOneSentence) {
  Configuration before = Hospital();
  for (int i = 3; i < 9; ++i) {
    const std::string name = "ct-" + std::to_string(i);
    before.devices[name] = MakeDevice(name, 30 + i);
  }
  Configuration after = before;
  after.profiles["ct"].rules.clear();
  EXPECT_THAT(DescribeEffects(before, after),
              ElementsAre(HasSubstr("ct-2, ct-3, ct-4 and 4 more may no longer")));
}

TEST(DescribeEffects, AnswerToUnknownDevices) {
  Configuration after = Hospital();
  after.gateways["radiology-1"].unknown_device = "ct";
  EXPECT_THAT(DescribeEffects(Hospital(), after),
              ElementsAre("unknown devices at gateway radiology-1: deny -> ct",
                          HasSubstr("unknown devices at gateway radiology-1 may now open tcp")));
}

}  // namespace
}  // namespace cordon::cp

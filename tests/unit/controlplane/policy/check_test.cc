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

std::vector<std::string> Lines(const std::vector<InputFault>& faults) {
  std::vector<std::string> lines;
  for (const InputFault& fault : faults) lines.push_back(fault.place + ": " + fault.message);
  return lines;
}
std::vector<std::string> Faults(const Configuration& configuration, const Places& places = {}) {
  return Lines(Check(configuration, places).faults);
}
std::vector<std::string> Warnings(const Configuration& configuration) {
  return Lines(Check(configuration).warnings);
}

TEST(CheckConfiguration, FindsNothingWrongWithASoundOne) {
  EXPECT_THAT(Faults(Hospital()), IsEmpty());
  EXPECT_THAT(Warnings(Hospital()), IsEmpty());
}

TEST(CheckConfiguration, NamesFileAndLineOfTheRule) {
  Configuration hospital = Hospital();
  StoreRule(hospital).peer = {"archiv"};
  const Places places = {{"Profile ct", "p.yaml:3"}, {"Profile ct rules[0]", "p.yaml:7"}};
  EXPECT_THAT(Faults(hospital, places),
              ElementsAre(AllOf(HasSubstr("p.yaml:7: Profile ct: rules[0].peer: "),
                                HasSubstr("no Peer 'archiv'; did you mean 'archive'?"))));
}

TEST(CheckConfiguration, CollectsAllFaultsAtOnce) {
  Configuration hospital = Hospital();
  StoreRule(hospital).reason = "";
  hospital.peers["archive"].addresses.clear();
  hospital.devices["ct-2"].pair = "mr-suite";
  hospital.gateways["radiology-1"].unknown_device = "nobody";
  EXPECT_THAT(Faults(hospital), SizeIs(4));
}

TEST(CheckConfiguration, DeviceNamesAnUnknownProfileGatewayAndPair) {
  Configuration hospital = Hospital();
  hospital.devices["ct-2"].profile = "mr";
  EXPECT_THAT(Faults(hospital),
              ElementsAre(HasSubstr("Device ct-2: profile: there is no Profile")));
  hospital = Hospital();
  hospital.devices["ct-2"].gateway = "radiology-2";
  EXPECT_THAT(Faults(hospital), ElementsAre(HasSubstr("did you mean 'radiology-1'?")));
  hospital = Hospital();
  hospital.devices["ct-2"].pair = "";
  EXPECT_THAT(Faults(hospital), ElementsAre(HasSubstr("it has: ct-suite")));
}

TEST(CheckConfiguration, DeviceBehindAGatewayNeedsAProfileAndAnIdentity) {
  Configuration hospital = Hospital();
  Device& device = hospital.devices["ct-2"];
  device.profile = "";
  device.macs.clear();
  device.ips.clear();
  EXPECT_THAT(Faults(hospital),
              ElementsAre(HasSubstr("no profile matches"), HasSubstr("Device ct-2: identity")));
  device.gateway = device.pair = "";
  EXPECT_THAT(Faults(hospital), IsEmpty());
}

TEST(CheckConfiguration, SameMacOnOnePairAndVlanNamesBothDevices) {
  Configuration hospital = Hospital();
  Device other = MakeDevice("ct-3", 22);
  other.macs = hospital.devices["ct-2"].macs;
  hospital.devices["ct-3"] = other;
  const Places places = {{"Device ct-2", "a.yaml:1"}, {"Device ct-3", "b.yaml:9"}};
  EXPECT_THAT(
      Faults(hospital, places),
      ElementsAre(AllOf(HasSubstr("b.yaml:9: Device ct-3: identity.mac"),
                        HasSubstr("02:00:00:00:00:15"), HasSubstr("a.yaml:1: Device ct-2"))));
  hospital.devices["ct-3"].vlan = {30, 0};
  EXPECT_THAT(Faults(hospital), IsEmpty());
}

TEST(CheckConfiguration, SameAddressOnOnePairIsAFaultOnAnotherPairNot) {
  Configuration hospital = Hospital();
  hospital.gateways["radiology-1"].pairs = {"ct-suite", "mr-suite"};
  hospital.devices["ct-3"] = MakeDevice("ct-3", 22);
  hospital.devices["ct-3"].ips = hospital.devices["ct-2"].ips;
  EXPECT_THAT(Faults(hospital), ElementsAre(HasSubstr("Device ct-3: identity.ip: 10.30.0.21")));
  hospital.devices["ct-3"].pair = "mr-suite";
  EXPECT_THAT(Faults(hospital), IsEmpty());
}

TEST(CheckConfiguration, GroupAddressesAreNoIdentity) {
  Configuration hospital = Hospital();
  hospital.devices["ct-2"].macs = {dp::MacAddress::Broadcast(), {0}};
  hospital.devices["ct-2"].ips = {*dp::ParseIp("224.0.0.1"), *dp::ParseIp("0.0.0.0")};
  EXPECT_THAT(Faults(hospital), SizeIs(4));
}

TEST(CheckConfiguration, RuleIdsAreUniqueInTheirProfile) {
  Configuration hospital = Hospital();
  hospital.profiles["ct"].rules.push_back(TcpRule("store", "archive", 105));
  EXPECT_THAT(Faults(hospital), ElementsAre(HasSubstr("rules[1].id: the id 'store' is taken")));
}

TEST(CheckConfiguration, AnyStandsAlone) {
  Configuration hospital = Hospital();
  StoreRule(hospital).peer = {"any", "archive"};
  EXPECT_THAT(Faults(hospital), ElementsAre(HasSubstr("'any' stands alone")));
}

TEST(CheckConfiguration, IcmpHasNoPortsAndTcpNoIcmpTypes) {
  Configuration hospital = Hospital();
  StoreRule(hospital).icmp_types = {8};
  EXPECT_THAT(Faults(hospital), ElementsAre(HasSubstr("icmp_types")));
  StoreRule(hospital).protocol = RuleProtocol::kIcmp;
  EXPECT_THAT(Faults(hospital), ElementsAre(HasSubstr("icmp has no ports")));
}

TEST(CheckConfiguration, GatewayNeedsPairsOfDifferentNames) {
  Configuration hospital = Hospital();
  hospital.gateways["radiology-1"].pairs = {"ct-suite", "ct-suite"};
  EXPECT_THAT(Faults(hospital), ElementsAre(HasSubstr("listed twice")));
  hospital.devices.clear();
  hospital.gateways["radiology-1"].pairs = {};
  EXPECT_THAT(Faults(hospital), ElementsAre(HasSubstr("at least one pair")));
}

TEST(CheckConfiguration, WarnsOfADeviceWithoutBoundAddress) {
  Configuration hospital = Hospital();
  hospital.devices["ct-2"].ips.clear();
  EXPECT_THAT(Warnings(hospital), ElementsAre(HasSubstr("no address is bound")));
  EXPECT_THAT(Faults(hospital), IsEmpty());
}

TEST(CheckConfiguration, WarnsOfAQuarantineThatCutsEverything) {
  Configuration hospital = Hospital();
  hospital.devices["ct-2"].mode = DeviceMode::kQuarantine;
  EXPECT_THAT(Warnings(hospital), ElementsAre(HasSubstr("no keep_alive rule")));
  StoreRule(hospital).keep_alive = true;
  EXPECT_THAT(Warnings(hospital), IsEmpty());
}

TEST(CheckConfiguration, WarnsOfARuleThatAllowsEverything) {
  Configuration hospital = Hospital();
  StoreRule(hospital).peer = {"any"};
  StoreRule(hospital).protocol = RuleProtocol::kAny;
  StoreRule(hospital).peer_ports.clear();
  EXPECT_THAT(Warnings(hospital), ElementsAre(HasSubstr("open everything to everybody")));
}

}  // namespace
}  // namespace cordon::cp

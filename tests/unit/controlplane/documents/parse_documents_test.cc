// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/documents/documents.h"

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kDesignExample[] = R"(kind: Peer
name: pacs-archive
addresses: [10.20.0.10, "fd00:20::10", 10.20.4.0/28]
---
kind: Profile
name: ct-scanner
rules:
  - id: store-images
    initiator: device
    peer: pacs-archive
    protocol: tcp
    peer_ports: [104, 11112]
    reason: images go to the archive
  - id: storage-commitment
    initiator: peer
    peer: pacs-archive
    protocol: tcp
    device_ports: [3010]
    reason: the archive confirms storage on a new association
---
kind: Gateway
name: radiology-1
pairs: [{name: ct-suite}]
unknown_device: deny
---
kind: Device
name: ct-2
identity: {mac: ["02:00:00:00:30:21"], ip: [10.30.0.21], vlan: 30}
vendor: Example Imaging
model: Scan 9
class: ct
location: Radiology, room 4
profile: ct-scanner
gateway: radiology-1
pair: ct-suite
mode: enforce
)";

ParsedDocuments Parse(std::string content) {
  return ParseDocuments({{"policy.yaml", std::move(content)}});
}

// The faults as "place: message".
std::vector<std::string> Faults(const ParsedDocuments& parsed) {
  std::vector<std::string> lines;
  for (const InputFault& fault : parsed.faults) lines.push_back(fault.place + ": " + fault.message);
  return lines;
}

// A profile of one rule, which is `lines` beside a right id, initiator, peer, protocol and reason.
std::string ProfileWith(const std::string& lines) {
  return "kind: Profile\nname: p\nrules:\n  - id: r\n    initiator: device\n    peer: any\n"
         "    protocol: tcp\n    reason: test\n" +
         lines;
}

TEST(ParseDocuments, ReadsWhatAnAdministratorWrites) {
  const ParsedDocuments parsed = Parse(kDesignExample);
  EXPECT_THAT(Faults(parsed), IsEmpty());
  ASSERT_THAT(parsed.devices, SizeIs(1));
  EXPECT_EQ(ToString(parsed.devices[0].macs.at(0)), "02:00:00:00:30:21");
  EXPECT_EQ(parsed.devices[0].vlan.outer, 30);
  EXPECT_EQ(parsed.devices[0].mode, DeviceMode::kEnforce);
  ASSERT_THAT(parsed.profiles, SizeIs(1));
  EXPECT_EQ(parsed.profiles[0].rules.at(1).initiator, RuleInitiator::kPeer);
  EXPECT_THAT(parsed.peers.at(0).addresses, SizeIs(3));
  EXPECT_THAT(parsed.gateways.at(0).pairs, ElementsAre("ct-suite"));
}

TEST(ParseDocuments, KnowsWhereEachDocumentAndRuleStands) {
  const ParsedDocuments parsed = Parse(kDesignExample);
  EXPECT_EQ(parsed.places.at("Peer pacs-archive"), "policy.yaml:1");
  EXPECT_EQ(parsed.places.at("Profile ct-scanner rules[1]"), "policy.yaml:14");
  EXPECT_EQ(parsed.places.at("Device ct-2"), "policy.yaml:26");
}

TEST(ParseDocuments, ModeIsObserveWhereItIsNotWritten) {
  const ParsedDocuments parsed = Parse("kind: Device\nname: d\n");
  EXPECT_THAT(Faults(parsed), IsEmpty());
  EXPECT_EQ(parsed.devices.at(0).mode, DeviceMode::kObserve);
}

TEST(ParseDocuments, ReadsEveryFieldOfARule) {
  const ParsedDocuments parsed = Parse(
      "kind: Profile\nname: p\nmatch: [{class: ct, vendor: 'GE*', model: x}]\nrules:\n"
      "  - {id: r, initiator: peer, peer: [his, 10.0.0.0/8], protocol: any, "
      "peer_ports: ['1024-2047', 9], device_ports: 7, vlan: '100.30', idle_timeout: 24h, "
      "keep_alive: true, reason: x}\n"
      "  - {id: i, initiator: device, peer: any, protocol: icmp, icmp_types: [8, 13], reason: "
      "y}\n");
  EXPECT_THAT(Faults(parsed), IsEmpty());
  const ProfileRule& rule = parsed.profiles.at(0).rules.at(0);
  EXPECT_THAT(rule.peer, ElementsAre("his", "10.0.0.0/8"));
  EXPECT_THAT(rule.peer_ports, ElementsAre(dp::PortRange{1024, 2047}, dp::PortRange{9, 9}));
  EXPECT_THAT(rule.device_ports, ElementsAre(dp::PortRange{7, 7}));
  EXPECT_EQ(rule.vlan, (dp::VlanTags{100, 30}));
  EXPECT_EQ(rule.idle_timeout, std::chrono::hours(24));
  EXPECT_TRUE(rule.keep_alive);
  EXPECT_THAT(parsed.profiles.at(0).rules.at(1).icmp_types, ElementsAre(8, 13));
}

TEST(ParseDocuments, UnknownKindIsAFaultWithASuggestion) {
  EXPECT_THAT(Faults(Parse("kind: Devise\nname: d\nmac: x\n")),
              ElementsAre(AllOf(HasSubstr("policy.yaml:1: kind: "), HasSubstr("'Device'"))));
}

TEST(ParseDocuments, UnknownFieldIsAFaultWithItsLine) {
  EXPECT_THAT(Faults(Parse("kind: Peer\nname: p\naddresses: [10.0.0.1]\nadresses: [10.0.0.2]\n")),
              ElementsAre(AllOf(HasSubstr("policy.yaml:4"), HasSubstr("adresses"),
                                HasSubstr("did you mean 'addresses'"))));
}

TEST(ParseDocuments, RuleWithoutReasonIsAskedWhy) {
  EXPECT_THAT(Faults(Parse("kind: Profile\nname: p\nrules:\n  - {id: r, initiator: device, "
                           "peer: any, protocol: tcp}\n")),
              ElementsAre(AllOf(HasSubstr("policy.yaml:4: rules[0]"),
                                HasSubstr("say why the device needs"))));
}

TEST(ParseDocuments, PortZeroTooLargeAndReversedAreFaultsEach) {
  EXPECT_THAT(Faults(Parse(ProfileWith("    peer_ports: [0, 65536, '20-10', http]\n"))),
              ElementsAre(HasSubstr("rules[0].peer_ports[0]"), HasSubstr("rules[0].peer_ports[1]"),
                          HasSubstr("rules[0].peer_ports[2]"),
                          HasSubstr("rules[0].peer_ports[3]: 'http' is not a port")));
}

TEST(ParseDocuments, PrefixWithHostBitsIsAFault) {
  EXPECT_THAT(Faults(Parse("kind: Peer\nname: p\naddresses: [10.0.0.1/8]\n")),
              ElementsAre(AllOf(HasSubstr("policy.yaml:3: addresses[0]"), HasSubstr("host bits"))));
}

TEST(ParseDocuments, IdleTimeoutWithoutUnitIsAFault) {
  EXPECT_THAT(Faults(Parse(ProfileWith("    idle_timeout: 30\n"))),
              ElementsAre(HasSubstr("policy.yaml:9: rules[0].idle_timeout")));
}

TEST(ParseDocuments, VlanOutsideItsRangeIsAFault) {
  EXPECT_THAT(Faults(Parse("kind: Device\nname: d\nidentity: {vlan: 4095}\n")),
              ElementsAre(HasSubstr("policy.yaml:3: identity.vlan")));
}

TEST(ParseDocuments, CapitalLettersInANameAreAFault) {
  EXPECT_THAT(Faults(Parse("kind: Device\nname: CT-2\n")),
              ElementsAre(AllOf(HasSubstr("policy.yaml:2: name"), HasSubstr("a-z"))));
}

TEST(ParseDocuments, PeerMayNotBeCalledAnyOrLikeAnAddress) {
  EXPECT_THAT(Faults(Parse("kind: Peer\nname: any\naddresses: [10.0.0.1]\n")), SizeIs(1));
  EXPECT_THAT(Faults(Parse("kind: Peer\nname: 10.0.0.1\naddresses: [10.0.0.1]\n")), SizeIs(1));
}

TEST(ParseDocuments, SameKindAndNameTwiceNamesBothPlaces) {
  const ParsedDocuments parsed = ParseDocuments(
      {{"a.yaml", "kind: Device\nname: d\n"}, {"b.yaml", "---\nkind: Device\nname: d\n"}});
  EXPECT_THAT(Faults(parsed), ElementsAre(AllOf(HasSubstr("b.yaml:3"), HasSubstr("a.yaml:1"))));
}

TEST(ParseDocuments, CollectsTheFaultsOfAllFiles) {
  const ParsedDocuments parsed =
      ParseDocuments({{"a.yaml", "kind: Peer\nname: A\naddresses: [x]\n"},
                      {"b.yaml", "kind: [\n"},
                      {"c.yaml", "kind: Gateway\nname: g\npairs: [{name: p}]\nextra: 1\n"}});
  EXPECT_THAT(Faults(parsed), ElementsAre(HasSubstr("a.yaml:2"), HasSubstr("a.yaml:3"),
                                          HasSubstr("b.yaml:"), HasSubstr("c.yaml:4")));
}

TEST(ParseDocuments, AliasesAreRefused) {
  EXPECT_THAT(Faults(Parse("kind: Peer\nname: p\naddresses: &a [10.0.0.1]\ndescription: *a\n")),
              Not(IsEmpty()));
}

TEST(ParseDocuments, DeepNestingIsRefusedWithoutHarm) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(Faults(Parse("kind: Peer\nname: p\naddresses: " + deep)), Not(IsEmpty()));
}

TEST(ParseDocuments, ListWhereADocumentBelongsIsAFault) {
  EXPECT_THAT(Faults(Parse("- kind: Peer\n")), ElementsAre(HasSubstr("policy.yaml:1")));
}

TEST(ParseDocuments, EmptyInputHasNeitherDocumentsNorFaults) {
  EXPECT_THAT(Faults(Parse("")), IsEmpty());
  EXPECT_THAT(Faults(Parse("---\n# nothing\n---\n")), IsEmpty());
}

TEST(MergeDocuments, ReplaceThoseOfTheSameKindAndNameOnly) {
  const Configuration base = Merge({}, Parse(kDesignExample));
  const Configuration merged =
      Merge(base, Parse("kind: Device\nname: ct-2\n---\nkind: Device\nname: ct-3\n"));
  EXPECT_THAT(merged.devices, SizeIs(2));
  EXPECT_EQ(merged.devices.at("ct-2").profile, "");
  EXPECT_EQ(merged.profiles, base.profiles);
}

template <typename T>
void ExpectSame(const std::vector<T>& written, const std::vector<T>& read) {
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0], written[0]);
}

TEST(ToYaml, RoundTripGivesTheSameValues) {
  const ParsedDocuments once = Parse(kDesignExample);
  const ParsedDocuments twice =
      Parse(ToYaml(once.peers[0]) + "---\n" + ToYaml(once.profiles[0]) + "---\n" +
            ToYaml(once.gateways[0]) + "---\n" + ToYaml(once.devices[0]));
  EXPECT_THAT(Faults(twice), IsEmpty());
  ExpectSame(once.peers, twice.peers);
  ExpectSame(once.profiles, twice.profiles);
  ExpectSame(once.gateways, twice.gateways);
  ExpectSame(once.devices, twice.devices);
}

TEST(ToYaml, RoundTripKeepsTextThatLooksLikeYaml) {
  Device device;
  device.name = "d";
  device.source = "apply";
  device.vendor = "null";
  device.model = "a: b # \"c\" \\ {x}";
  device.location = " two\nlines\t\x01";
  device.serial = "007";
  device.asset_tag = "Gerät & *x";
  const ParsedDocuments parsed = Parse(ToYaml(device));
  EXPECT_THAT(Faults(parsed), IsEmpty());
  EXPECT_EQ(parsed.devices.at(0), device);
}

TEST(ToYaml, RoundTripKeepsEveryFieldOfARule) {
  Profile profile{"p", "what: for", {{"ct", "GE*", "X 1"}}, {}};
  profile.rules.push_back({.id = "r",
                           .initiator = RuleInitiator::kPeer,
                           .peer = {"his", "fd00::/8"},
                           .protocol = RuleProtocol::kUdp,
                           .peer_ports = {{1, 2}},
                           .device_ports = {{7, 7}},
                           .icmp_types = {},
                           .vlan = dp::VlanTags{100, 30},
                           .idle_timeout = std::chrono::minutes(5),
                           .keep_alive = true,
                           .group = dp::ParseIp("239.255.255.250"),
                           .expires_at = 1'798'135'200,
                           .log = true,
                           .preset = "",
                           .reason = "because"});
  profile.rules.push_back({.id = "i",
                           .initiator = RuleInitiator::kDevice,
                           .peer = {"any"},
                           .protocol = RuleProtocol::kIcmpv6,
                           .peer_ports = {},
                           .device_ports = {},
                           .icmp_types = {128},
                           .vlan = {},
                           .group = {},
                           .expires_at = {},
                           .preset = "",
                           .reason = "ping"});
  const ParsedDocuments parsed = Parse(ToYaml(profile));
  EXPECT_THAT(Faults(parsed), IsEmpty());
  ASSERT_THAT(parsed.profiles, SizeIs(1));
  EXPECT_EQ(parsed.profiles[0], profile);
}

}  // namespace
}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/profile/learn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int32_t kDay = 20'758;  // 2026-11-01

dp::IpAddress Ip(const std::string& text) { return *dp::ParseIp(text); }

// One conversation, answered, of ten flows on one day, unless said otherwise.
struct Seen {
  Observation observation;
  explicit Seen(const std::string& device = "pump-1") {
    observation.device = device;
    observation.answered = true;
    observation.flows = 10;
    observation.bytes = 1000;
    On(kDay);
  }
  Seen& To(const std::string& peer, uint16_t port, uint8_t protocol = dp::protocol::kTcp) {
    observation.initiator = RuleInitiator::kDevice;
    observation.peer = Ip(peer);
    observation.peer_port = port;
    observation.protocol = protocol;
    return *this;
  }
  Seen& From(const std::string& peer, uint16_t port, uint8_t protocol = dp::protocol::kTcp) {
    observation.initiator = RuleInitiator::kPeer;
    observation.peer = Ip(peer);
    observation.device_port = port;
    observation.protocol = protocol;
    return *this;
  }
  Seen& Icmp(const std::string& peer, uint8_t type, uint8_t protocol = dp::protocol::kIcmp) {
    To(peer, 0, protocol);
    observation.icmp_type = type;
    return *this;
  }
  Seen& Unanswered() {
    observation.answered = false;
    return *this;
  }
  Seen& On(int32_t day) {
    observation.days = {day};
    observation.first_seen = observation.last_seen =
        std::chrono::system_clock::time_point(std::chrono::days(day) + std::chrono::hours(8));
    return *this;
  }
  operator Observation() const { return observation; }
};

Peer NamedPeer(const std::string& name, const std::vector<std::string>& addresses) {
  Peer peer;
  peer.name = name;
  for (const std::string& address : addresses) peer.addresses.push_back(*dp::ParsePrefix(address));
  return peer;
}

Proposal Learn(const std::vector<Observation>& observations, const std::vector<Peer>& peers = {},
               const Profile* present = nullptr) {
  return Propose("pump", observations, present, peers);
}

std::vector<std::string> Ids(const Proposal& proposal) {
  std::vector<std::string> ids;
  for (const ProposedRule& proposed : proposal.rules) ids.push_back(proposed.rule.id);
  return ids;
}

// A profile of one rule.
Profile Present(const ProfileRule& rule) {
  Profile profile;
  profile.name = "pump";
  profile.rules = {rule};
  profile.rules[0].id = "present";
  return profile;
}

ProfileRule DeviceRule(std::vector<std::string> peers, std::vector<dp::PortRange> peer_ports) {
  ProfileRule rule;
  rule.peer = std::move(peers);
  rule.peer_ports = std::move(peer_ports);
  return rule;
}

std::string Coverage(const ProfileRule& present, const Observation& seen,
                     const std::vector<Peer>& peers = {}) {
  const Profile profile = Present(present);
  const Proposal proposal = Learn({seen}, peers, &profile);
  return proposal.rules.size() == 1 ? proposal.rules[0].covered_by : "no rule";
}

TEST(Propose, ProposesNothingFromNothing) {
  const Proposal proposal = Learn({});
  EXPECT_EQ(proposal.name, "pump-learned");
  EXPECT_THAT(proposal.rules, IsEmpty());
  EXPECT_THAT(proposal.left_out, IsEmpty());
}

TEST(Propose, NamesTheListeningPortOfThePeerWhereTheDeviceBegins) {
  const Proposal proposal = Learn({Seen().To("10.0.0.9", 104)});
  ASSERT_THAT(proposal.rules, SizeIs(1));
  const ProfileRule& rule = proposal.rules[0].rule;
  EXPECT_EQ(rule.id, "device-tcp-104");
  EXPECT_EQ(rule.initiator, RuleInitiator::kDevice);
  EXPECT_EQ(rule.protocol, RuleProtocol::kTcp);
  EXPECT_THAT(rule.peer, ElementsAre("10.0.0.9"));
  EXPECT_THAT(rule.peer_ports, ElementsAre(dp::PortRange{104, 104}));
  EXPECT_THAT(rule.device_ports, IsEmpty());
}

TEST(Propose, NamesTheListeningPortOfTheDeviceWhereThePeerBegins) {
  const Proposal proposal = Learn({Seen().From("10.0.0.9", 3010)});
  ASSERT_THAT(proposal.rules, SizeIs(1));
  EXPECT_EQ(proposal.rules[0].rule.id, "peer-tcp-3010");
  EXPECT_THAT(proposal.rules[0].rule.device_ports, ElementsAre(dp::PortRange{3010, 3010}));
  EXPECT_THAT(proposal.rules[0].rule.peer_ports, IsEmpty());
}

TEST(Propose, MakesOneRuleOfOneServiceOnSeveralPeersAndDevices) {
  const Proposal proposal =
      Learn({Seen("a").To("10.0.0.9", 104), Seen("b").To("10.0.0.8", 104).On(kDay + 22),
             Seen("a").To("10.0.0.9", 11112)});
  EXPECT_THAT(Ids(proposal), ElementsAre("device-tcp-104", "device-tcp-11112"));
  const ProposedRule& dicom = proposal.rules[0];
  EXPECT_THAT(dicom.rule.peer, ElementsAre("10.0.0.8", "10.0.0.9"));
  EXPECT_EQ(dicom.devices, 2u);
  EXPECT_EQ(dicom.days, 2u);
  EXPECT_EQ(dicom.flows, 20u);
  EXPECT_EQ(dicom.bytes, 2000u);
  EXPECT_EQ(dicom.rule.reason,
            "seen on 2 devices, 2 days, 20 flows, first 2026-11-01, last 2026-11-23");
}

TEST(Propose, NamesAPeerOnlyWhereItIsExactlyWhatWasSeen) {
  const std::vector<Observation> seen = {Seen().To("10.0.0.8", 104), Seen().To("10.0.0.9", 104)};
  const auto peer = [&](const std::vector<Peer>& peers) {
    return Learn(seen, peers).rules.at(0).rule.peer;
  };
  EXPECT_THAT(peer({NamedPeer("pacs", {"10.0.0.9", "10.0.0.8"}), NamedPeer("z", {"10.0.0.9"})}),
              ElementsAre("pacs"));
  EXPECT_THAT(
      peer({NamedPeer("z", {"10.0.0.9", "10.0.0.8"}), NamedPeer("pacs", {"10.0.0.8", "10.0.0.9"})}),
      ElementsAre("10.0.0.8", "10.0.0.9"));
  EXPECT_THAT(peer({NamedPeer("wider", {"10.0.0.8", "10.0.0.9", "10.0.0.10"})}), SizeIs(2));
  EXPECT_THAT(peer({NamedPeer("narrower", {"10.0.0.8"})}), SizeIs(2));
  EXPECT_THAT(peer({NamedPeer("block", {"10.0.0.8/31"})}), SizeIs(2));
}

TEST(Propose, IsTheSameWhateverTheOrder) {
  std::vector<Observation> seen = {Seen("a").To("10.0.0.9", 104),
                                   Seen("b").To("10.0.0.8", 104).On(kDay + 1),
                                   Seen("a").From("10.0.0.7", 22),
                                   Seen("a").To("10.0.0.6", 514, 17).Unanswered(),
                                   Seen("c").To("10.0.0.5", 1).Unanswered(),
                                   Seen("b").To("10.0.0.5", 1).Unanswered()};
  const std::string expected = ToYaml(Learn(seen));
  std::mt19937 random(1);
  for (int i = 0; i < 50; ++i) {
    std::shuffle(seen.begin(), seen.end(), random);
    ASSERT_EQ(ToYaml(Learn(seen)), expected);
  }
}

TEST(Propose, LeavesOutHalfOpenConnectionsAndSaysSo) {
  const Proposal proposal = Learn({Seen().To("10.0.0.9", 445).Unanswered()});
  EXPECT_THAT(proposal.rules, IsEmpty());
  EXPECT_THAT(proposal.left_out,
              ElementsAre("pump-1 to 10.0.0.9, tcp/445: never answered (1 device, 1 day, 10 flows, "
                          "first 2026-11-01, last 2026-11-01)"));
}

TEST(Propose, KeepsUdpThatNeedsNoAnswer) {
  const Proposal proposal = Learn({Seen().To("10.0.0.9", 514, dp::protocol::kUdp).Unanswered()});
  ASSERT_THAT(Ids(proposal), ElementsAre("device-udp-514"));
  EXPECT_THAT(proposal.rules[0].rule.reason, HasSubstr("one way"));
}

TEST(Propose, KeepsBroadcastAndMulticastAsTheirOwnAddresses) {
  const Proposal proposal = Learn({Seen().To("255.255.255.255", 67, 17).Unanswered(),
                                   Seen().To("239.255.255.250", 3702, 17).Unanswered(),
                                   Seen().Icmp("ff02::16", 143, 58).Unanswered()});
  EXPECT_THAT(Ids(proposal), ElementsAre("device-udp-67", "device-udp-3702", "device-icmpv6-143"));
  EXPECT_THAT(proposal.rules[0].rule.peer, ElementsAre("255.255.255.255"));
}

TEST(Propose, NamesIcmpTypesAndWantsAnAnswer) {
  const Proposal proposal =
      Learn({Seen().Icmp("10.0.0.9", 8), Seen().Icmp("10.0.0.8", 13).Unanswered()});
  ASSERT_THAT(Ids(proposal), ElementsAre("device-icmp-8"));
  EXPECT_THAT(proposal.rules[0].rule.icmp_types, ElementsAre(8));
  EXPECT_THAT(proposal.rules[0].rule.peer_ports, IsEmpty());
  EXPECT_THAT(proposal.left_out, ElementsAre(HasSubstr("icmp/13")));
}

TEST(Propose, LeavesOutWhatNoRuleCanName) {
  const Proposal proposal =
      Learn({Seen().To("10.0.0.9", 0, 47), Seen().To("10.0.0.9", 0), Seen().To("0.0.0.0", 68, 17)});
  EXPECT_THAT(proposal.rules, IsEmpty());
  EXPECT_THAT(proposal.left_out,
              ElementsAre(HasSubstr("has no listening port"), HasSubstr("has no peer address"),
                          HasSubstr("protocol 47: no rule can name this protocol")));
}

TEST(Propose, LeavesOutASweepWithItsHits) {
  std::vector<Observation> seen = {Seen().To("10.0.0.9", 445), Seen().To("10.0.0.9", 104)};
  for (int i = 100; i < 116; ++i) {
    seen.push_back(Seen().To("10.0.0." + std::to_string(i), 445).Unanswered());
  }
  const Proposal proposal = Learn(seen);
  EXPECT_THAT(Ids(proposal), ElementsAre("device-tcp-104"));
  EXPECT_THAT(proposal.left_out,
              ElementsAre(HasSubstr("pump-1 to 17 peers, tcp/445: looks like a scan")));
}

TEST(Propose, TakesFewUnansweredPeersForNoSweep) {
  std::vector<Observation> seen = {Seen().To("10.0.0.9", 445)};
  for (int i = 100; i < 115; ++i) {
    seen.push_back(Seen().To("10.0.0." + std::to_string(i), 445).Unanswered());
  }
  EXPECT_THAT(Ids(Learn(seen)), ElementsAre("device-tcp-445"));
}

TEST(Propose, LeavesOutAPortScanButNotWhatThePeerAnswers) {
  std::vector<Observation> seen = {Seen().To("10.0.0.9", 104)};
  for (uint16_t port = 1; port <= 40; ++port) {
    seen.push_back(Seen().To("10.0.0.9", port, dp::protocol::kUdp).Unanswered());
  }
  const Proposal proposal = Learn(seen);
  EXPECT_THAT(Ids(proposal), ElementsAre("device-tcp-104"));
  EXPECT_THAT(proposal.left_out, ElementsAre(HasSubstr("40 services: looks like a scan")));
}

TEST(Propose, LeavesOutEverythingAScannerBegan) {
  std::vector<Observation> seen = {Seen().From("10.0.0.66", 80), Seen().From("10.0.0.9", 80)};
  for (uint16_t port = 1; port <= 20; ++port) {
    seen.push_back(Seen().From("10.0.0.66", port).Unanswered());
  }
  const Proposal proposal = Learn(seen);
  ASSERT_THAT(proposal.rules, SizeIs(1));
  EXPECT_THAT(proposal.rules[0].rule.peer, ElementsAre("10.0.0.9"));
  EXPECT_THAT(proposal.left_out,
              ElementsAre(HasSubstr("10.0.0.66 to pump-1, 21 services: this peer "
                                    "scans")));
}

TEST(Propose, BoundsTheSentences) {
  std::vector<Observation> seen;
  for (int i = 0; i < 300; ++i) {
    seen.push_back(Seen("d" + std::to_string(i)).To("10.0.0.9", 445).Unanswered());
  }
  const Proposal proposal = Learn(seen);
  ASSERT_THAT(proposal.left_out, SizeIs(201));
  EXPECT_THAT(proposal.left_out.back(), HasSubstr("and 100 more"));
}

TEST(Propose, FindsTheRuleThatAlreadyAllowsIt) {
  const Observation seen = Seen().To("10.0.0.9", 104);
  EXPECT_EQ(Coverage(DeviceRule({"10.0.0.0/24"}, {{100, 110}}), seen), "present");
  EXPECT_EQ(Coverage(DeviceRule({"any"}, {}), seen), "present");
  EXPECT_EQ(Coverage(DeviceRule({"pacs"}, {}), seen, {NamedPeer("pacs", {"10.0.0.8/30"})}),
            "present");
  ProfileRule any_protocol = DeviceRule({"any"}, {});
  any_protocol.protocol = RuleProtocol::kAny;
  EXPECT_EQ(Coverage(any_protocol, seen), "present");
}

TEST(Propose, FindsNoCoverWhereAnyPartDiffers) {
  const Observation seen = Seen().To("10.0.0.9", 104);
  EXPECT_EQ(Coverage(DeviceRule({"10.0.1.0/24"}, {}), seen), "");
  EXPECT_EQ(Coverage(DeviceRule({"pacs"}, {}), seen), "");
  EXPECT_EQ(Coverage(DeviceRule({"any"}, {{105, 110}}), seen), "");
  ProfileRule other = DeviceRule({"any"}, {});
  other.protocol = RuleProtocol::kUdp;
  EXPECT_EQ(Coverage(other, seen), "");
  other = DeviceRule({"any"}, {});
  other.initiator = RuleInitiator::kPeer;
  EXPECT_EQ(Coverage(other, seen), "");
  other = DeviceRule({"any"}, {});
  other.vlan = dp::VlanTags{30, 0};
  EXPECT_EQ(Coverage(other, seen), "");
  other = DeviceRule({"any"}, {});
  other.device_ports = {{1024, 2000}};
  EXPECT_EQ(Coverage(other, seen), "");
}

TEST(Propose, CoversAPeersFlowByTheDevicesPorts) {
  ProfileRule rule;
  rule.initiator = RuleInitiator::kPeer;
  rule.peer = {"any"};
  rule.device_ports = {{3000, 3020}};
  EXPECT_EQ(Coverage(rule, Seen().From("10.0.0.9", 3010)), "present");
  EXPECT_EQ(Coverage(rule, Seen().From("10.0.0.9", 3021)), "");
}

TEST(Propose, CoversIcmpByItsTypes) {
  ProfileRule rule;
  rule.peer = {"any"};
  rule.protocol = RuleProtocol::kIcmp;
  rule.icmp_types = {0, 8};
  EXPECT_EQ(Coverage(rule, Seen().Icmp("10.0.0.9", 8)), "present");
  EXPECT_EQ(Coverage(rule, Seen().Icmp("10.0.0.9", 13)), "");
}

TEST(Propose, NamesAllRulesThatTogetherAllowIt) {
  Profile present = Present(DeviceRule({"10.0.0.8"}, {}));
  present.rules.push_back(DeviceRule({"10.0.0.9"}, {}));
  present.rules[1].id = "second";
  const std::vector<Observation> seen = {Seen().To("10.0.0.8", 104), Seen().To("10.0.0.9", 104)};
  EXPECT_EQ(Learn(seen, {}, &present).rules.at(0).covered_by, "present, second");
  present.rules.pop_back();
  EXPECT_EQ(Learn(seen, {}, &present).rules.at(0).covered_by, "");
}

TEST(Propose, KeepsTheNameWithinItsLimit) {
  EXPECT_EQ(Propose(std::string(63, 'x'), {}, nullptr, {}).name, std::string(55, 'x') + "-learned");
}

TEST(ProposalToYaml, WritesADocumentWithItsEvidence) {
  const Profile present = Present(DeviceRule({"any"}, {}));
  const Proposal proposal = Learn({Seen().To("fd00::9", 104), Seen().From("10.0.0.9", 3010),
                                   Seen().To("10.0.0.9", 445).Unanswered()},
                                  {NamedPeer("pacs", {"fd00::9"})}, &present);
  EXPECT_EQ(ToYaml(proposal), R"(# Proposed from what was seen; nothing is allowed by it yet.
# Review each rule, give it the reason why the device needs it, then apply.
# Left out:
# - pump-1 to 10.0.0.9, tcp/445: never answered (1 device, 1 day, 10 flows, first 2026-11-01, last 2026-11-01)
kind: Profile
name: "pump-learned"
rules:
  # 1 device, 1 day, 10 flows, 1000 bytes, 2026-11-01 to 2026-11-01
  # weak: seen on one day only
  # the present profile allows this already: present
  - id: "device-tcp-104"
    initiator: device
    peer: ["pacs"]
    protocol: tcp
    peer_ports: [104]
    reason: "seen on 1 device, 1 day, 10 flows, first 2026-11-01, last 2026-11-01"
  # 1 device, 1 day, 10 flows, 1000 bytes, 2026-11-01 to 2026-11-01
  # weak: seen on one day only
  - id: "peer-tcp-3010"
    initiator: peer
    peer: ["10.0.0.9"]
    protocol: tcp
    device_ports: [3010]
    reason: "seen on 1 device, 1 day, 10 flows, first 2026-11-01, last 2026-11-01"
)");
}

TEST(ProposalToYaml, WritesAProfileWithoutRules) {
  EXPECT_THAT(ToYaml(Learn({})), HasSubstr("rules: []\n"));
}

TEST(ProposalToYaml, KeepsOddTextInItsPlace) {
  Proposal proposal = Learn({Seen().To("10.0.0.9", 104)});
  proposal.rules[0].rule.reason = "a \"b\"\n\\c";
  proposal.left_out = {"one\nkind: Peer"};
  EXPECT_THAT(ToYaml(proposal), HasSubstr("reason: \"a \\\"b\\\"\\x0a\\\\c\"\n"));
  EXPECT_THAT(ToYaml(proposal), HasSubstr("# - one kind: Peer\n"));
}

}  // namespace
}  // namespace cordon::cp

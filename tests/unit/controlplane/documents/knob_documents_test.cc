// SPDX-License-Identifier: Apache-2.0
// Protection, checks, limits, guards, presets, expiry and overlays as an administrator writes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/documents/documents.h"
#include "controlplane/profile/instant.h"

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ParsedDocuments Parse(const std::string& content) { return ParseDocuments({{"p.yaml", content}}); }
std::vector<std::string> Faults(const ParsedDocuments& parsed) {
  std::vector<std::string> faults;
  for (const InputFault& fault : parsed.faults)
    faults.push_back(fault.place + ": " + fault.message);
  return faults;
}
std::string Rule(const std::string& fields) {
  return "kind: Profile\nname: p\nrules:\n  - {id: r, reason: x, " + fields + "}\n";
}

constexpr char kKnobs[] = R"(
protection: strict
checks: {ipv6: drop, tcp_mss: pass}
limits:
  toward: {packets_per_second: 500, bytes_per_second: 250000, new_flows_per_second: 10}
  from: {packets_per_second: 1000}
  max_flows: 64
  max_half_open: 8
)";

// R014
TEST(KnobDocuments, ReadEveryKnobOfAProfileAndOfADevice) {
  const ParsedDocuments parsed = Parse(std::string("kind: Profile\nname: p\nrules: []") + kKnobs +
                                       "---\nkind: Device\nname: d" + kKnobs);
  EXPECT_THAT(Faults(parsed), IsEmpty());
  const Knobs& knobs = parsed.profiles.at(0).knobs;
  EXPECT_EQ(knobs.protection.level, dp::Protection::kStrict);
  EXPECT_EQ(knobs.protection.checks.at(dp::Check::kIpv6), CheckAction::kDrop);
  EXPECT_EQ(knobs.protection.checks.at(dp::Check::kTcpMss), CheckAction::kPass);
  EXPECT_EQ(knobs.limits.at(Limit::kTowardBytes), 250000u);
  EXPECT_EQ(knobs.limits.at(Limit::kFromPackets), 1000u);
  EXPECT_EQ(knobs.limits.at(Limit::kMaxHalfOpen), 8u);
  EXPECT_FALSE(knobs.limits.contains(Limit::kFromBytes));
  EXPECT_EQ(parsed.devices.at(0).knobs, knobs);
}

TEST(KnobDocuments, NameEveryFaultWithItsPathAndWhatWouldBeRight) {
  const auto faults = Faults(Parse(R"(kind: Device
name: d
protection: paranoid
checks: {ipv7: drop, ipv6: maybe}
limits: {toward: {packets_per_second: -1, jumbo: 1}, max_flows: many}
)"));
  EXPECT_THAT(faults,
              ElementsAre(HasSubstr("p.yaml:3: protection: "), HasSubstr("p.yaml:4: checks.ipv6: "),
                          HasSubstr("p.yaml:4: checks: unknown key 'ipv7'"),
                          HasSubstr("p.yaml:5: limits.toward.packets_per_second: "),
                          HasSubstr("p.yaml:5: limits.toward: unknown key 'jumbo'"),
                          HasSubstr("p.yaml:5: limits.max_flows: ")));
}

TEST(KnobDocuments, ReadGuardsOfPairsAndTheProtectionOfAGateway) {
  const ParsedDocuments parsed = Parse(R"(kind: Gateway
name: g
pairs:
  - name: ward
    guards:
      ethertypes: [lldp, ptp, 0x88f8]
      dhcp_servers: [10.20.0.67]
      arp_per_second: 20
      group_per_second: 50
  - name: spare
protection: "off"
)");
  EXPECT_THAT(Faults(parsed), IsEmpty());
  const GatewayConfig& gateway = parsed.gateways.at(0);
  EXPECT_THAT(gateway.guards.at("ward").ethertypes, ElementsAre(0x88cc, 0x88f7, 0x88f8));
  EXPECT_EQ(gateway.guards.at("ward").dhcp_servers.at(0), dp::ParseIp("10.20.0.67"));
  EXPECT_EQ(gateway.guards.at("ward").group_per_second, 50u);
  EXPECT_FALSE(gateway.guards.contains("spare"));
  EXPECT_EQ(gateway.protection.level, dp::Protection::kOff);
}

TEST(KnobDocuments, RefuseGuardsThatAreNone) {
  const auto faults = Faults(
      Parse("kind: Gateway\nname: g\npairs: [{name: w, guards: {ethertypes: [ipx, lldp, lldp], "
            "dhcp_servers: [dhcp], arp_per_second: 9999999}}]\n"));
  EXPECT_THAT(faults, SizeIs(4));
  EXPECT_THAT(faults[0], HasSubstr("pairs[0].guards.ethertypes[0]: 'ipx' is not eapol, lldp"));
  EXPECT_THAT(faults[1], HasSubstr("'lldp' is listed twice"));
}

TEST(KnobDocuments, ReadProtocolsByNameAndNumber) {
  const auto protocol = [](const std::string& text) {
    const ParsedDocuments parsed = Parse(Rule("initiator: device, peer: any, protocol: " + text));
    return parsed.profiles.at(0).rules.at(0);
  };
  EXPECT_EQ(protocol("igmp").protocol, RuleProtocol::kNumber);
  EXPECT_EQ(protocol("igmp").protocol_number, 2);
  EXPECT_EQ(protocol("47").protocol_number, 47);
  EXPECT_EQ(protocol("udp").protocol_number, 0);
  EXPECT_THAT(Faults(Parse(Rule("initiator: device, peer: any, protocol: 256"))), SizeIs(1));
  EXPECT_THAT(Faults(Parse(Rule("initiator: device, peer: any, protocol: gre"))), SizeIs(1));
}

TEST(KnobDocuments, ReadWhenARuleExpires) {
  const ParsedDocuments parsed = Parse(
      Rule("initiator: device, peer: any, protocol: tcp, expires_at: '2026-12-24T18:00:00Z'"));
  EXPECT_THAT(Faults(parsed), IsEmpty());
  EXPECT_EQ(parsed.profiles.at(0).rules.at(0).expires_at, 1'798'135'200);
  EXPECT_THAT(
      Faults(Parse(Rule("initiator: device, peer: any, protocol: tcp, expires_at: tomorrow"))),
      ElementsAre(HasSubstr("RFC 3339")));
}

TEST(Instant, IsReadInEveryZoneAndOnlyIfItIsOne) {
  EXPECT_EQ(ParseInstant("2026-12-24T19:30:00+01:30"), 1'798'135'200);
  EXPECT_EQ(ParseInstant("2026-12-24T13:00:00-05:00"), 1'798'135'200);
  EXPECT_EQ(FormatInstant(1'798'135'200), "2026-12-24T18:00:00Z");
  for (const char* text :
       {"", "2026-12-24", "2026-12-24T18:00:00", "2026-02-30T00:00:00Z", "2026-12-24T24:00:00Z",
        "2026-12-24T18:00:00Zx", "1969-12-31T00:00:00Z", "2026-12-24T18:00:00+1:00"}) {
    EXPECT_EQ(ParseInstant(text), std::nullopt) << text;
  }
}

TEST(KnobDocuments, ReadAPresetWhichSaysTheRestItself) {
  const ParsedDocuments parsed = Parse(Rule("preset: mdns, peer: [10.0.0.0/8], keep_alive: true"));
  EXPECT_THAT(Faults(parsed), IsEmpty());
  EXPECT_EQ(parsed.profiles.at(0).rules.at(0).preset, "mdns");
  EXPECT_THAT(Faults(Parse(Rule("preset: mdns, peer: any, peer_ports: [5353]"))),
              ElementsAre(HasSubstr("unknown key 'peer_ports'")));
}

constexpr char kOverlay[] = R"(kind: Overlay
name: no-smb
description: emergency of today
rules:
  - id: smb
    peer: any
    protocol: tcp
    ports: [445, "137-139"]
    reason: a worm spreads by SMB
)";

TEST(OverlayDocuments, AreReadWrittenAndMerged) {
  const ParsedDocuments parsed = Parse(kOverlay);
  EXPECT_THAT(Faults(parsed), IsEmpty());
  ASSERT_THAT(parsed.overlays, SizeIs(1));
  EXPECT_THAT(parsed.overlays[0].rules.at(0).ports, SizeIs(2));
  EXPECT_EQ(Parse(ToYaml(parsed.overlays[0])).overlays.at(0), parsed.overlays[0]);
  EXPECT_EQ(Merge({}, parsed).overlays.at("no-smb"), parsed.overlays[0]);
  EXPECT_EQ(parsed.places.at("Overlay no-smb rules[0]"), "p.yaml:5");
}

TEST(OverlayDocuments, HaveNoInitiatorAndNeedAReason) {
  EXPECT_THAT(Faults(Parse("kind: Overlay\nname: o\nrules:\n  - {id: a, peer: any, protocol: tcp, "
                           "initiator: device}\n")),
              ElementsAre(HasSubstr("no reason"), HasSubstr("unknown key 'initiator'")));
}

TEST(ToYaml, RoundTripKeepsEveryKnob) {
  const ParsedDocuments once = Parse(
      std::string("kind: Profile\nname: p\nrules: []") + kKnobs + "---\nkind: Device\nname: d" +
      kKnobs + "---\nkind: Gateway\nname: g\nprotection: \"off\"\nchecks: {ipv6: drop}\n" +
      "pairs: [{name: w, guards: {ethertypes: [], dhcp_servers: [10.0.0.1], "
      "group_per_second: 5}}]\n---\n" +
      Rule("preset: dhcp, peer: 10.0.0.1, log: true"));
  const ParsedDocuments twice =
      Parse(ToYaml(once.profiles.at(0)) + "---\n" + ToYaml(once.devices.at(0)) + "---\n" +
            ToYaml(once.gateways.at(0)));
  EXPECT_THAT(Faults(twice), IsEmpty());
  EXPECT_EQ(twice.profiles.at(0), once.profiles.at(0));
  EXPECT_EQ(twice.devices.at(0), once.devices.at(0));
  EXPECT_EQ(twice.gateways.at(0), once.gateways.at(0));
  EXPECT_EQ(Parse(ToYaml(once.profiles.at(1))).profiles.at(0), once.profiles.at(1));
}

}  // namespace
}  // namespace cordon::cp

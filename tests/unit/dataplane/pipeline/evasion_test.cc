// SPDX-License-Identifier: Apache-2.0
// What somebody who knows how the gateway decides would try, and must not get.
#include <gtest/gtest.h>

#include "tests/support/gateway.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

using namespace tcp_flag;
constexpr Initiator kOut = Initiator::kDevice, kIn = Initiator::kPeer;
constexpr Side kDevice = Side::kDevice, kNetwork = Side::kNetwork;

const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
const Station kCt{Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}};
const Station kServer{Mac("0a:00:00:00:00:09"), Ip("10.0.0.9"), {}};
const MacAddress kGroupMac = Mac("01:00:5e:00:00:01");

FrameBuilder Out() {
  return FrameBuilder().FromDevice(kPump).DestinationMac(kServer.mac).To(kServer.ip);
}
FrameBuilder In() {
  return FrameBuilder().FromDevice(kServer).DestinationMac(kPump.mac).To(kPump.ip);
}

class Evasion : public ::testing::Test {
 protected:
  void Enforce(std::initializer_list<Allow> rules, Mode mode_of_ct = Mode::kEnforce) {
    gateway_.Enforce(Policy().Rules(rules).Device("pump", kPump).Device("ct", kCt, mode_of_ct));
  }
  // The reason of a drop; "forward" or "audit" if there was none.
  std::string Fate(Side side, const FrameBuilder& frame) {
    const Decision decision = gateway_.Send(side, frame);
    return std::string(decision.verdict == Verdict::kDrop ? ToString(decision.reason)
                                                          : ToString(decision.verdict));
  }
  TestGateway gateway_;
};

TEST_F(Evasion, RedirectAndSourceQuenchAreNoErrorsOfAFlow) {
  Enforce({Allow(kOut, RuleProtocol::kUdp, "10.0.0.9").PeerPort(5000)});
  ASSERT_EQ(Fate(kDevice, Out().Udp(40000, 5000)), "forward");
  const FrameBuilder sent = Out().Udp(40000, 5000);
  EXPECT_EQ(Fate(kNetwork, In().IcmpError(5, 1, sent)), "icmp_type_not_named");
  EXPECT_EQ(Fate(kNetwork, In().IcmpError(4, 0, sent)), "icmp_type_not_named");
  EXPECT_EQ(Fate(kNetwork, In().IcmpError(3, 4, sent)), "forward") << "path MTU discovery";
}

// R090: what an FTP client says on its connection opens nothing
TEST_F(Evasion, AnFtpPortCommandOpensNoConnectionOfTheServer) {
  Enforce({Allow(kOut, RuleProtocol::kTcp, "10.0.0.9").PeerPort(21)});
  ASSERT_EQ(Fate(kDevice, Out().Tcp(40000, 21).Sequence(100)), "forward");
  ASSERT_EQ(Fate(kNetwork, In().Tcp(21, 40000, kSyn | kAck).Sequence(900, 101)), "forward");
  ASSERT_EQ(Fate(kDevice, Out().Tcp(40000, 21, kAck).Sequence(101, 901)), "forward");
  const FrameBuilder command =
      Out().Tcp(40000, 21, kAck | kPsh).Sequence(101, 901).Payload("PORT 10,0,0,1,195,80\r\n");
  ASSERT_EQ(Fate(kDevice, command), "forward");
  EXPECT_EQ(Fate(kNetwork, In().Tcp(20, 50000)), "no_rule");
  EXPECT_EQ(Fate(kNetwork, In().Tcp(1024, 50000)), "no_rule");
}

TEST_F(Evasion, RedirectAndSourceQuenchPassOnlyByRulesThatNameThem) {
  Enforce({Allow(kIn, RuleProtocol::kIcmp, "any"), Allow(kIn, RuleProtocol::kAny, "any"),
           Allow(kIn, RuleProtocol::kIcmp, "any").IcmpType(5)});
  EXPECT_EQ(Fate(kNetwork, In().Icmp(8, 0)), "forward");
  EXPECT_EQ(Fate(kNetwork, In().Icmp(4, 0)), "icmp_type_not_named");
  EXPECT_EQ(Fate(kNetwork, In().Icmp(5, 1)), "forward");
}

TEST_F(Evasion, Icmpv6RedirectNeverPasses) {
  const Station pump{kPump.mac, Ip("fd00::1"), {}};
  const FrameBuilder redirect = FrameBuilder()
                                    .FromDevice({kServer.mac, Ip("fe80::9"), {}})
                                    .DestinationMac(pump.mac)
                                    .To(pump.ip)
                                    .HopLimit(255)
                                    .Icmp(137, 0);
  Policy any, named;
  gateway_.Enforce(any.Rules({Allow(kIn, RuleProtocol::kIcmpv6, "any")}).Device("pump", pump));
  EXPECT_EQ(Fate(kNetwork, redirect), "nd_redirect");
  gateway_.Enforce(named.Generation(2)
                       .Rules({Allow(kIn, RuleProtocol::kIcmpv6, "any").IcmpType(137)})
                       .Device("pump", pump));
  EXPECT_EQ(Fate(kNetwork, redirect), "nd_redirect");
}

// The CT observes; nobody may hide behind that.
// R088: what RFC 4890 4.3 drops, no rule lets pass that does not name it
TEST_F(Evasion, Icmpv6TypesWithoutUseForDevicesMustBeNamed) {
  const Station pump{kPump.mac, Ip("fd00::1"), {}};
  gateway_.Enforce(Policy().Rules({Allow(kIn, RuleProtocol::kIcmpv6, "any")}).Device("pump", pump));
  const FrameBuilder in =
      FrameBuilder().SourceMac(kServer.mac).DestinationMac(kPump.mac).From("fd00::9").To("fd00::1");
  EXPECT_EQ(Fate(kNetwork, FrameBuilder(in).Icmp(128, 0)), "forward");
  for (const uint8_t type : {100, 101, 127, 138, 139, 140, 200, 201, 255}) {
    EXPECT_EQ(Fate(kNetwork, FrameBuilder(in).Icmp(type, 0)), "icmp_type_not_named") << int{type};
  }
}

TEST_F(Evasion, GroupSourceMacDoesNotBorrowTheModeOfAnObservedDevice) {
  Enforce({}, Mode::kObserve);
  EXPECT_EQ(Fate(kDevice, Out().SourceMac(kGroupMac).Udp(1, 2)), "source_mac_invalid");
  EXPECT_EQ(Fate(kNetwork, In().SourceMac(kGroupMac).DestinationMac(kCt.mac).Udp(1, 2)),
            "source_mac_invalid");
}

TEST_F(Evasion, ReservedVlanDoesNotBorrowTheModeOfAnObservedDevice) {
  Enforce({}, Mode::kObserve);
  const FrameBuilder frame = Out().SourceMac(kCt.mac).From(kCt.ip).Udp(1, 2);
  EXPECT_EQ(Fate(kDevice, FrameBuilder(frame).Tag(0x8100, 4095)), "vlan_id_reserved");
  EXPECT_EQ(Fate(kDevice, FrameBuilder(frame).Tag(0x8100, 0).Tag(0x8100, 100)), "vlan_id_reserved");
  EXPECT_EQ(Fate(kDevice, frame), "forward");
}

// Else a reply with a known tuple would teach the ward's switch that the CT is somewhere else.
TEST_F(Evasion, LiveFlowCarriesNoFrameWithAnotherDevicesMac) {
  Enforce({Allow(kOut, RuleProtocol::kUdp, "10.0.0.9").PeerPort(5000)});
  ASSERT_EQ(Fate(kDevice, Out().Udp(40000, 5000)), "forward");
  EXPECT_EQ(Fate(kNetwork, In().SourceMac(kCt.mac).Udp(5000, 40000)), "device_mac_on_network_side");
  EXPECT_EQ(Fate(kNetwork, In().SourceMac(kCt.mac).IcmpError(3, 4, Out().Udp(40000, 5000))),
            "device_mac_on_network_side");
  EXPECT_EQ(Fate(kNetwork, In().Udp(5000, 40000)), "forward");
}

TEST_F(Evasion, IcmpErrorOfAFlowMayNotClaimADevicesAddress) {
  Enforce({Allow(kOut, RuleProtocol::kUdp, "10.0.0.9").PeerPort(5000)});
  ASSERT_EQ(Fate(kDevice, Out().Udp(40000, 5000)), "forward");
  const FrameBuilder sent = Out().Udp(40000, 5000);
  EXPECT_EQ(Fate(kNetwork, In().From(kCt.ip).IcmpError(3, 4, sent)), "device_mac_on_network_side");
  EXPECT_EQ(Fate(kNetwork, In().From("10.0.0.254").IcmpError(3, 4, sent)), "forward");
}

TEST_F(Evasion, AnnouncementsDoNotEnterAVlanWithoutDevices) {
  Enforce({});
  const auto arp = FrameBuilder().FromDevice(kServer).DestinationMac(MacAddress::Broadcast());
  const auto gratuitous = FrameBuilder(arp).ArpRequest("10.0.0.9", "10.0.0.9");
  EXPECT_EQ(Fate(kNetwork, gratuitous), "forward");
  EXPECT_EQ(Fate(kNetwork, FrameBuilder(gratuitous).Vlan(99)), "arp_target_not_bound");
  const auto advertised = FrameBuilder()
                              .FromDevice({kServer.mac, Ip("fe80::9"), {}})
                              .DestinationMac(Mac("33:33:00:00:00:01"))
                              .To("ff02::1")
                              .NeighbourAdvertisement("fe80::9");
  EXPECT_EQ(Fate(kNetwork, advertised), "forward");
  EXPECT_EQ(Fate(kNetwork, FrameBuilder(advertised).Vlan(99)), "nd_not_bound");
}

// The pump's MAC is 02:00:00:00:00:01, so it calls itself fe80::ff:fe00:1.
TEST_F(Evasion, NobodyElseAdvertisesTheLinkLocalAddressOfADevice) {
  Enforce({});
  const auto from = [](std::string_view source) {
    return FrameBuilder()
        .FromDevice({kServer.mac, Ip(source), {}})
        .DestinationMac(Mac("33:33:00:00:00:01"))
        .To("ff02::1");
  };
  EXPECT_EQ(Fate(kNetwork, from("fe80::9").NeighbourAdvertisement("fe80::ff:fe00:1")),
            "nd_not_bound");
  EXPECT_EQ(Fate(kNetwork, from("fe80::ff:fe00:1").NeighbourAdvertisement("fe80::9")),
            "nd_not_bound");
  EXPECT_EQ(Fate(kNetwork, from("fe80::9").NeighbourAdvertisement("fe80::ff:fe00:9")), "forward");
}

}  // namespace
}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// DHCP and DHCPv6: who may say what, and whose an address is after it was leased.
#include "tests/unit/dataplane/pipeline/guard_fixture.h"

namespace cordon::dp::testing {
namespace {

const Station kNew{Mac("02:00:00:00:00:05"), {}, {}};  // the inventory binds it to no address
const Station kNew2{Mac("02:00:00:00:00:06"), {}, {}};
const Station kLeased{kNew.mac, Ip("10.0.0.50"), {}};

class DhcpGuard : public GuardTest {
 protected:
  DhcpGuard() { gateway_.Enforce(Everybody(2)); }
  static Policy Everybody(uint64_t generation) {
    return AllowAll().Generation(generation).Device("new", kNew).Device("new-2", kNew2);
  }
  static FrameBuilder Asks(const Station& device, const DhcpMessage& message) {
    return FrameBuilder()
        .SourceMac(device.mac)
        .DestinationMac(MacAddress::Broadcast())
        .From("0.0.0.0")
        .To("255.255.255.255")
        .Udp(68, 67)
        .Payload(DhcpMessage(message).Client(device.mac).Build());
  }
  static FrameBuilder Answers(const Station& device, const DhcpMessage& message) {
    return FrameBuilder()
        .FromDevice(kServer)
        .DestinationMac(device.mac)
        .To("255.255.255.255")
        .Udp(67, 68)
        .Payload(DhcpMessage(message).Client(device.mac).Build());
  }
  static FrameBuilder Asks6(const Station& device, const Dhcpv6Message& message) {
    return FrameBuilder()
        .SourceMac(device.mac)
        .DestinationMac(Mac("33:33:00:01:00:02"))
        .From("fe80::5")
        .To("ff02::1:2")
        .Udp(546, 547)
        .Payload(message.Build());
  }
  static FrameBuilder Answers6(const Station& device, const Dhcpv6Message& message) {
    return FrameBuilder()
        .SourceMac(kServer.mac)
        .DestinationMac(device.mac)
        .From("fe80::9")
        .To("fe80::5")
        .Udp(547, 546)
        .Payload(message.Build());
  }
  static DhcpMessage Request(uint32_t transaction = 7) {
    return DhcpMessage(dhcp_type::kRequest).Transaction(transaction);
  }
  static DhcpMessage Ack(std::string_view ip, uint32_t transaction = 7) {
    return DhcpMessage(dhcp_type::kAck).Transaction(transaction).Gives(ip).Lease(3600);
  }
  // The device asks and is given the address.
  void Lease(const Station& device, std::string_view ip) {
    EXPECT_TRUE(Forwards(kDevice, Asks(device, Request())));
    EXPECT_TRUE(Forwards(kNetwork, Answers(device, Ack(ip))));
    gateway_.Advance(kMillisecond);
  }
  static FrameBuilder Says(const Station& device, std::string_view ip) {
    return Out({device.mac, Ip(ip), {}});
  }
};

// R060
TEST_F(DhcpGuard, ADeviceIsNoServer) {
  const Bytes offer = DhcpMessage(dhcp_type::kOffer).Client(kCt.mac).Gives("10.0.0.66").Build();
  const FrameBuilder from_pump = Out().DestinationMac(MacAddress::Broadcast()).Payload(offer);
  EXPECT_TRUE(Drops(kDevice, FrameBuilder(from_pump).To("255.255.255.255").Udp(67, 68),
                    Reason::kDhcpServerOnDeviceSide));
  EXPECT_TRUE(Drops(kDevice, FrameBuilder(from_pump).To("255.255.255.255").Udp(68, 67),
                    Reason::kDhcpServerOnDeviceSide));
  const FrameBuilder from_pump6 = Out(kPump6).Udp(547, 546);
  for (const uint8_t type : {dhcpv6_type::kAdvertise, dhcpv6_type::kReply,
                             dhcpv6_type::kReconfigure, dhcpv6_type::kRelayReply}) {
    EXPECT_TRUE(Drops(kDevice, FrameBuilder(from_pump6).Payload(Dhcpv6Message(type).Build()),
                      Reason::kDhcpServerOnDeviceSide));
  }
}

// R060
TEST_F(DhcpGuard, AClientSpeaksForItselfFromItsOwnPort) {
  const DhcpMessage discover(dhcp_type::kDiscover);
  EXPECT_TRUE(Forwards(kDevice, Asks(kNew, discover)));
  const Bytes of_another = DhcpMessage(discover).Client(kCt.mac).Build();
  EXPECT_TRUE(Drops(kDevice, Asks(kNew, discover).Payload(of_another), Reason::kDhcpClientMac));
  EXPECT_TRUE(Drops(
      kDevice,
      Says(kPump, "10.0.0.1").Udp(69, 67).Payload(DhcpMessage(discover).Client(kPump.mac).Build()),
      Reason::kDhcpPorts));
  EXPECT_TRUE(
      Drops(kDevice, Asks(kNew, DhcpMessage(discover).Relay("10.0.0.5")), Reason::kDhcpRelay));
  EXPECT_TRUE(
      Drops(kDevice, Asks6(kNew, Dhcpv6Message(dhcpv6_type::kRelayForward)), Reason::kDhcpRelay));
}

// R060
TEST_F(DhcpGuard, OnlyListedServersAnswerIfSomeAreListed) {
  Policy policy = Everybody(3);
  policy.spec().guards = {GuardSpec{}};
  policy.spec().guards[0].dhcp_servers = {kServer.ip};
  gateway_.Enforce(policy);
  EXPECT_TRUE(Forwards(kNetwork, Answers(kNew, Ack("10.0.0.50"))));
  EXPECT_TRUE(Drops(kNetwork, Answers(kNew, Ack("10.0.0.50")).From("10.0.0.66"),
                    Reason::kDhcpServerNotListed));
  EXPECT_TRUE(Forwards(kNetwork, Answers6(kNew, Dhcpv6Message(dhcpv6_type::kReply))))
      << "no DHCPv6 server is listed";
}

// R060
TEST_F(DhcpGuard, AServerAnswersTheDeviceAndFromItsOwnPort) {
  EXPECT_TRUE(Drops(kNetwork, Answers(kNew, Ack("10.0.0.50")).DestinationMac(kCt.mac),
                    Reason::kDhcpClientMac));
  EXPECT_TRUE(Drops(kNetwork, Answers(kNew, Ack("10.0.0.50")).Udp(66, 68), Reason::kDhcpPorts));
  EXPECT_TRUE(Drops(kNetwork, Answers(kNew, Request()), Reason::kDhcpPorts));
  EXPECT_TRUE(
      Drops(kNetwork, Answers(kNew, DhcpMessage(dhcp_type::kForceRenew)), Reason::kDhcpSummons));
  EXPECT_TRUE(Drops(kNetwork, Answers6(kNew, Dhcpv6Message(dhcpv6_type::kReconfigure)),
                    Reason::kDhcpSummons));
  EXPECT_TRUE(
      Drops(kNetwork, Answers(kNew, Request()).Udp(68, 67), Reason::kDhcpClientOnNetworkSide));
}

// R060
TEST_F(DhcpGuard, ABroadcastAnswerIsForADeviceOfThePair) {
  const auto broadcast = [](const Station& station) {
    return Answers(station, Ack("10.0.0.50")).DestinationMac(MacAddress::Broadcast());
  };
  EXPECT_TRUE(Forwards(kNetwork, broadcast(kNew)));
  EXPECT_TRUE(Drops(kNetwork, broadcast(kStranger), Reason::kDhcpClientMac));
}

// R061
TEST_F(DhcpGuard, RefusesOptionsThatDoNotFitUnlessTheDeviceTakesThem) {
  const FrameBuilder bad = Answers(kNew, Ack("10.0.0.50").Option(3, Bytes(6)));
  EXPECT_TRUE(Drops(kNetwork, bad, Reason::kDhcpOption));
  EXPECT_TRUE(
      Drops(kNetwork, Answers(kNew, Ack("10.0.0.50").WithoutEnd()), Reason::kDhcpMalformed));
}

// R062
TEST_F(DhcpGuard, ADeviceUsesTheAddressThatItWasLeasedAndNoOther) {
  EXPECT_TRUE(Forwards(kDevice, Says(kNew, "10.0.0.77"))) << "before a lease was seen";
  Lease(kNew, "10.0.0.50");
  EXPECT_TRUE(Forwards(kDevice, Says(kNew, "10.0.0.50")));
  EXPECT_TRUE(Drops(kDevice, Says(kNew, "10.0.0.51"), Reason::kSourceNotBound));
  EXPECT_TRUE(Drops(kDevice, Says(kNew2, "10.0.0.50"), Reason::kSourceNotBound));
  EXPECT_TRUE(Forwards(kNetwork, In(kLeased).Udp(9)));
  EXPECT_TRUE(
      Drops(kNetwork, In({kNew.mac, Ip("10.0.0.51"), {}}).Udp(9), Reason::kDestinationNotBound));
  EXPECT_EQ(gateway_.counters().leases.Get(), 1u);
}

// R062, R055
TEST_F(DhcpGuard, ArpAndGroupsKnowLeasedAddresses) {
  Lease(kNew, "10.0.0.50");
  EXPECT_TRUE(Drops(kDevice, Says(kNew2, "10.0.0.60").ArpReply("10.0.0.50", "10.0.0.9"),
                    Reason::kArpSenderNotBound));
  EXPECT_TRUE(Drops(kNetwork, In().ArpReply("10.0.0.50", "10.0.0.1"), Reason::kArpSenderNotBound));
  EXPECT_TRUE(Forwards(kDevice, Says(kNew, "10.0.0.50").ArpReply("10.0.0.50", "10.0.0.9"),
                       Reason::kArpGuard));
  EXPECT_TRUE(Drops(kNetwork, In().From("10.0.0.50").Udp(9), Reason::kDeviceMacOnNetworkSide));
}

// R062
TEST_F(DhcpGuard, ALeaseOutlivesAPolicyAndEndsWithItsTime) {
  Lease(kNew, "10.0.0.50");
  gateway_.Enforce(Everybody(3));
  EXPECT_TRUE(Drops(kDevice, Says(kNew, "10.0.0.51"), Reason::kSourceNotBound));
  gateway_.Advance(3601 * kSecond);
  EXPECT_TRUE(Forwards(kDevice, Says(kNew, "10.0.0.51")));
}

// R062
TEST_F(DhcpGuard, OnlyTheAnswerToItsOwnQuestionBindsADevice) {
  EXPECT_TRUE(Forwards(kNetwork, Answers(kNew, Ack("10.0.0.66")))) << "nobody had asked";
  EXPECT_TRUE(Forwards(kDevice, Asks(kNew, Request(8))));
  EXPECT_TRUE(Forwards(kNetwork, Answers(kNew, Ack("10.0.0.66", 9)))) << "of another question";
  gateway_.Advance(kMillisecond);
  EXPECT_TRUE(Forwards(kDevice, Says(kNew, "10.0.0.50")));
  EXPECT_EQ(gateway_.counters().leases.Get(), 0u);
}

// R062: what a rule refuses has given the device nothing
TEST_F(DhcpGuard, AnAnswerThatDoesNotPassTeachesNothing) {
  gateway_.Enforce(
      Policy().Generation(3).Rules({Allow(kOut, RuleProtocol::kUdp, "any")}).Device("new", kNew));
  EXPECT_TRUE(Forwards(kDevice, Asks(kNew, Request())));
  EXPECT_TRUE(Drops(kNetwork, Answers(kNew, Ack("10.0.0.50")), Reason::kNoRule));
  gateway_.Advance(kMillisecond);
  EXPECT_TRUE(Forwards(kDevice, Says(kNew, "10.0.0.77")));
}

// R062
TEST_F(DhcpGuard, NobodyIsGivenTheAddressOfAnother) {
  Lease(kNew, "10.0.0.50");
  EXPECT_TRUE(Forwards(kDevice, Asks(kNew2, Request())));
  EXPECT_TRUE(Drops(kNetwork, Answers(kNew2, Ack("10.0.0.50")), Reason::kDhcpAddressTaken));
  EXPECT_TRUE(Drops(kNetwork, Answers(kNew2, Ack("10.0.0.1")), Reason::kDhcpAddressTaken));
  EXPECT_TRUE(Drops(kNetwork, Answers(kPump, Ack("10.0.0.60")), Reason::kDhcpAddressTaken))
      << "the inventory binds the pump to another address";
  EXPECT_TRUE(Forwards(kNetwork, Answers(kPump, Ack("10.0.0.1"))));
}

// R062
TEST_F(DhcpGuard, AReleasedAddressMayGoToAnother) {
  Lease(kNew, "10.0.0.50");
  const FrameBuilder release =
      Says(kNew, "10.0.0.50")
          .Udp(68, 67)
          .Payload(DhcpMessage(dhcp_type::kRelease).Client(kNew.mac).Build());
  EXPECT_TRUE(Forwards(kDevice, release));
  Lease(kNew2, "10.0.0.50");
  EXPECT_TRUE(Forwards(kDevice, Says(kNew2, "10.0.0.50")));
  EXPECT_TRUE(Drops(kDevice, Says(kNew, "10.0.0.50").Tcp(80), Reason::kSourceNotBound));
}

// R062: DHCPv6; link-local addresses are the device's own beside the lease
TEST_F(DhcpGuard, ADhcpv6LeaseBindsTheAddressOfItsFamily) {
  EXPECT_TRUE(Forwards(kDevice, Asks6(kNew, Dhcpv6Message(dhcpv6_type::kRequest).Transaction(5))));
  EXPECT_TRUE(Forwards(
      kNetwork,
      Answers6(kNew, Dhcpv6Message(dhcpv6_type::kReply).Transaction(5).Gives("fd00::50"))));
  gateway_.Advance(kMillisecond);
  EXPECT_TRUE(Forwards(kDevice, Says(kNew, "fd00::50")));
  EXPECT_TRUE(Drops(kDevice, Says(kNew, "fd00::51"), Reason::kSourceNotBound));
  EXPECT_TRUE(Drops(kDevice, Says(kNew2, "fd00::50"), Reason::kSourceNotBound));
  EXPECT_TRUE(Forwards(kDevice, Says(kNew, "10.0.0.77"))) << "no lease of IPv4";
  EXPECT_TRUE(Forwards(kDevice, Says(kNew, "fe80::5").To("ff02::fb").Udp(5353)));
}

// R062: the result does not depend on how frames fall into bursts
TEST_F(DhcpGuard, ALeaseCountsFromTheNextMomentOn) {
  EXPECT_TRUE(Forwards(kDevice, Asks(kNew, Request())));
  const Bytes other = In({kNew.mac, Ip("10.0.0.51"), {}}).Udp(9).Build();
  const auto decisions =
      gateway_.SendBurst(kNetwork, {Answers(kNew, Ack("10.0.0.50")).Build(), other});
  EXPECT_EQ(decisions[1].verdict, Verdict::kForward);
  EXPECT_TRUE(Forwards(kNetwork, FrameBuilder(In({kNew.mac, Ip("10.0.0.52"), {}})).Udp(9)));
  gateway_.Advance(1);
  EXPECT_TRUE(
      Drops(kNetwork, In({kNew.mac, Ip("10.0.0.53"), {}}).Udp(9), Reason::kDestinationNotBound));
}

}  // namespace
}  // namespace cordon::dp::testing

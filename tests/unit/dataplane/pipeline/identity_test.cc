// SPDX-License-Identifier: Apache-2.0
// Who may send what in whose name: MAC, bound addresses, groups, ARP and neighbour discovery.
#include <gtest/gtest.h>

#include "dataplane/pipeline/pipeline.h"
#include "tests/support/dhcp_builder.h"
#include "tests/support/gateway.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

constexpr Initiator kOut = Initiator::kDevice, kIn = Initiator::kPeer;
constexpr Side kDevice = Side::kDevice, kNetwork = Side::kNetwork;
const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
const Station kCt{Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}};
const Station kPump6{kPump.mac, Ip("fd00::1"), {}};
const Station kServer{Mac("0a:00:00:00:00:09"), Ip("10.0.0.9"), {}};
const Station kServer6{kServer.mac, Ip("fd00::9"), {}};
const Station kStranger{Mac("02:00:00:00:00:77"), Ip("10.0.0.77"), {}};

FrameBuilder Out(const Station& device = kPump) {
  return FrameBuilder()
      .FromDevice(device)
      .DestinationMac(kServer.mac)
      .To(device.ip.IsV4() ? kServer.ip : kServer6.ip);
}
FrameBuilder In(const Station& device = kPump) {
  return FrameBuilder().FromDevice(device.ip.IsV4() ? kServer : kServer6).ToDevice(device);
}
Policy AllowAll(Mode mode = Mode::kEnforce) {
  Policy policy;
  policy.Rules({Allow(kOut, RuleProtocol::kAny, "any"), Allow(kIn, RuleProtocol::kAny, "any")})
      .Device("pump", kPump, mode)
      .Device("ct", kCt);
  policy.spec().devices[0].ips.push_back(kPump6.ip);
  return policy;
}
::testing::AssertionResult Is(const Decision& decision, Verdict verdict, Reason reason) {
  if (decision.verdict == verdict && decision.reason == reason) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << ToString(decision.verdict) << "/" << ToString(decision.reason);
}

class IdentityTest : public ::testing::Test {
 protected:
  IdentityTest() { gateway_.Enforce(AllowAll()); }
  ::testing::AssertionResult Forwards(Side side, const FrameBuilder& frame,
                                      Reason reason = Reason::kRule) {
    return Is(gateway_.Send(side, frame), Verdict::kForward, reason);
  }
  ::testing::AssertionResult Drops(Side side, const FrameBuilder& frame, Reason reason) {
    return Is(gateway_.Send(side, frame), Verdict::kDrop, reason);
  }
  TestGateway gateway_;
};
using Identity = IdentityTest;
using Binding = IdentityTest;
using Group = IdentityTest;
using ArpGuard = IdentityTest;
using NdGuard = IdentityTest;

TEST_F(Identity, AnUnknownDeviceIsDroppedOnBothSides) {
  EXPECT_TRUE(Drops(kDevice, Out(kStranger), Reason::kUnknownDevice));
  EXPECT_TRUE(Drops(kNetwork, In(kStranger), Reason::kUnknownDevice));
  EXPECT_TRUE(Drops(kDevice, Out().Vlan(30), Reason::kUnknownDevice));
}

TEST_F(Identity, AnUnknownDeviceGetsItsRulesIfThereAreSome) {
  gateway_.Enforce(Policy()
                       .Generation(2)
                       .Device("pump", kPump)
                       .Rules({Allow(kOut, RuleProtocol::kUdp, "any").PeerPort(53)})
                       .UnknownDevices());
  EXPECT_TRUE(Forwards(kDevice, Out(kStranger).Udp(53)));
  EXPECT_TRUE(Drops(kDevice, Out(kStranger).Udp(80), Reason::kNoRule));
  EXPECT_TRUE(Drops(kDevice, Out(kStranger).From(kPump.ip).Udp(53), Reason::kSourceNotBound));
}

TEST_F(Identity, ADeviceBehindARouterIsKnownByItsAddress) {
  gateway_.Enforce(Policy()
                       .Generation(2)
                       .Rules({Allow(kOut, RuleProtocol::kUdp, "any")})
                       .Device("far", {{}, Ip("10.5.0.1"), {}}));
  EXPECT_TRUE(Forwards(kDevice, Out(kStranger).From("10.5.0.1")));
  EXPECT_TRUE(Drops(kDevice, Out(kStranger).From("10.5.0.2"), Reason::kUnknownDevice));
}

TEST_F(Identity, ADevicesMacOrAddressCannotComeFromTheNetwork) {
  EXPECT_TRUE(Drops(kNetwork, In().SourceMac(kCt.mac), Reason::kDeviceMacOnNetworkSide));
  EXPECT_TRUE(Drops(kNetwork, In().From(kCt.ip), Reason::kDeviceMacOnNetworkSide));
}

// R015
TEST_F(Binding, ASourceThatIsNotBoundIsSpoofed) {
  EXPECT_TRUE(Forwards(kDevice, Out()));
  EXPECT_TRUE(Drops(kDevice, Out().From("10.0.0.50"), Reason::kSourceNotBound));
  EXPECT_TRUE(Drops(kDevice, Out().From(kCt.ip), Reason::kSourceNotBound));
  EXPECT_TRUE(Drops(kNetwork, In().To("10.0.0.50"), Reason::kDestinationNotBound));
}

TEST_F(Binding, DhcpStartsWithoutAnAddress) {
  const Bytes discover = DhcpMessage(dhcp_type::kDiscover).Client(kPump.mac).Build();
  const Bytes offer = DhcpMessage(dhcp_type::kOffer).Client(kPump.mac).Build();
  EXPECT_TRUE(
      Forwards(kDevice, Out().From("0.0.0.0").To("255.255.255.255").Udp(68, 67).Payload(discover)));
  EXPECT_TRUE(Drops(kDevice, Out().From("0.0.0.0").Udp(68, 53), Reason::kSourceUnspecified));
  EXPECT_TRUE(Forwards(kNetwork, In().To("255.255.255.255").Udp(67, 68).Payload(offer)));
  EXPECT_TRUE(
      Drops(kNetwork, In().To("255.255.255.255").Udp(67, 66), Reason::kDestinationNotBound));
}

TEST_F(Binding, LinkLocalSourcesServeMldAndDhcpv6Only) {
  const FrameBuilder link_local = Out(kPump6).From("fe80::1");
  EXPECT_TRUE(Forwards(kDevice, FrameBuilder(link_local)
                                    .To("ff02::16")
                                    .HopLimit(1)
                                    .Extension(0, {5, 2, 0, 0, 1, 0})
                                    .Icmp(143, 0)));
  EXPECT_TRUE(Forwards(kDevice, FrameBuilder(link_local)
                                    .To("ff02::1:2")
                                    .Udp(546, 547)
                                    .Payload(Dhcpv6Message(dhcpv6_type::kSolicit).Build())));
  EXPECT_TRUE(Drops(kDevice, FrameBuilder(link_local).Udp(80), Reason::kSourceNotBound));
}

TEST_F(Binding, ADeviceWithoutBoundAddressesUsesAnyButAnothersOne) {
  gateway_.Enforce(AllowAll().Generation(2).Device("new", {kStranger.mac, {}, {}}));
  EXPECT_TRUE(Forwards(kDevice, Out(kStranger)));
  EXPECT_TRUE(Drops(kDevice, Out(kStranger).From(kPump.ip), Reason::kSourceNotBound));
  EXPECT_TRUE(Drops(kDevice, Out(kStranger).From("239.1.1.1"), Reason::kSourceMulticast));
}

TEST_F(Group, ABroadcastPassesByTheRulesOfAnyDevice) {
  const FrameBuilder broadcast =
      In().DestinationMac(MacAddress::Broadcast()).To("10.0.0.255").Udp(5353);
  EXPECT_TRUE(Forwards(kNetwork, broadcast));
  gateway_.Enforce(Policy().Generation(2).Device("pump", kPump));
  EXPECT_TRUE(Drops(kNetwork, FrameBuilder(broadcast).Udp(5354), Reason::kGroupNoRule));
}

TEST_F(Group, ABroadcastFrameWithOneDevicesAddressIsRefused) {
  const FrameBuilder frame = In().DestinationMac(MacAddress::Broadcast()).Udp(5353);
  EXPECT_TRUE(Drops(kNetwork, frame, Reason::kDestinationNotBound));
}

// R055
TEST_F(ArpGuard, PassesForBoundAddressesOnly) {
  EXPECT_TRUE(Forwards(kDevice, Out().ArpRequest("10.0.0.1", "10.0.0.9"), Reason::kArpGuard));
  EXPECT_TRUE(Forwards(kDevice, Out().ArpRequest("0.0.0.0", "10.0.0.1"), Reason::kArpGuard));
  EXPECT_TRUE(Drops(kDevice, Out().ArpReply("10.0.0.2", "10.0.0.9"), Reason::kArpSenderNotBound));
  EXPECT_TRUE(
      Drops(kDevice, Out(kStranger).ArpRequest("10.0.0.77", "10.0.0.9"), Reason::kUnknownDevice));
}

// R054
TEST_F(ArpGuard, SenderMacMustBeTheFramesSource) {
  const Bytes request = Out().ArpRequest("10.0.0.1", "10.0.0.9").Build();
  EXPECT_TRUE(Is(gateway_.Send(kDevice, WithByte(request, 27, 0x55)), Verdict::kDrop,
                 Reason::kArpSenderMac));
}

TEST_F(ArpGuard, FromTheNetworkPassesOnlyForTargetsOfDevices) {
  EXPECT_TRUE(Forwards(kNetwork, In().ArpRequest("10.0.0.9", "10.0.0.1"), Reason::kArpGuard));
  EXPECT_TRUE(Forwards(kNetwork, In().ArpReply("10.0.0.9", "10.0.0.1"), Reason::kArpGuard));
  EXPECT_TRUE(Forwards(kNetwork, In().ArpRequest("10.0.0.9", "10.0.0.9"), Reason::kArpGuard));
  EXPECT_TRUE(
      Drops(kNetwork, In().ArpRequest("10.0.0.9", "10.0.0.50"), Reason::kArpTargetNotBound));
  EXPECT_TRUE(Drops(kNetwork, In().ArpReply("10.0.0.9", "10.0.0.2"), Reason::kArpTargetNotBound));
}

TEST_F(ArpGuard, NobodyOnTheNetworkMaySpeakForADevice) {
  EXPECT_TRUE(Drops(kNetwork, In().ArpReply("10.0.0.2", "10.0.0.1"), Reason::kArpSenderNotBound));
  EXPECT_TRUE(Drops(kNetwork, In().ArpRequest("10.0.0.2", "10.0.0.2"), Reason::kArpSenderNotBound));
}

TEST_F(ArpGuard, AQuestionForAnybodyPassesIfADeviceHasNoBoundAddresses) {
  gateway_.Enforce(AllowAll().Generation(2).Device("new", {kStranger.mac, {}, {}}));
  EXPECT_TRUE(Forwards(kNetwork, In().ArpRequest("10.0.0.9", "10.0.0.50"), Reason::kArpGuard));
}

TEST_F(ArpGuard, RefusesNothingOfAWatchedDevice) {
  gateway_.Enforce(AllowAll(Mode::kAudit).Generation(2));
  EXPECT_TRUE(Is(gateway_.Send(kDevice, Out().ArpReply("10.0.0.2", "10.0.0.9")), Verdict::kAudit,
                 Reason::kArpSenderNotBound));
  EXPECT_TRUE(Is(gateway_.Send(kNetwork, In().ArpRequest("10.0.0.9", "10.0.0.50")), Verdict::kAudit,
                 Reason::kArpTargetNotBound));
}

TEST_F(NdGuard, ADeviceSolicitsAndAdvertisesItsOwnAddressesOnly) {
  EXPECT_TRUE(Forwards(kDevice, Out(kPump6).RouterSolicitation(), Reason::kNdGuard));
  const auto unique = Out(kPump6).From("::").To("ff02::1:ff00:1").NeighbourSolicitation("fd00::1");
  EXPECT_TRUE(Forwards(kDevice, unique, Reason::kNdGuard));
  EXPECT_TRUE(Forwards(kDevice, Out(kPump6).NeighbourAdvertisement("fd00::1"), Reason::kNdGuard));
  EXPECT_TRUE(Forwards(kDevice, Out(kPump6).NeighbourAdvertisement("fe80::1"), Reason::kNdGuard));
  EXPECT_TRUE(Drops(kDevice, Out(kPump6).NeighbourAdvertisement("fd00::9"), Reason::kNdNotBound));
  EXPECT_TRUE(Drops(kDevice, Out(kPump6).From("fd00::5").NeighbourSolicitation("fd00::9"),
                    Reason::kNdNotBound));
}

TEST_F(NdGuard, FromTheNetworkPassesForBoundTargetsAndNeverInADevicesName) {
  EXPECT_TRUE(Forwards(kNetwork, In(kPump6).NeighbourSolicitation("fd00::1"), Reason::kNdGuard));
  EXPECT_TRUE(Forwards(kNetwork, In(kPump6).NeighbourAdvertisement("fd00::9"), Reason::kNdGuard));
  EXPECT_TRUE(Drops(kNetwork, In(kPump6).NeighbourSolicitation("fd00::5"), Reason::kNdNotBound));
  EXPECT_TRUE(Drops(kNetwork, In(kPump6).NeighbourAdvertisement("fd00::1"), Reason::kNdNotBound));
}

TEST_F(NdGuard, RefusesHopLimitsOtherThan255) {
  EXPECT_TRUE(Drops(kDevice, Out(kPump6).NeighbourSolicitation("fd00::9").HopLimit(254),
                    Reason::kNdInvalid));
}

TEST_F(NdGuard, RouterAdvertisementsAreARulesMatter) {
  gateway_.Enforce(Policy()
                       .Generation(2)
                       .Device("pump", kPump6)
                       .Rules({Allow(kIn, RuleProtocol::kIcmpv6, "fe80::/10").IcmpType(134)})
                       .Device("ct", kCt));
  const FrameBuilder advertisement =
      In(kPump6).From("fe80::9").HopLimit(255).Icmp(134, 0).Payload(Bytes(8));
  EXPECT_TRUE(Drops(kNetwork, advertisement, Reason::kIcmpTypeNotNamed));
  EXPECT_TRUE(
      Forwards(kNetwork,
               FrameBuilder(advertisement).DestinationMac(Mac("33:33:00:00:00:01")).To("ff02::1")));
}

}  // namespace
}  // namespace cordon::dp::testing

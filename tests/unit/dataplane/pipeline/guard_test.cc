// SPDX-License-Identifier: Apache-2.0
// The guards of Ethernet control frames, ARP, neighbour discovery and group traffic.
#include "tests/unit/dataplane/pipeline/guard_fixture.h"

namespace cordon::dp::testing {
namespace {

using Layer2Guard = GuardTest;
using ArpClaims = GuardTest;
using NdClaims = GuardTest;
using GroupGuard = GuardTest;
using MacWatch = GuardTest;

const Bytes kEapol = {1, 1, 0, 0}, kBpdu = {0x42, 0x42, 3, 0, 0, 0, 0, 0};

Bytes Raw(const Station& from, std::string_view to, uint16_t ethertype, const Bytes& payload,
          VlanTags vlan = {}) {
  FrameBuilder builder;
  builder.SourceMac(from.mac).DestinationMac(Mac(to)).Ethertype(ethertype);
  if (vlan != VlanTags{}) builder.Vlan(vlan);
  Bytes frame = builder.Build();
  frame.resize(vlan == VlanTags{} ? 14 : 18);
  frame.insert(frame.end(), payload.begin(), payload.end());
  frame.resize(std::max<size_t>(frame.size(), 60));
  return frame;
}
Bytes Eapol(const Station& from, std::string_view to = "01:80:c2:00:00:03") {
  return Raw(from, to, 0x888e, kEapol);
}
Bytes Join(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
Bytes V6Bytes(std::string_view text) {
  const IpAddress ip = Ip(text);
  Bytes bytes;
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<uint8_t>(ip.hi >> shift));
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<uint8_t>(ip.lo >> shift));
  return bytes;
}
// A link-layer option: 1 source, 2 target.
Bytes LinkLayer(uint8_t kind, const Station& station) {
  Bytes option = {kind, 1};
  for (int shift = 40; shift >= 0; shift -= 8) {
    option.push_back(static_cast<uint8_t>(station.mac.value >> shift));
  }
  return option;
}
FrameBuilder RouterAdvertisement(FrameBuilder frame) {
  return frame.From("fe80::9").HopLimit(255).Icmp(134, 0).Payload(Bytes(8));
}
FrameBuilder ToGroup(std::string_view mac, std::string_view ip, FrameBuilder frame = In()) {
  return frame.DestinationMac(Mac(mac)).To(ip);
}
constexpr std::string_view kAll = "ff:ff:ff:ff:ff:ff";

// R051
TEST_F(Layer2Guard, PassesEapolLldpAndSpanningTreeEvenOfStrangers) {
  EXPECT_TRUE(Forwards(kDevice, Eapol(kStranger), Reason::kL2Eapol));
  EXPECT_TRUE(Forwards(kNetwork, Eapol(kServer, "02:00:00:00:00:77"), Reason::kL2Eapol));
  const Bytes lldp = Raw(kStranger, "01:80:c2:00:00:0e", 0x88cc, {2, 7});
  EXPECT_TRUE(Forwards(kDevice, lldp, Reason::kL2Lldp));
  const Bytes tree = Raw(kServer, "01:80:c2:00:00:00", 8, kBpdu);
  EXPECT_TRUE(Forwards(kNetwork, tree, Reason::kL2Stp));
}

// R051
TEST_F(Layer2Guard, EachProtocolIsOnOrOffByThePairAndCounted) {
  Policy policy = AllowAll().Generation(2);
  policy.spec().guards = {GuardSpec{}};
  policy.spec().guards[0].ethertypes = {guard_ethertype::kLacp, guard_ethertype::kPtp, 0x8892};
  gateway_.Enforce(policy);
  EXPECT_TRUE(Drops(kDevice, Eapol(kPump), Reason::kL2Eapol));
  EXPECT_TRUE(Drops(kNetwork, Raw(kServer, "01:80:c2:00:00:00", 8, kBpdu), Reason::kL2Stp));
  const Bytes lacp = Raw(kServer, "01:80:c2:00:00:02", 0x8809, {1, 1});
  EXPECT_TRUE(Forwards(kNetwork, lacp, Reason::kL2Lacp));
  EXPECT_TRUE(Forwards(kDevice, Raw(kPump, "01:1b:19:00:00:00", 0x88f7, {}), Reason::kL2Ptp));
  EXPECT_TRUE(Forwards(kDevice, Raw(kPump, kAll, 0x8892, {}), Reason::kL2Named));
}

// R051
TEST_F(Layer2Guard, RefusesAllOtherEthertypesAndLlc) {
  EXPECT_TRUE(
      Drops(kDevice, Raw(kPump, "02:00:00:00:00:09", 0x8137, {}), Reason::kEthertypeNotAllowed));
  EXPECT_TRUE(Drops(kDevice, Raw(kPump, kAll, 8, {0xe0, 0xe0, 3}), Reason::kL2Llc));
  EXPECT_TRUE(Drops(kNetwork, Raw(kServer, kAll, 0x8035, Bytes(28)), Reason::kL2Rarp));
  EXPECT_TRUE(
      Drops(kNetwork, Raw(kServer, "02:00:00:00:00:01", 0x88cc, {2}), Reason::kEthertypeNotAllowed))
      << "LLDP goes to its own groups only";
  EXPECT_TRUE(Drops(kNetwork,
                    Raw(kServer, "01:00:0c:cc:cc:cc", 8, {0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0}),
                    Reason::kL2Cdp));
}

// R052
TEST_F(Layer2Guard, AControlFrameInAVlanWithoutDevicesIsRefused) {
  const Bytes tagged = Raw(kServer, "01:80:c2:00:00:00", 8, kBpdu, {30, 0});
  EXPECT_TRUE(Drops(kNetwork, tagged, Reason::kUnknownDevice));
  gateway_.Enforce(AllowAll().Generation(2).Device("new", {kStranger.mac, {}, {30, 0}}));
  EXPECT_TRUE(Forwards(kNetwork, tagged, Reason::kL2Stp));
}

// R050
TEST_F(Layer2Guard, ADevicesOwnMacFromTheNetworkIsRefused) {
  EXPECT_TRUE(Drops(kNetwork, Eapol(kPump), Reason::kDeviceMacOnNetworkSide));
  const Station group{Mac("03:00:00:00:00:01"), {}, {}}, zero{};
  EXPECT_TRUE(Drops(kDevice, Eapol(group), Reason::kSourceMacInvalid));
  EXPECT_TRUE(Drops(kDevice, Eapol(zero), Reason::kSourceMacInvalid));
}

// R055: requests, replies and gratuitous ones alike
TEST_F(ArpClaims, ADeviceSpeaksForItsOwnAddressesOnly) {
  EXPECT_TRUE(Forwards(kDevice, Out().ArpRequest("10.0.0.1", "10.0.0.1"), Reason::kArpGuard));
  EXPECT_TRUE(Drops(kDevice, Out().ArpRequest("10.0.0.2", "10.0.0.2"), Reason::kArpSenderNotBound));
  EXPECT_TRUE(Drops(kDevice, Out().ArpReply("10.0.0.9", "10.0.0.2"), Reason::kArpSenderNotBound));
  EXPECT_TRUE(Drops(kDevice, Out().ArpReply("239.0.0.1", "10.0.0.2"), Reason::kArpMalformed));
}

// R055, R059
TEST_F(ArpClaims, ADeviceProbesForItsOwnAddressesOnly) {
  EXPECT_TRUE(Forwards(kDevice, Out().ArpRequest("0.0.0.0", "10.0.0.1"), Reason::kArpGuard));
  EXPECT_TRUE(Drops(kDevice, Out().ArpRequest("0.0.0.0", "10.0.0.2"), Reason::kArpProbeNotBound));
  EXPECT_TRUE(Drops(kDevice, Out().ArpRequest("0.0.0.0", "10.0.0.9"), Reason::kArpProbeNotBound));
}

// R054
TEST_F(ArpClaims, FromTheNetworkNobodyIsAtAGroupMac) {
  const Bytes reply = In().ArpReply("10.0.0.9", "10.0.0.1").Build();
  EXPECT_TRUE(Drops(kNetwork, WithByte(reply, 22, 0x0b), Reason::kArpMalformed));
  EXPECT_TRUE(Forwards(kNetwork, WithByte(reply, 27, 0x55), Reason::kArpGuard))
      << "a virtual router answers with the MAC of another";
  EXPECT_TRUE(Drops(kNetwork, In().ArpReply("255.255.255.255", "10.0.0.1"), Reason::kArpMalformed));
}

// R058, RFC 6105
TEST_F(NdClaims, ADeviceIsNoRouter) {
  EXPECT_TRUE(Drops(kDevice, RouterAdvertisement(Out(kPump6)), Reason::kNdRouterOnDeviceSide));
  EXPECT_TRUE(
      Drops(kDevice, RouterAdvertisement(Out(kPump6)).HopLimit(64), Reason::kNdRouterOnDeviceSide));
}

// R058, RFC 7113: a fragment header in front does not hide it, nor an option header
TEST_F(NdClaims, ARouterAdvertisementDoesNotHideBehindHeaders) {
  EXPECT_TRUE(Drops(kDevice, RouterAdvertisement(Out(kPump6)).AtomicFragment(),
                    Reason::kNdRouterOnDeviceSide));
  const FrameBuilder behind_options = RouterAdvertisement(Out(kPump6)).Extension(60, {1, 4, 0, 0});
  EXPECT_TRUE(Drops(kDevice, behind_options, Reason::kNdRouterOnDeviceSide));
  EXPECT_TRUE(
      Drops(kNetwork, RouterAdvertisement(In(kPump6)).AtomicFragment(), Reason::kNdInvalid));
}

// R058: from the network side a rule must name it; a rule for everything does not
TEST_F(NdClaims, ARouterAdvertisementToADeviceMustBeNamed) {
  EXPECT_TRUE(Drops(kNetwork, RouterAdvertisement(In(kPump6)), Reason::kIcmpTypeNotNamed));
  gateway_.Enforce(Policy()
                       .Generation(2)
                       .Rules({Allow(kIn, RuleProtocol::kIcmpv6, "fe80::9").IcmpType(134)})
                       .Device("pump", kPump6));
  EXPECT_TRUE(Forwards(kNetwork, RouterAdvertisement(In(kPump6))));
  EXPECT_TRUE(
      Drops(kNetwork, RouterAdvertisement(In(kPump6)).From("fe80::66"), Reason::kIcmpTypeNotNamed));
  EXPECT_TRUE(Drops(kNetwork, RouterAdvertisement(In(kPump6)).HopLimit(64), Reason::kNdInvalid));
}

// R058
TEST_F(NdClaims, ARedirectNeverPasses) {
  gateway_.Enforce(Policy()
                       .Generation(2)
                       .Rules({Allow(kIn, RuleProtocol::kIcmpv6, "any").IcmpType(137)})
                       .Device("pump", kPump6));
  const Bytes body = Join(V6Bytes("fd00::66"), V6Bytes("fd00::9"));
  const FrameBuilder redirect = In(kPump6).From("fe80::9").HopLimit(255).Icmp(137, 0).Payload(body);
  EXPECT_TRUE(Drops(kNetwork, redirect, Reason::kNdRedirect));
}

// R059
TEST_F(NdClaims, TheLinkLayerOptionIsTheSendersOwn) {
  const FrameBuilder claim = Out(kPump6).HopLimit(255).Icmp(136, 0);
  const Bytes own = V6Bytes("fd00::1");
  EXPECT_TRUE(Forwards(kDevice, FrameBuilder(claim).Payload(Join(own, LinkLayer(2, kPump))),
                       Reason::kNdGuard));
  EXPECT_TRUE(Drops(kDevice, FrameBuilder(claim).Payload(Join(own, LinkLayer(2, kCt))),
                    Reason::kNdLinkLayer));
  const FrameBuilder spoof =
      In(kPump6).HopLimit(255).Icmp(136, 0).Payload(Join(V6Bytes("fd00::9"), LinkLayer(2, kCt)));
  EXPECT_TRUE(Drops(kNetwork, spoof, Reason::kNdLinkLayer));
}

// R059: duplicate address detection works, and takes nobody's address
TEST_F(NdClaims, ADeviceAsksForItsOwnAddressOnlyWhetherItIsFree) {
  const auto asks = [](std::string_view target, std::string_view group) {
    return Out(kPump6).From("::").To(group).NeighbourSolicitation(target);
  };
  EXPECT_TRUE(Forwards(kDevice, asks("fd00::1", "ff02::1:ff00:1"), Reason::kNdGuard));
  EXPECT_TRUE(Forwards(kDevice, asks("fe80::ff:fe00:1", "ff02::1:ff00:1"), Reason::kNdGuard));
  EXPECT_TRUE(Drops(kDevice, asks("fd00::2", "ff02::1:ff00:2"), Reason::kNdNotBound));
  EXPECT_TRUE(Drops(kDevice, asks("fe80::ff:fe00:2", "ff02::1:ff00:2"), Reason::kNdNotBound))
      << "made from the CT's MAC";
}

// R063
TEST_F(GroupGuard, ADevicesFrameToAGroupIsForAGroup) {
  const FrameBuilder broadcast = Out().DestinationMac(MacAddress::Broadcast()).Udp(7000);
  EXPECT_TRUE(Forwards(kDevice, FrameBuilder(broadcast).To("255.255.255.255")));
  EXPECT_TRUE(Forwards(kDevice, FrameBuilder(broadcast).To("10.0.0.255")));
  EXPECT_TRUE(Forwards(kDevice, FrameBuilder(broadcast).To("10.0.255.255")));
  EXPECT_TRUE(Drops(kDevice, FrameBuilder(broadcast).To("10.0.0.9"), Reason::kGroupAddress));
  EXPECT_TRUE(Drops(kDevice, FrameBuilder(broadcast).To("10.9.0.255"), Reason::kGroupAddress));
}

// R063: also in a running flow, whose first frame went to a station
TEST_F(GroupGuard, ARunningFlowDoesNotTurnToAGroup) {
  EXPECT_TRUE(Forwards(kDevice, Out().Udp(7000)));
  EXPECT_TRUE(Forwards(kDevice, Out().Udp(7000)));
  EXPECT_TRUE(Drops(kDevice, Out().DestinationMac(MacAddress::Broadcast()).Udp(7000),
                    Reason::kGroupAddress));
}

// R063: the address of a device that nothing binds must not be reached by another one's rule
TEST_F(GroupGuard, AGroupFrameFromTheNetworkIsForAGroup) {
  gateway_.Enforce(AllowAll().Generation(2).Device("new", {kStranger.mac, {}, {}}));
  EXPECT_TRUE(Forwards(kNetwork, ToGroup(kAll, "10.0.0.255").Udp(7000)));
  EXPECT_TRUE(Drops(kNetwork, ToGroup(kAll, "10.0.0.77").Udp(7000), Reason::kDestinationNotBound));
  const FrameBuilder v6 = ToGroup("33:33:00:00:00:01", "fd00::77", In(kPump6)).Udp(7000);
  EXPECT_TRUE(Drops(kNetwork, v6, Reason::kDestinationNotBound));
}

// R063: RFC 3376, RFC 3810
TEST_F(GroupGuard, MembershipIsOfThisLinkAndRoutersAsk) {
  const FrameBuilder report = ToGroup("33:33:00:00:00:16", "ff02::16", Out(kPump6))
                                  .From("fe80::ff:fe00:1")
                                  .HopLimit(1)
                                  .Icmp(143, 0, 0);
  const Bytes alert = {5, 2, 0, 0, 1, 0};
  EXPECT_TRUE(Forwards(kDevice, FrameBuilder(report).Extension(0, alert)));
  EXPECT_TRUE(Drops(kDevice, report, Reason::kMembershipInvalid)) << "no router alert";
  EXPECT_TRUE(Drops(kDevice, FrameBuilder(report).HopLimit(2).Extension(0, alert),
                    Reason::kMembershipInvalid));
  const FrameBuilder query = FrameBuilder(report).Icmp(130, 0, 0).PayloadSize(16);
  EXPECT_TRUE(
      Drops(kDevice, FrameBuilder(query).Extension(0, alert), Reason::kMembershipQueryFromDevice));
}

// R056: a flood of questions of one device does not silence another
TEST_F(ArpClaims, ADeviceAsksOnlySoOftenASecond) {
  const auto asks = [this](const Station& device) {
    return gateway_.Send(kDevice, Out(device).ArpRequest(ToString(device.ip), "10.0.0.9")).reason;
  };
  int passed = 0;
  for (int i = 0; i < 500; ++i) passed += asks(kPump) == Reason::kArpGuard ? 1 : 0;
  EXPECT_GE(passed, 25);
  EXPECT_LE(passed, 100);
  EXPECT_EQ(asks(kPump), Reason::kArpRate);
  EXPECT_EQ(asks(kCt), Reason::kArpGuard);
  gateway_.Advance(kSecond);
  EXPECT_EQ(asks(kPump), Reason::kArpGuard);
}

// R063
TEST_F(GroupGuard, ADeviceSpeaksToGroupsOnlySoOftenASecond) {
  Policy policy = AllowAll().Generation(2);
  policy.spec().guards = {GuardSpec{}};
  policy.spec().guards[0].group_per_second = 20;
  gateway_.Enforce(policy);
  const auto speaks = [this](const Station& device) {
    const FrameBuilder frame = Out(device).DestinationMac(MacAddress::Broadcast()).Udp(7000);
    return gateway_.Send(kDevice, FrameBuilder(frame).To("255.255.255.255")).reason;
  };
  for (int i = 0; i < 20; ++i) speaks(kPump);
  EXPECT_EQ(speaks(kPump), Reason::kGroupRate);
  EXPECT_EQ(speaks(kCt), Reason::kRule);
  EXPECT_TRUE(Forwards(kDevice, Out().Udp(7000))) << "to one station";
}

TEST_F(MacWatch, AMacOfADeviceOnAnotherPairIsToldApartFromAStranger) {
  Policy policy = AllowAll().Generation(2);
  policy.spec().pairs.push_back("lab");
  gateway_.Enforce(policy);
  EXPECT_EQ(gateway_.Send(kDevice, Out(), 1).reason, Reason::kMacOnOtherPair);
  const FrameBuilder arp = Out().ArpRequest("10.0.0.1", "10.0.0.9");
  EXPECT_EQ(gateway_.Send(kDevice, arp, 1).reason, Reason::kMacOnOtherPair);
  EXPECT_EQ(gateway_.Send(kDevice, Out(kStranger), 1).reason, Reason::kUnknownDevice);
  EXPECT_EQ(gateway_.Send(kNetwork, In().SourceMac(kPump.mac).ToDevice(kCt), 1).reason,
            Reason::kUnknownDevice)
      << "on the network side it may come from there";
  EXPECT_TRUE(Forwards(kDevice, Out()));
}

}  // namespace
}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// ParseFrame: addresses that nobody may have, or only some; alike behind no, one and two tags.
#include <gtest/gtest.h>

#include "dataplane/packet/packet.h"
#include "tests/support/dhcp_builder.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using testing::Bytes;
using testing::DhcpMessage;
using testing::Dhcpv6Message;
using testing::FrameBuilder;
using testing::View;

Packet Parse(const FrameBuilder& frame) {
  const Bytes bytes = frame.Build();
  Packet packet;
  ParseFrame(View(bytes), packet);
  return packet;
}

const Bytes kSolicit = Dhcpv6Message(dhcpv6_type::kSolicit).Build();

FrameBuilder V4() { return FrameBuilder(); }
FrameBuilder V6() { return FrameBuilder().From("fd00::1").To("fd00::9").Udp(5000); }

// The reason of all three, or "differs".
std::string Fate(const FrameBuilder& frame) {
  const Reason untagged = Parse(frame).reason;
  const bool alike = Parse(FrameBuilder(frame).Vlan(30)).reason == untagged &&
                     Parse(FrameBuilder(frame).Vlan({100, 30})).reason == untagged;
  return alike ? std::string(ToString(untagged)) : "differs";
}

bool Fails(Check check, const FrameBuilder& frame) {
  const Packet packet = Parse(frame);
  return packet.reason == Reason::kUndecided && (packet.anomalies & MaskOf(check)) != 0;
}
// Nothing that the strict level would refuse.
bool IsClean(const FrameBuilder& frame) {
  const Packet packet = Parse(frame);
  return packet.reason == Reason::kUndecided &&
         (packet.anomalies & ChecksOf(Protection::kStrict)) == 0;
}

TEST(Addresses, OrdinaryOnesAreClean) {
  for (const char* ip : {"10.0.0.7", "1.1.1.1", "126.255.255.254", "128.0.0.1", "192.168.1.255",
                         "223.255.255.254"}) {
    EXPECT_TRUE(IsClean(V4().From(ip))) << ip;
    EXPECT_TRUE(IsClean(V4().To(ip))) << ip;
  }
  for (const char* ip : {"2001:db8::1", "3fff::1", "fc00::1", "fdff::1", "64:ff9b::a00:1"}) {
    EXPECT_TRUE(IsClean(V6().From(ip))) << ip;
    EXPECT_TRUE(IsClean(V6().To(ip))) << ip;
  }
  EXPECT_TRUE(IsClean(V4().To("224.0.0.251")));
  EXPECT_TRUE(IsClean(V4().To("255.255.255.255")));
  EXPECT_TRUE(IsClean(V6().To("ff05::1:3")));
}

TEST(Addresses, MulticastSourceIsRefused) {
  // R006
  EXPECT_EQ(Fate(V4().From("224.0.0.1")), "source_multicast");
  EXPECT_EQ(Fate(V4().From("239.255.255.250")), "source_multicast");
  EXPECT_EQ(Fate(V6().From("ff02::1")), "source_multicast");
}

TEST(Addresses, LimitedBroadcastSourceIsRefused) {
  // R007
  EXPECT_EQ(Fate(V4().From("255.255.255.255")), "source_broadcast");
}

TEST(Addresses, LoopbackIsRefusedAtEitherEnd) {
  // R008
  for (const char* ip : {"127.0.0.1", "127.255.255.255"}) {
    EXPECT_EQ(Fate(V4().From(ip)), "loopback_address");
    EXPECT_EQ(Fate(V4().To(ip)), "loopback_address");
  }
  EXPECT_EQ(Fate(V6().From("::1")), "loopback_address");
  EXPECT_EQ(Fate(V6().To("::1")), "loopback_address");
}

TEST(Addresses, ReservedOnesFailACheckAtEitherEnd) {
  // R009
  for (const char* ip : {"240.0.0.1", "255.255.255.254"}) {
    EXPECT_TRUE(Fails(Check::kReservedAddress, V4().From(ip))) << ip;
    EXPECT_TRUE(Fails(Check::kReservedAddress, V4().To(ip))) << ip;
  }
  for (const char* ip : {"100::1", "1fff::1", "4000::1", "fbff::1", "fe00::1"}) {
    EXPECT_TRUE(Fails(Check::kReservedAddress, V6().From(ip))) << ip;
    EXPECT_TRUE(Fails(Check::kReservedAddress, V6().To(ip))) << ip;
  }
  EXPECT_TRUE(Fails(Check::kReservedAddress, V6().To("ff01::1"))) << "a group inside of a host";
  EXPECT_NE(ChecksOf(Protection::kStandard) & MaskOf(Check::kReservedAddress), 0u);
}

TEST(Addresses, UnspecifiedSourceServesHostsWithoutAnAddressOnly) {
  // R010
  const Bytes discover = DhcpMessage(dhcp_type::kDiscover).Build();
  EXPECT_TRUE(IsClean(V4().From("0.0.0.0").To("255.255.255.255").Udp(68, 67).Payload(discover)));
  EXPECT_TRUE(IsClean(V4().ArpRequest("0.0.0.0", "10.0.0.1"))) << "probe, RFC 5227";
  const FrameBuilder igmp = V4().From("0.0.0.0").To("224.0.0.22").Igmp(0x16, "239.1.1.1");
  EXPECT_TRUE(IsClean(igmp));
  for (const auto& frame :
       {V4().Udp(67, 67).Payload(discover), V4().Udp(69, 67).Payload(discover), V4().Udp(68, 53),
        V4().Tcp(104), V4().EchoRequest(1), V4().Protocol(47)}) {
    EXPECT_EQ(Fate(FrameBuilder(frame).From("0.0.0.0")), "source_unspecified");
  }
}

TEST(Addresses, UnspecifiedIpv6SourceServesDetectionListenersAndRouterSolicitation) {
  // R010
  const FrameBuilder nobody = V6().From("::");
  EXPECT_TRUE(IsClean(FrameBuilder(nobody).To("ff02::1:ff00:1").NeighbourSolicitation("fd00::1")));
  EXPECT_TRUE(IsClean(FrameBuilder(nobody).To("ff02::2").RouterSolicitation()));
  EXPECT_TRUE(IsClean(FrameBuilder(nobody).To("ff02::16").Extension(0, {5, 2, 0, 0}).Icmp(143, 0)));
  for (const auto& frame :
       {FrameBuilder(nobody).Udp(546, 547).Payload(kSolicit), FrameBuilder(nobody).Udp(68, 67),
        FrameBuilder(nobody).Tcp(104), FrameBuilder(nobody).EchoRequest(1),
        FrameBuilder(nobody).NeighbourAdvertisement("fd00::1")}) {
    EXPECT_EQ(Fate(frame), "source_unspecified");
  }
}

TEST(Addresses, ZeroNetworkAndUnspecifiedDestinationAreRefused) {
  // R011
  EXPECT_EQ(Fate(V4().From("0.0.0.1")), "zero_network");
  EXPECT_EQ(Fate(V4().To("0.255.255.255")), "zero_network");
  EXPECT_EQ(Fate(V4().To("0.0.0.0")), "zero_network");
  EXPECT_EQ(Fate(V6().To("::")), "zero_network");
}

TEST(Addresses, PacketToItsOwnSourceIsRefused) {
  // R013
  EXPECT_EQ(Fate(V4().From("10.0.0.7").To("10.0.0.7").Tcp(139, 139)), "land");
  EXPECT_EQ(Fate(V6().From("fd00::7").To("fd00::7")), "land");
  EXPECT_EQ(Fate(V6().From("fe80::7").To("fe80::7")), "land");
}

TEST(Addresses, Ipv4LinkLocalFailsACheckOfTheStandardLevel) {
  // R014
  EXPECT_TRUE(Fails(Check::kIpv4LinkLocal, V4().From("169.254.0.1")));
  EXPECT_TRUE(Fails(Check::kIpv4LinkLocal, V4().To("169.254.255.254")));
  EXPECT_TRUE(IsClean(V4().From("169.253.0.1").To("169.255.0.1")));
  EXPECT_NE(ChecksOf(Protection::kStandard) & MaskOf(Check::kIpv4LinkLocal), 0u);
}

TEST(Addresses, Ipv6LinkLocalServesTheLinkAndFailsACheckOtherwise) {
  // R014
  const FrameBuilder local = V6().From("fe80::1");
  EXPECT_TRUE(IsClean(FrameBuilder(local).To("fe80::2").NeighbourSolicitation("fe80::2")));
  EXPECT_TRUE(IsClean(FrameBuilder(local).To("ff02::1:2").Udp(546, 547).Payload(kSolicit)));
  EXPECT_TRUE(IsClean(FrameBuilder(local).To("fe80::2").Udp(547, 546).Payload(kSolicit)));
  EXPECT_TRUE(IsClean(FrameBuilder(local).To("ff02::fb").Udp(5353, 5353)));
  EXPECT_TRUE(Fails(Check::kIpv6LinkLocal, FrameBuilder(local).To("fe80::2").Tcp(80)));
  EXPECT_TRUE(Fails(Check::kIpv6LinkLocal, V6().To("febf::2").EchoRequest(1)));
  EXPECT_TRUE(Fails(Check::kIpv6LinkLocal, FrameBuilder(local).To("ff05::1:3").Udp(546, 546 + 2)));
}

TEST(Addresses, EveryIpv6PacketFailsTheCheckThatSwitchesIpv6Off) {
  EXPECT_TRUE(Fails(Check::kIpv6, V6()));
  EXPECT_TRUE(Fails(Check::kIpv6, V6().NeighbourSolicitation("fd00::9")));
  EXPECT_FALSE(Fails(Check::kIpv6, V4()));
}

}  // namespace
}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// ParseFrame: IPv4 header checksum and options, IPv6 extension headers and their options.
#include <gtest/gtest.h>

#include "dataplane/packet/packet.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using testing::Bytes;
using testing::FrameBuilder;
using testing::View;
using testing::WithByte;

constexpr uint8_t kHopByHop = 0, kRouting = 43, kDestinationOptions = 60;

Packet Parse(const Bytes& bytes) {
  Packet packet;
  ParseFrame(View(bytes), packet);
  return packet;
}
Packet Parse(const FrameBuilder& frame) { return Parse(frame.Build()); }

FrameBuilder V4() { return FrameBuilder(); }
FrameBuilder V6() { return FrameBuilder().From("fd00::1").To("fd00::9").Udp(5000); }
FrameBuilder Mld() { return V6().To("ff02::16").HopLimit(1).Icmp(143, 0).PayloadSize(20); }

// The checks that a well-formed frame fails, but for that on IPv6 itself.
CheckMask Anomalies(const FrameBuilder& frame) {
  const Packet packet = Parse(frame);
  EXPECT_EQ(packet.reason, Reason::kUndecided) << ToString(packet.reason);
  return packet.anomalies & ~MaskOf(Check::kIpv6);
}

TEST(Ipv4Header, WrongChecksumIsRefused) {
  // R004
  const Bytes frame = V4().HopLimit(64).Build();
  EXPECT_EQ(Parse(WithByte(frame, 14 + 8, 63)).reason, Reason::kIpv4Checksum);
  EXPECT_EQ(Parse(WithByte(frame, 14 + 1, 0xb8)).reason, Reason::kIpv4Checksum);
  const Bytes tagged = V4().Vlan({100, 30}).HopLimit(64).Build();
  EXPECT_EQ(Parse(WithByte(tagged, 22 + 8, 63)).reason, Reason::kIpv4Checksum);
  const Bytes options = V4().Ipv4Options({1, 1, 1, 1}).Build();
  EXPECT_EQ(Parse(WithByte(options, 14 + 20, 0)).reason, Reason::kIpv4Checksum);
}

TEST(Ipv4Options, SourceRoutesAndRecordRouteAreRefusedAlways) {
  // R016
  EXPECT_EQ(Parse(V4().Ipv4Options({1, 131, 7, 4, 10, 0, 0, 1})).reason, Reason::kIpv4SourceRoute);
  EXPECT_EQ(Parse(V4().Ipv4Options({1, 137, 7, 4, 10, 0, 0, 1})).reason, Reason::kIpv4SourceRoute);
  EXPECT_EQ(Parse(V4().Ipv4Options({1, 7, 7, 4, 0, 0, 0, 0})).reason, Reason::kIpv4RecordRoute);
  EXPECT_EQ(Parse(V4().Ipv4Options({148, 4, 0, 0, 131, 3, 4, 0})).reason, Reason::kIpv4SourceRoute)
      << "behind another option";
}

TEST(Ipv4Options, EachOtherKindFailsACheckOfItsOwn) {
  // R017
  EXPECT_EQ(Anomalies(V4().Ipv4Options({68, 8, 5, 0, 0, 0, 0, 0})), MaskOf(Check::kIpv4Timestamp));
  EXPECT_EQ(Anomalies(V4().Ipv4Options({148, 4, 0, 0})), MaskOf(Check::kIpv4RouterAlert));
  for (const uint8_t type : {130, 136, 82, 205, 25}) {
    EXPECT_EQ(Anomalies(V4().Ipv4Options({type, 4, 0, 0})), MaskOf(Check::kIpv4OtherOption));
  }
  EXPECT_EQ(Anomalies(V4().Ipv4Options({1, 1, 1, 0})), MaskOf(Check::kIpv4OtherOption))
      << "padding of nothing";
  const CheckMask all = MaskOf(Check::kIpv4Timestamp) | MaskOf(Check::kIpv4RouterAlert) |
                        MaskOf(Check::kIpv4OtherOption);
  EXPECT_EQ(ChecksOf(Protection::kStandard) & all, all);
}

TEST(Ipv4Options, IgmpMayHaveARouterAlert) {
  // R017
  const FrameBuilder igmp = V4().To("224.0.0.22").HopLimit(1).Igmp(0x16, "239.1.1.1");
  EXPECT_EQ(Anomalies(FrameBuilder(igmp).Ipv4Options({148, 4, 0, 0})), 0u);
  EXPECT_EQ(Anomalies(FrameBuilder(igmp).Ipv4Options({68, 4, 5, 0})),
            MaskOf(Check::kIpv4Timestamp));
}

TEST(Ipv4Options, BytesBehindTheirEndDoNotCount) {
  EXPECT_EQ(Anomalies(V4().Ipv4Options({148, 4, 0, 0, 0, 131, 0, 0})),
            MaskOf(Check::kIpv4RouterAlert));
}

TEST(Ipv6Extensions, TheRecommendedOrderIsCleanAndAnyOtherFailsACheck) {
  // R020
  const FrameBuilder good =
      V6().Extension(kDestinationOptions).Extension(kRouting, {2}).AtomicFragment();
  EXPECT_EQ(Anomalies(good), MaskOf(Check::kIpv6RoutingHeader));
  EXPECT_EQ(Anomalies(V6().Extension(kDestinationOptions)), 0u);
  EXPECT_EQ(Anomalies(V6().Extension(44, {0, 0, 0, 0, 0, 1}).Extension(kDestinationOptions)), 0u);
  EXPECT_EQ(Anomalies(V6().Extension(44, {0, 0, 0, 0, 0, 1}).Extension(kRouting, {2})),
            MaskOf(Check::kIpv6RoutingHeader) | MaskOf(Check::kIpv6ExtensionOrder));
}

TEST(Ipv6Extensions, HopByHopServesMldOnly) {
  // R017, R022
  EXPECT_EQ(Anomalies(Mld().Extension(kHopByHop, {5, 2, 0, 0})), 0u);
  EXPECT_EQ(Anomalies(V6().Extension(kHopByHop)), MaskOf(Check::kIpv6HopByHop));
  EXPECT_EQ(Anomalies(V6().Extension(kHopByHop, {5, 2, 0, 0})),
            MaskOf(Check::kIpv6HopByHop) | MaskOf(Check::kIpv6Option));
}

TEST(Ipv6Extensions, OptionsOtherThanPaddingFailACheck) {
  // R022
  EXPECT_EQ(Anomalies(V6().Extension(kDestinationOptions, {1, 2, 0, 0, 0, 0})), 0u) << "PadN, Pad1";
  for (const uint8_t type : {0x04, 0x05, 0x1e, 0x63, 0xc9, 0xfe}) {
    EXPECT_EQ(Anomalies(V6().Extension(kDestinationOptions, {type, 4, 0, 0, 0, 0})),
              MaskOf(Check::kIpv6Option));
  }
  EXPECT_EQ(Anomalies(Mld().Extension(kHopByHop, {0x1e, 4, 0, 0, 0, 0})),
            MaskOf(Check::kIpv6Option));
}

TEST(Ipv6Extensions, OptionPastItsHeaderIsRefused) {
  // R018
  for (const Bytes& options :
       {Bytes{1, 5, 0, 0, 0, 0}, Bytes{5, 255, 0, 0, 0, 0}, Bytes{0, 0, 0, 0, 0, 1}}) {
    EXPECT_EQ(Parse(V6().Extension(kDestinationOptions, options)).reason,
              Reason::kIpv6OptionMalformed);
  }
}

TEST(Ipv6Extensions, JumboPayloadIsRefusedAlways) {
  // R023
  const FrameBuilder jumbo = V6().Extension(kHopByHop, {0xc2, 4, 0, 1, 0, 0});
  EXPECT_EQ(Parse(jumbo).reason, Reason::kIpv6Jumbo);
  const Bytes real = WithByte(WithByte(jumbo.Build(), 14 + 4, 0), 14 + 5, 0);
  EXPECT_EQ(Parse(real).reason, Reason::kIpv6Jumbo);
}

TEST(Ipv6Extensions, LaterFragmentEndsTheWalkAndKeepsWhatWasInFront) {
  const Packet packet = Parse(V6().Extension(kHopByHop).LastFragment(1480));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_TRUE(packet.IsLaterFragment());
  EXPECT_NE(packet.anomalies & MaskOf(Check::kIpv6HopByHop), 0u);
}

}  // namespace
}  // namespace cordon::dp

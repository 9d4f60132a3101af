// SPDX-License-Identifier: Apache-2.0
// ParseFrame: IPv4 with options, IPv6 with extension headers, fragments.
#include <gtest/gtest.h>

#include "dataplane/packet/packet.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using testing::Bytes;
using testing::FrameBuilder;
using testing::Ip;
using testing::Truncated;
using testing::View;
using testing::WithByte;

constexpr size_t kIp = 14;  // where the IP header starts
constexpr uint8_t kHopByHop = 0, kRouting = 43, kDestinationOptions = 60;

Packet Parse(const Bytes& bytes) {
  Packet packet;
  ParseFrame(View(bytes), packet);
  return packet;
}
Packet Parse(const FrameBuilder& frame) { return Parse(frame.Build()); }

FrameBuilder V6() { return FrameBuilder().From("fd00::1").To("fd00::9").Udp(5000); }

TEST(ParseFrame, ReadsIpv4AddressesAndProtocol) {
  const Packet packet = Parse(FrameBuilder().From("10.1.2.3").To("192.168.255.254").Udp(5000));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.layer3, Layer3::kIpv4);
  EXPECT_EQ(packet.source, Ip("10.1.2.3"));
  EXPECT_EQ(packet.destination, Ip("192.168.255.254"));
  EXPECT_EQ(packet.protocol, protocol::kUdp);
  EXPECT_FALSE(packet.is_fragment);
}

TEST(ParseFrame, RefusesIpv4OfAnotherVersion) {
  // R001
  EXPECT_EQ(Parse(WithByte(FrameBuilder().Build(), kIp, 0x65)).reason, Reason::kIpv4Version);
}

TEST(ParseFrame, RefusesIpv4HeaderShorterThanTwentyBytes) {
  // R002
  const Packet packet = Parse(WithByte(FrameBuilder().Build(), kIp, 0x44));
  EXPECT_EQ(packet.reason, Reason::kIpv4HeaderLength);
  EXPECT_EQ(packet.source, Ip("10.0.0.1"));
}

TEST(ParseFrame, RefusesIpv4HeaderPastTheFrame) {
  EXPECT_EQ(Parse(WithByte(FrameBuilder().Build(), kIp, 0x4f)).reason, Reason::kIpv4HeaderLength);
  EXPECT_EQ(Parse(Truncated(FrameBuilder().Build(), kIp + 19)).reason, Reason::kIpv4Truncated);
}

TEST(ParseFrame, RefusesIpv4TotalLengthPastTheFrameOrBelowTheHeader) {
  // R003
  const Bytes frame = FrameBuilder().PayloadSize(20).Build();
  EXPECT_EQ(Parse(WithByte(frame, kIp + 3, 49)).reason, Reason::kIpv4TotalLength);
  EXPECT_EQ(Parse(WithByte(frame, kIp + 3, 19)).reason, Reason::kIpv4TotalLength);
  EXPECT_EQ(Parse(WithByte(frame, kIp + 2, 0xff)).reason, Reason::kIpv4TotalLength);
}

TEST(ParseFrame, DoesNotCountTrailingPaddingAsPayload) {
  const Packet packet = Parse(FrameBuilder().Tcp(104).PadTo(60));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.payload_length, 0u);
  EXPECT_EQ(packet.frame_length, 60u);
}

TEST(ParseFrame, WalksHarmlessIpv4Options) {
  const Packet packet = Parse(FrameBuilder().Ipv4Options({148, 4, 0, 0, 1, 1, 1, 0}).Udp(5000));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.destination_port, 5000);
}

TEST(ParseFrame, IgnoresBytesBehindTheEndOfIpv4Options) {
  EXPECT_EQ(Parse(FrameBuilder().Ipv4Options({0, 131, 0, 0})).reason, Reason::kUndecided);
}

TEST(ParseFrame, RefusesIpv4OptionsThatDoNotFit) {
  // R018
  for (const Bytes& options : {Bytes{148, 0, 0, 0}, Bytes{148, 1, 0, 0}, Bytes{148, 5, 0, 0},
                               Bytes{1, 1, 1, 148}, Bytes{131, 255, 0, 0}}) {
    EXPECT_EQ(Parse(FrameBuilder().Ipv4Options(options)).reason, Reason::kIpv4OptionMalformed);
  }
}

TEST(ParseFrame, MarksFirstFragmentsOfBothFamilies) {
  for (FrameBuilder frame : {FrameBuilder(), V6()}) {
    const Packet packet = Parse(frame.Udp(5000).PayloadSize(64).FirstFragment());
    EXPECT_EQ(packet.reason, Reason::kUndecided);
    EXPECT_TRUE(packet.is_fragment);
    EXPECT_EQ(packet.destination_port, 5000);
    EXPECT_EQ(packet.payload_length, 64u);
  }
}

TEST(ParseFrame, TakesUdpLengthOfTheWholeDatagramInFirstFragment) {
  const Bytes frame = FrameBuilder().PayloadSize(64).FirstFragment().Build();
  const Packet packet = Parse(WithByte(frame, kIp + 20 + 4, 0x20));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.payload_length, 64u);
}

TEST(ParseFrame, MarksLaterFragmentsOfBothFamilies) {
  for (FrameBuilder frame : {FrameBuilder(), V6()}) {
    for (const uint16_t offset : {8, 1480, 65528}) {
      EXPECT_TRUE(Parse(frame.NextFragment(offset)).IsLaterFragment());
      EXPECT_TRUE(Parse(frame.LastFragment(offset)).IsLaterFragment());
    }
    EXPECT_NE(Parse(frame).source, IpAddress{});
  }
}

TEST(ParseFrame, TellsPlaceAndLengthOfAFragment) {
  for (FrameBuilder frame : {FrameBuilder(), V6()}) {
    const Packet packet = Parse(frame.PayloadSize(24).NextFragment(1480).PadTo(200));
    EXPECT_TRUE(packet.is_fragment);
    EXPECT_TRUE(packet.more_fragments);
    EXPECT_EQ(packet.fragment_offset, 1480);
    EXPECT_EQ(packet.fragment_length, 32);
    EXPECT_EQ(packet.protocol, protocol::kUdp);
    EXPECT_EQ(packet.source_port, 0);
    EXPECT_FALSE(Parse(frame.LastFragment(1480)).more_fragments);
    EXPECT_NE(packet.anomalies & MaskOf(Check::kFragments), 0u);
  }
}

TEST(ParseFrame, RefusesFirstFragmentWithoutWholeTransportHeader) {
  Bytes tiny(16, 0x50);
  EXPECT_EQ(Parse(FrameBuilder().Protocol(protocol::kTcp).Payload(tiny).FirstFragment()).reason,
            Reason::kTcpTruncated);
  EXPECT_EQ(Parse(V6().Protocol(protocol::kTcp).Payload(tiny).FirstFragment()).reason,
            Reason::kTcpTruncated);
}

TEST(ParseFrame, TakesAtomicFragmentForAnOrdinaryPacket) {
  const Packet packet = Parse(V6().AtomicFragment());
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_FALSE(packet.is_fragment);
}

TEST(ParseFrame, ReadsIpv6AddressesAndProtocol) {
  const Packet packet = Parse(V6().From("2001:db8::1").To("ff02::1"));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.layer3, Layer3::kIpv6);
  EXPECT_EQ(ToString(packet.source), "2001:db8::1");
  EXPECT_EQ(ToString(packet.destination), "ff02::1");
  EXPECT_EQ(packet.protocol, protocol::kUdp);
}

TEST(ParseFrame, RefusesIpv6OfAnotherVersionOrCutShort) {
  // R001
  EXPECT_EQ(Parse(WithByte(V6().Build(), kIp, 0x45)).reason, Reason::kIpv6Version);
  EXPECT_EQ(Parse(Truncated(V6().Build(), kIp + 39)).reason, Reason::kIpv6Truncated);
}

TEST(ParseFrame, RefusesIpv6PayloadLengthZeroOrPastTheFrame) {
  // R005
  const Bytes frame = V6().Build();
  EXPECT_EQ(Parse(WithByte(frame, kIp + 5, 9)).reason, Reason::kIpv6PayloadLength);
  EXPECT_EQ(Parse(WithByte(frame, kIp + 5, 0)).reason, Reason::kIpv6PayloadLength);
  EXPECT_EQ(Parse(V6().Protocol(59)).reason, Reason::kUndecided);
}

TEST(ParseFrame, RefusesMappedAndCompatibleAddresses) {
  // R012
  const Bytes frame = V6().From("::1").To("::").Build();
  EXPECT_EQ(Parse(frame).reason, Reason::kLoopbackAddress);
  const Bytes compatible = WithByte(frame, kIp + 8 + 15, 2);
  EXPECT_EQ(Parse(compatible).reason, Reason::kIpv6AddressMapped);
  const Bytes mapped = WithByte(WithByte(frame, kIp + 24 + 10, 0xff), kIp + 24 + 11, 0xff);
  EXPECT_EQ(Parse(mapped).reason, Reason::kIpv6AddressMapped);
  EXPECT_EQ(Parse(mapped).layer3, Layer3::kNone);
  EXPECT_EQ(Parse(mapped).destination, IpAddress{});
}

TEST(ParseFrame, WalksLegalExtensionChain) {
  const Packet packet = Parse(V6().Extension(kHopByHop, Bytes(14))
                                  .Extension(kDestinationOptions)
                                  .Extension(kRouting, {2, 0})
                                  .Extension(kDestinationOptions)
                                  .Tcp(104));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.protocol, protocol::kTcp);
  EXPECT_EQ(packet.destination_port, 104);
}

TEST(ParseFrame, RefusesRoutingHeaderWithSegmentsLeft) {
  for (const uint8_t type : {2, 3, 4}) {
    EXPECT_EQ(Parse(V6().Extension(kRouting, {type, 1})).reason, Reason::kIpv6SourceRoute);
    EXPECT_EQ(Parse(V6().Extension(kRouting, {type, 0})).reason, Reason::kUndecided);
  }
}

TEST(ParseFrame, RefusesRoutingHeaderTypeZero) {
  // R021
  EXPECT_EQ(Parse(V6().Extension(kRouting, {0, 0})).reason, Reason::kIpv6RoutingHeader0);
}

TEST(ParseFrame, RefusesRepeatedAndMisplacedExtensions) {
  // R020
  const auto d = kDestinationOptions;
  for (const auto& frame :
       {V6().Extension(d).Extension(kHopByHop), V6().Extension(kHopByHop).Extension(kHopByHop),
        V6().Extension(d).Extension(d).Extension(d),
        V6().Extension(kRouting, {2}).Extension(kRouting, {2}),
        V6().Extension(44, {0, 0}).FirstFragment()}) {
    EXPECT_EQ(Parse(frame).reason, Reason::kIpv6ExtensionChain);
  }
}

TEST(ParseFrame, RefusesTooManyAndTooLongExtensions) {
  // R020
  const FrameBuilder four = V6().Extension(kHopByHop)
                                .Extension(kDestinationOptions)
                                .Extension(kRouting, {2})
                                .Extension(kDestinationOptions);
  EXPECT_EQ(Parse(four).reason, Reason::kUndecided);
  EXPECT_EQ(Parse(FrameBuilder(four).FirstFragment()).reason, Reason::kIpv6ExtensionLimit);
  EXPECT_EQ(Parse(V6().Extension(kDestinationOptions, Bytes(254))).reason, Reason::kUndecided);
  EXPECT_EQ(Parse(V6().Extension(kDestinationOptions, Bytes(255))).reason,
            Reason::kIpv6ExtensionLimit);
}

TEST(ParseFrame, RefusesExtensionPastThePacketEvenIfThereIsPadding) {
  const Bytes frame = V6().Extension(kDestinationOptions).PadTo(4000).Build();
  EXPECT_EQ(Parse(WithByte(frame, kIp + 40 + 1, 2)).reason, Reason::kIpv6ExtensionTruncated);
  EXPECT_EQ(Parse(WithByte(frame, kIp + 40 + 1, 255)).reason, Reason::kIpv6ExtensionTruncated);
  EXPECT_EQ(Parse(V6().Protocol(kRouting).Payload(Bytes(7))).reason,
            Reason::kIpv6ExtensionTruncated);
}

TEST(ParseFrame, KnowsTunnelsAndOtherProtocolsByTheirNumberAlone) {
  // R022, R024
  for (const uint8_t number : {4, 41, 47, 50, 51, 132, 135, 255}) {
    for (FrameBuilder frame : {FrameBuilder(), V6()}) {
      const Packet packet = Parse(frame.Protocol(number).PayloadSize(64));
      EXPECT_EQ(packet.reason, Reason::kUndecided);
      EXPECT_EQ(packet.protocol, number);
      EXPECT_EQ(packet.source_port, 0);
    }
  }
}

TEST(ParseFrame, CountsWhatLiesBehindTheFirstSegment) {
  const Bytes frame = FrameBuilder().Udp(5000).PayloadSize(1000).Build();
  const Bytes start = Truncated(frame, 60);
  Packet packet;
  EXPECT_EQ(ParseFrame({start, static_cast<uint32_t>(frame.size())}, packet), Reason::kUndecided);
  EXPECT_EQ(packet.payload_length, 1000u);
  EXPECT_EQ(ParseFrame({start, 61}, packet), Reason::kIpv4TotalLength);
}

}  // namespace
}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// ParseFrame: IPv6 neighbour discovery and IGMP.
#include <gtest/gtest.h>

#include "dataplane/packet/packet.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using testing::Bytes;
using testing::FrameBuilder;
using testing::Ip;
using testing::Mac;
using testing::View;
using testing::WithByte;

const Bytes kSourceOption = {1, 1, 2, 0, 0, 0, 0, 1}, kTargetOption = {2, 1, 2, 0, 0, 0, 0, 2};

Packet Parse(const Bytes& bytes) {
  Packet packet;
  ParseFrame(View(bytes), packet);
  return packet;
}
Packet Parse(const FrameBuilder& frame) { return Parse(frame.Build()); }

FrameBuilder Local() { return FrameBuilder().From("fe80::1").To("fe80::9").HopLimit(255); }
Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
Bytes TargetBytes() {
  Bytes target(16);
  target[0] = 0xfd;
  target[15] = 9;
  return target;
}

TEST(Neighbour, OptionsTellLinkLayerAddresses) {
  // R057
  const Packet solicitation =
      Parse(Local().Icmp(135, 0).Payload(Join({TargetBytes(), kSourceOption})));
  EXPECT_TRUE(solicitation.nd.hop_limit_ok);
  EXPECT_EQ(solicitation.nd.target, Ip("fd00::9"));
  EXPECT_EQ(solicitation.nd.source_link_layer, Mac("02:00:00:00:00:01"));
  EXPECT_TRUE(solicitation.nd.target_link_layer.IsZero());
  const Packet advertisement =
      Parse(Local().Icmp(136, 0).Payload(Join({TargetBytes(), kTargetOption})));
  EXPECT_EQ(advertisement.nd.target_link_layer, Mac("02:00:00:00:00:02"));
}

TEST(Neighbour, RouterAdvertisementAndRedirectAreKindsOfTheirOwn) {
  // R057
  const Packet router = Parse(Local().Icmp(134, 0).Payload(Join({Bytes(8), kSourceOption})));
  EXPECT_EQ(router.icmp_kind, IcmpKind::kRouterAdvertisement);
  EXPECT_TRUE(router.nd.hop_limit_ok);
  EXPECT_EQ(router.nd.source_link_layer, Mac("02:00:00:00:00:01"));
  const Packet redirect =
      Parse(Local().Icmp(137, 0).Payload(Join({TargetBytes(), TargetBytes(), kTargetOption})));
  EXPECT_EQ(redirect.icmp_kind, IcmpKind::kRedirect);
  EXPECT_TRUE(redirect.nd.hop_limit_ok);
  EXPECT_EQ(redirect.nd.target, Ip("fd00::9"));
}

TEST(Neighbour, WhatAReceiverMustIgnoreIsNotTrusted) {
  // R057
  const FrameBuilder global = Local().From("fd00::1");
  const Bytes group_target = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  for (const auto& frame :
       {Local().Icmp(134, 0).PayloadSize(7), FrameBuilder(global).Icmp(134, 0).Payload(Bytes(8)),
        FrameBuilder(global).Icmp(137, 0).Payload(Bytes(32)), Local().Icmp(137, 0).PayloadSize(31),
        Local().Icmp(135, 0).Payload(group_target),
        Local().To("ff02::1").Icmp(136, 0, 0x40000000).Payload(TargetBytes()),
        Local().Icmp(135, 0).Payload(Join({TargetBytes(), {1, 0, 0, 0, 0, 0, 0, 0}})),
        Local().Icmp(135, 0).Payload(Join({TargetBytes(), {1, 2, 0, 0, 0, 0, 0, 0}})),
        Local().Icmp(135, 0).Payload(Join({TargetBytes(), {1, 1, 2, 0}})),
        Local().Icmp(135, 0).Payload(Join({TargetBytes(), {1, 2}, Bytes(14)}))}) {
    EXPECT_EQ(Parse(frame).reason, Reason::kUndecided);
    EXPECT_FALSE(Parse(frame).nd.hop_limit_ok);
  }
}

TEST(Neighbour, HostWithoutAddressAsksTheGroupAndNamesNoAddress) {
  // R057
  const FrameBuilder nobody = Local().From("::").To("ff02::1:ff00:9");
  const FrameBuilder detection = FrameBuilder(nobody).NeighbourSolicitation("fd00::9");
  EXPECT_TRUE(Parse(detection).nd.hop_limit_ok);
  EXPECT_FALSE(Parse(FrameBuilder(detection).To("fd00::9")).nd.hop_limit_ok);
  EXPECT_FALSE(
      Parse(FrameBuilder(detection).Payload(Join({TargetBytes(), kSourceOption}))).nd.hop_limit_ok);
  EXPECT_FALSE(Parse(FrameBuilder(nobody).Icmp(133, 0).Payload(kSourceOption)).nd.hop_limit_ok);
}

TEST(Neighbour, WrongChecksumIsNotTrusted) {
  // R057
  const Bytes frame = Local().NeighbourSolicitation("fd00::9").Build();
  EXPECT_TRUE(Parse(frame).nd.hop_limit_ok);
  EXPECT_FALSE(Parse(WithByte(frame, frame.size() - 1, 8)).nd.hop_limit_ok);
}

TEST(Igmp, TypeAndGroupAreRead) {
  const FrameBuilder frame = FrameBuilder().To("224.0.0.22");
  const Packet report = Parse(FrameBuilder(frame).Igmp(0x16, "239.1.2.3"));
  EXPECT_EQ(report.reason, Reason::kUndecided);
  EXPECT_EQ(report.protocol, protocol::kIgmp);
  EXPECT_EQ(report.igmp.type, 0x16);
  EXPECT_EQ(report.igmp.group, Ip("239.1.2.3"));
  EXPECT_EQ(Parse(FrameBuilder(frame).Igmp(0x11, "0.0.0.0")).igmp.group, Ip("0.0.0.0"));
}

TEST(Igmp, ReportOfVersionThreeTellsItsFirstGroup) {
  const Bytes report = {0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 239, 1, 2, 3};
  const FrameBuilder frame = FrameBuilder().To("224.0.0.22").Protocol(protocol::kIgmp);
  EXPECT_EQ(Parse(FrameBuilder(frame).Payload(report)).igmp.group, Ip("239.1.2.3"));
  const Bytes cut(report.begin(), report.end() - 1);
  EXPECT_EQ(Parse(FrameBuilder(frame).Payload(cut)).reason, Reason::kIgmpTruncated);
  EXPECT_EQ(Parse(FrameBuilder(frame).Payload(Bytes(7))).reason, Reason::kIgmpTruncated);
}

TEST(Igmp, InsideIpv6IsRefused) {
  EXPECT_EQ(Parse(FrameBuilder().From("fd00::1").To("ff02::1").Protocol(2).PayloadSize(8)).reason,
            Reason::kIcmpFamily);
}

}  // namespace
}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// ParseFrame: Ethernet, VLAN tags and ARP.
#include <gtest/gtest.h>

#include "dataplane/packet/packet.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using testing::Bytes;
using testing::FrameBuilder;
using testing::Ip;
using testing::Mac;
using testing::Truncated;
using testing::View;
using testing::WithByte;

constexpr size_t kEthernetLength = 14;

Packet Parse(const Bytes& bytes) {
  Packet packet;
  ParseFrame(View(bytes), packet);
  return packet;
}
Packet Parse(const FrameBuilder& frame) { return Parse(frame.Build()); }

TEST(ParseFrame, ReadsAddressesOfUntaggedFrames) {
  const Packet packet = Parse(FrameBuilder()
                                  .SourceMac(Mac("02:00:00:00:30:21"))
                                  .DestinationMac(Mac("02:00:00:00:00:fe"))
                                  .Udp(5000));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_TRUE(packet.has_ethernet);
  EXPECT_EQ(ToString(packet.source_mac), "02:00:00:00:30:21");
  EXPECT_EQ(ToString(packet.destination_mac), "02:00:00:00:00:fe");
  EXPECT_EQ(packet.vlan, VlanTags{});
  EXPECT_EQ(packet.ethertype, 0x0800);
}

TEST(ParseFrame, ReadsOneTagOfEachType) {
  for (const uint16_t tpid : {0x8100, 0x88a8, 0x9100}) {
    const Packet packet = Parse(FrameBuilder().Tag(tpid, 0xe000 | 30));
    EXPECT_EQ(packet.reason, Reason::kUndecided);
    EXPECT_EQ(packet.vlan, (VlanTags{30, 0}));
    EXPECT_EQ(packet.ethertype, 0x0800);
    EXPECT_EQ(packet.destination_port, 5000);
  }
}

TEST(ParseFrame, ReadsTwoTagsOuterFirst) {
  const Packet packet = Parse(FrameBuilder().Vlan({100, 30}));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.vlan, (VlanTags{100, 30}));
}

TEST(ParseFrame, TakesPriorityTagForUntagged) {
  const Packet packet = Parse(FrameBuilder().Tag(0x8100, 0xa000));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.vlan, VlanTags{});
}

// R052
TEST(ParseFrame, RefusesReservedVlanIds) {
  for (const auto& frame :
       {FrameBuilder().Tag(0x8100, 4095), FrameBuilder().Tag(0x88a8, 100).Tag(0x8100, 4095),
        FrameBuilder().Tag(0x88a8, 100).Tag(0x8100, 0),
        FrameBuilder().Tag(0x8100, 0).Tag(0x8100, 30)}) {
    EXPECT_EQ(Parse(frame).reason, Reason::kVlanIdReserved);
  }
}

// R052
TEST(ParseFrame, RefusesThirdTag) {
  const Packet packet = Parse(FrameBuilder().Tag(0x88a8, 1).Tag(0x8100, 2).Tag(0x8100, 3));
  EXPECT_EQ(packet.reason, Reason::kVlanTooManyTags);
  EXPECT_EQ(packet.vlan, (VlanTags{1, 2}));
}

TEST(ParseFrame, RefusesTagPastTheEnd) {
  const Bytes frame = FrameBuilder().Vlan({100, 30}).Build();
  EXPECT_EQ(Parse(Truncated(frame, 14)).reason, Reason::kVlanTruncated);
  EXPECT_EQ(Parse(Truncated(frame, 17)).reason, Reason::kVlanTruncated);
  EXPECT_EQ(Parse(Truncated(frame, 21)).reason, Reason::kVlanTruncated);
  EXPECT_EQ(Parse(Truncated(frame, 22)).reason, Reason::kIpv4Truncated);
}

TEST(ParseFrame, RefusesFrameShorterThanEthernetHeader) {
  const Packet packet = Parse(Truncated(FrameBuilder().Build(), 13));
  EXPECT_EQ(packet.reason, Reason::kFrameTooShort);
  EXPECT_FALSE(packet.has_ethernet);
  EXPECT_EQ(packet.frame_length, 13u);
  EXPECT_EQ(Parse(Bytes()).reason, Reason::kFrameTooShort);
}

// R050
TEST(ParseFrame, RefusesGroupOrZeroSourceMacButKeepsTheVlan) {
  for (const char* mac : {"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"}) {
    const Packet packet = Parse(FrameBuilder().SourceMac(Mac(mac)).Vlan(30));
    EXPECT_EQ(packet.reason, Reason::kSourceMacInvalid) << mac;
    EXPECT_EQ(packet.vlan.outer, 30);
    EXPECT_EQ(packet.source_mac, Mac(mac));
  }
}

TEST(ParseFrame, RefusesLlcAndForeignEthertypes) {
  for (const uint16_t ethertype : {0x0000, 0x0026, 0x05ff, 0x0600, 0x88cc, 0x888e, 0x8847}) {
    const Packet packet = Parse(FrameBuilder().Ethertype(ethertype));
    EXPECT_EQ(packet.reason, Reason::kEthertypeNotAllowed) << ethertype;
    EXPECT_EQ(packet.layer3, Layer3::kNone);
    EXPECT_EQ(packet.ethertype, ethertype);
  }
}

TEST(ParseFrame, LeavesNothingOfThePreviousFrame) {
  Packet packet;
  const Bytes tcp = FrameBuilder().Vlan({100, 30}).Tcp(104).FirstFragment().Build();
  const Bytes llc = FrameBuilder().Ethertype(0x26).Build();
  ParseFrame(View(tcp), packet);
  ParseFrame(View(llc), packet);
  EXPECT_EQ(packet.vlan, VlanTags{});
  EXPECT_EQ(packet.layer3, Layer3::kNone);
  EXPECT_EQ(packet.protocol, 0);
  EXPECT_EQ(packet.destination_port, 0);
  EXPECT_EQ(packet.source, IpAddress{});
  EXPECT_FALSE(packet.is_fragment);
}

TEST(ParseFrame, ReadsArpRequestsAndReplies) {
  const Packet request =
      Parse(FrameBuilder().SourceMac(Mac("02:00:00:00:30:21")).ArpRequest("10.0.0.1", "10.0.0.9"));
  EXPECT_EQ(request.reason, Reason::kUndecided);
  EXPECT_EQ(request.layer3, Layer3::kArp);
  EXPECT_EQ(request.arp.operation, 1);
  EXPECT_EQ(request.arp.sender_mac, Mac("02:00:00:00:30:21"));
  EXPECT_EQ(request.arp.sender_ip, Ip("10.0.0.1"));
  EXPECT_EQ(request.arp.target_ip, Ip("10.0.0.9"));
  EXPECT_TRUE(request.destination_mac.IsBroadcast());
  EXPECT_EQ(Parse(FrameBuilder().ArpReply("10.0.0.9", "10.0.0.1")).arp.operation, 2);
}

TEST(ParseFrame, TakesPaddedArp) {
  EXPECT_EQ(Parse(FrameBuilder().ArpRequest("10.0.0.1", "10.0.0.9").PadTo(60)).reason,
            Reason::kUndecided);
}

TEST(ParseFrame, RefusesCutArp) {
  const Bytes frame = FrameBuilder().ArpRequest("10.0.0.1", "10.0.0.9").Build();
  EXPECT_EQ(Parse(Truncated(frame, kEthernetLength + 27)).reason, Reason::kArpTruncated);
}

// R054
TEST(ParseFrame, RefusesArpOfOtherKinds) {
  const Bytes frame = FrameBuilder().ArpRequest("10.0.0.1", "10.0.0.9").Build();
  for (const auto& [offset, value] : std::initializer_list<std::pair<size_t, uint8_t>>{
           {1, 6}, {2, 0x86}, {4, 8}, {5, 16}, {7, 0}, {7, 3}, {6, 1}}) {
    EXPECT_EQ(Parse(WithByte(frame, kEthernetLength + offset, value)).reason, Reason::kArpMalformed)
        << offset;
  }
}

}  // namespace
}  // namespace cordon::dp

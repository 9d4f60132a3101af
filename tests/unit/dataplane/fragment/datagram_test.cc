// SPDX-License-Identifier: Apache-2.0
#include "dataplane/fragment/datagram.h"

#include <gtest/gtest.h>

#include "tests/support/packet_builder.h"

namespace cordon::dp::testing {
namespace {

Reason Check(const Piece& piece, uint8_t number = protocol::kUdp, Layer3 layer3 = Layer3::kIpv4) {
  return CheckPiece(piece, number, layer3);
}

Packet Parsed(const FrameBuilder& frame) {
  Packet packet;
  ParseFrame(View(frame.Build()), packet);
  return packet;
}

FrameBuilder V6() { return FrameBuilder().From("fd00::1").To("fd00::9"); }

TEST(CheckPiece, RefusesPiecesBehindTheLongestDatagram) {
  // R034
  EXPECT_EQ(Check({65'512, 3, false, 0}), Reason::kUndecided);  // with 20 bytes of header
  EXPECT_EQ(Check({65'512, 4, false, 0}), Reason::kFragmentTooBig);
  EXPECT_EQ(Check({65'528, 65'528, true, 0}), Reason::kFragmentTooBig);
  EXPECT_EQ(Check({65'528, 7, false, 0}, protocol::kUdp, Layer3::kIpv6), Reason::kUndecided);
  EXPECT_EQ(Check({65'528, 8, false, 0}, protocol::kUdp, Layer3::kIpv6), Reason::kFragmentTooBig);
}

TEST(CheckPiece, RefusesPiecesOfBrokenUnitsUnlessTheyAreTheLast) {
  // R035
  EXPECT_EQ(Check({0, 63, true, 0}), Reason::kFragmentMisaligned);
  EXPECT_EQ(Check({64, 65, true, 0}), Reason::kFragmentMisaligned);
  EXPECT_EQ(Check({64, 65, false, 0}), Reason::kUndecided);
}

TEST(CheckPiece, RefusesPiecesThatSplitATcpHeader) {
  // R037
  EXPECT_EQ(Check({0, 16, true, 0}, protocol::kTcp), Reason::kFragmentTooSmall);
  EXPECT_EQ(Check({0, 24, true, 0}, protocol::kTcp), Reason::kUndecided);
  EXPECT_EQ(Check({8, 64, true, 0}, protocol::kTcp), Reason::kFragmentTooSmall);
  EXPECT_EQ(Check({24, 64, true, 0}, protocol::kTcp), Reason::kUndecided);
  EXPECT_EQ(Check({8, 64, true, 0}, protocol::kUdp), Reason::kUndecided);
}

TEST(CheckPiece, RefusesEmptyPieces) {
  EXPECT_EQ(Check({0, 0, true, 0}), Reason::kFragmentTooSmall);
  EXPECT_EQ(Check({64, 0, false, 0}), Reason::kFragmentTooSmall);
}

TEST(CheckPiece, RefusesAFragmentInAFragment) {
  // R040
  EXPECT_EQ(Check({64, 8, false, 0}, 44, Layer3::kIpv6), Reason::kIpv6ExtensionChain);
}

TEST(PieceOf, TellsWhereTheBytesLieAndTellsDifferentOnesApart) {
  const FrameBuilder base = FrameBuilder().Protocol(protocol::kUdp).NextFragment(64);
  const Piece piece = PieceOf(Parsed(FrameBuilder(base).Payload("abcdefgh12345678")));
  EXPECT_EQ(piece.offset, 64);
  EXPECT_EQ(piece.length, 16);
  EXPECT_TRUE(piece.more);
  const auto digest = [&](const char* payload) {
    return PieceOf(Parsed(FrameBuilder(base).Payload(payload))).digest;
  };
  EXPECT_EQ(digest("abcdefgh12345678"), piece.digest);
  EXPECT_NE(digest("abcdefgh12345679"), piece.digest);
  EXPECT_NE(digest("12345678abcdefgh"), piece.digest);
}

TEST(DatagramKeyOf, NamesThePlaceAndTheDevice) {
  // R045
  const Packet packet = Parsed(FrameBuilder().Vlan({100, 30}).Udp(5000).FirstFragment());
  const DatagramKey from_device = DatagramKeyOf(packet, Side::kDevice, 3);
  EXPECT_EQ(from_device.device_mac, packet.source_mac);
  EXPECT_EQ(from_device.vlan, (VlanTags{100, 30}));
  EXPECT_EQ(from_device.pair, 3);
  EXPECT_EQ(from_device.protocol, protocol::kUdp);
  EXPECT_EQ(DatagramKeyOf(packet, Side::kNetwork, 3).device_mac, packet.destination_mac);
}

TEST(DatagramKeyOf, LeavesOutTheProtocolOfIpv6) {
  // R045: only the first piece tells it (RFC 8200 4.5).
  const Packet first = Parsed(V6().Udp(5000).FirstFragment());
  const Packet later = Parsed(V6().Protocol(60).NextFragment(64));
  EXPECT_EQ(DatagramKeyOf(first, Side::kDevice, 0), DatagramKeyOf(later, Side::kDevice, 0));
}

}  // namespace
}  // namespace cordon::dp::testing

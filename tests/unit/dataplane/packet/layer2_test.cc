// SPDX-License-Identifier: Apache-2.0
// Which control protocol a frame is that is neither ARP nor IP.
#include <gtest/gtest.h>

#include "tests/support/packet_builder.h"

namespace cordon::dp::testing {
namespace {

// A frame to `destination` with `type` behind its addresses and `payload` behind that.
L2Kind KindOf(std::string_view destination, uint16_t type, const Bytes& payload) {
  Bytes frame = FrameBuilder().DestinationMac(Mac(destination)).Ethertype(type).Build();
  frame.resize(14);
  frame.insert(frame.end(), payload.begin(), payload.end());
  Packet packet;
  EXPECT_EQ(ParseFrame(View(frame), packet), Reason::kEthertypeNotAllowed);
  EXPECT_EQ(packet.guard, GuardKind::kLayer2);
  return packet.l2_kind;
}

// R051
TEST(ParseLayer2, KnowsControlProtocolsByAddressAndHeader) {
  EXPECT_EQ(KindOf("01:80:c2:00:00:03", 0x888e, {1, 1, 0, 0}), L2Kind::kEapol);
  EXPECT_EQ(KindOf("02:00:00:00:00:09", 0x888e, {1, 1, 0, 0}), L2Kind::kEapol);
  EXPECT_EQ(KindOf("01:80:c2:00:00:0e", 0x88cc, {2, 7}), L2Kind::kLldp);
  EXPECT_EQ(KindOf("01:80:c2:00:00:02", 0x8809, {1, 1}), L2Kind::kLacp);
  EXPECT_EQ(KindOf("01:1b:19:00:00:00", 0x88f7, {0}), L2Kind::kPtp);
  EXPECT_EQ(KindOf("ff:ff:ff:ff:ff:ff", 0x8035, {0, 1}), L2Kind::kRarp);
}

// R051
TEST(ParseLayer2, KnowsSpanningTreeAndCdpAmongLlcFrames) {
  const Bytes bpdu = {0x42, 0x42, 3, 0, 0, 0, 0, 0};
  EXPECT_EQ(KindOf("01:80:c2:00:00:00", 8, bpdu), L2Kind::kStp);
  const Bytes per_vlan = {0xaa, 0xaa, 3, 0, 0, 0x0c, 1, 0x0b};
  EXPECT_EQ(KindOf("01:00:0c:cc:cc:cd", 8, per_vlan), L2Kind::kStp);
  const Bytes discovery = {0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0};
  EXPECT_EQ(KindOf("01:00:0c:cc:cc:cc", 8, discovery), L2Kind::kCdp);
}

// R051: what looks like a control protocol but goes elsewhere is none
TEST(ParseLayer2, AControlProtocolToAnotherAddressIsNone) {
  EXPECT_EQ(KindOf("02:00:00:00:00:09", 0x88cc, {2, 7}), L2Kind::kOther);
  EXPECT_EQ(KindOf("ff:ff:ff:ff:ff:ff", 0x888e, {1, 1}), L2Kind::kOther);
  EXPECT_EQ(KindOf("02:00:00:00:00:09", 8, {0x42, 0x42, 3, 0, 0, 0, 0, 0}), L2Kind::kLlc);
  EXPECT_EQ(KindOf("01:00:0c:cc:cc:cc", 8, {0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 4}), L2Kind::kLlc);
  EXPECT_EQ(KindOf("01:80:c2:00:00:02", 0x8809, {3, 1}), L2Kind::kOther);
}

// R053
TEST(ParseLayer2, AHeaderCutShortIsNoControlProtocol) {
  EXPECT_EQ(KindOf("01:80:c2:00:00:00", 3, {0x42, 0x42, 3}), L2Kind::kLlc);
  EXPECT_EQ(KindOf("01:80:c2:00:00:00", 60, {0x42, 0x42, 3, 0}), L2Kind::kLlc) << "length too long";
  EXPECT_EQ(KindOf("01:00:0c:cc:cc:cc", 7, {0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20}), L2Kind::kLlc);
  EXPECT_EQ(KindOf("01:80:c2:00:00:02", 0x8809, {}), L2Kind::kOther);
}

}  // namespace
}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// L4 checksums in ParseFrame, and the sums beneath them against RFC 1071 word by word.
#include "dataplane/packet/checksum.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/packet/packet.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using testing::Bytes;
using testing::FrameBuilder;
using testing::Truncated;
using testing::View;
using testing::WithByte;

FrameBuilder V6() { return FrameBuilder().From("fd00::1").To("fd00::9"); }

std::vector<FrameBuilder> OneOfEachKind() {
  const FrameBuilder quoted = FrameBuilder().Udp(53).PayloadSize(9);
  return {FrameBuilder().Tcp(104).PayloadSize(1459),
          FrameBuilder().Udp(5000).PayloadSize(33),
          FrameBuilder().EchoRequest(1).PayloadSize(56),
          FrameBuilder().IcmpError(3, 3, quoted.Reversed()),
          FrameBuilder().To("224.0.0.22").Igmp(0x16, "239.1.1.1"),
          V6().Tcp(104).PayloadSize(8),
          V6().Udp(5000).PayloadSize(1),
          V6().Extension(60).Udp(5000).PayloadSize(1),
          V6().EchoRequest(1),
          V6().NeighbourSolicitation("fd00::9")};
}

bool FailsChecksum(const Frame& frame) {
  Packet packet;
  EXPECT_EQ(ParseFrame(frame, packet), Reason::kUndecided) << ToString(packet.reason);
  return (packet.anomalies & MaskOf(Check::kL4Checksum)) != 0;
}

// RFC 1071 as it stands: big-endian words, folded, 0xffff for a whole.
uint16_t PlainSum(std::span<const uint8_t> bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    sum += static_cast<uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(sum);
}

TEST(Checksum, SumsAgreeWithTheStandardForEveryLength) {
  std::mt19937 random(1);
  Bytes bytes(9001);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  for (size_t length : {0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 127, 128, 129, 191, 1480, 9001}) {
    const auto part = std::span(bytes).first(length);
    const ChecksumPart expected = ChecksumOfField(PlainSum(part));
    EXPECT_EQ(ChecksumOf(part) % 0xffff, expected % 0xffff) << length;
  }
}

TEST(Checksum, NothingButZerosIsNotRight) {
  EXPECT_FALSE(IsChecksumRight(0));
  EXPECT_TRUE(IsChecksumRight(0xffff));
  EXPECT_TRUE(
      FailsChecksum(View(FrameBuilder().Protocol(protocol::kIcmp).Payload(Bytes(8)).Build())));
}

TEST(L4Checksum, RightOnesOfEveryKindAreCleanUntaggedAndTagged) {
  // R029
  for (FrameBuilder frame : OneOfEachKind()) {
    for (const VlanTags vlan : {VlanTags{}, VlanTags{30, 0}, VlanTags{100, 30}}) {
      EXPECT_FALSE(FailsChecksum(View(frame.Vlan(vlan).Build())));
      EXPECT_FALSE(FailsChecksum(View(frame.PadTo(1700).Build())));
    }
  }
}

TEST(L4Checksum, OneWrongBitOfEveryKindFails) {
  // R029
  for (const FrameBuilder& frame : OneOfEachKind()) {
    const Bytes right = frame.Build();
    const size_t last = right.size() - 1;
    EXPECT_TRUE(FailsChecksum(View(WithByte(right, last, right[last] ^ 1))));
  }
  EXPECT_NE(ChecksOf(Protection::kStandard) & MaskOf(Check::kL4Checksum), 0u);
}

TEST(L4Checksum, UdpMayHaveNoneInIpv4Only) {
  const auto without = [](const FrameBuilder& frame, size_t at) {
    return WithByte(WithByte(frame.Build(), at, 0), at + 1, 0);
  };
  EXPECT_FALSE(FailsChecksum(View(without(FrameBuilder().Udp(5000).Payload("x"), 14 + 20 + 6))));
  EXPECT_TRUE(FailsChecksum(View(without(V6().Udp(5000).Payload("x"), 14 + 40 + 6))));
}

TEST(L4Checksum, FragmentsAreNotLookedAt) {
  const Bytes first = FrameBuilder().Udp(5000).PayloadSize(64).FirstFragment().Build();
  EXPECT_FALSE(FailsChecksum(View(WithByte(first, 50, 1))));
}

TEST(L4Checksum, BytesBehindTheFirstSegmentCountByTheirSum) {
  const Bytes whole = FrameBuilder().Tcp(104).PayloadSize(1001).Build();
  for (const size_t split : {54, 55, 100, 101, 1054}) {
    const Bytes start = Truncated(whole, split);
    const uint16_t tail_sum = PlainSum(std::span(whole).subspan(split));
    const auto length = static_cast<uint32_t>(whole.size());
    EXPECT_FALSE(FailsChecksum({start, length, tail_sum})) << split;
    EXPECT_TRUE(FailsChecksum({start, length, static_cast<uint16_t>(tail_sum ^ 1)})) << split;
  }
}

TEST(L4Checksum, TrailerBehindTheFirstSegmentCannotBeToldAndFails) {
  const Bytes padded = FrameBuilder().Tcp(104).PayloadSize(1000).PadTo(1100).Build();
  const Bytes start = Truncated(padded, 200);
  const uint16_t tail_sum = PlainSum(std::span(padded).subspan(200));
  EXPECT_TRUE(FailsChecksum({start, static_cast<uint32_t>(padded.size()), tail_sum}));
  EXPECT_FALSE(FailsChecksum(View(padded)));
}

}  // namespace
}  // namespace cordon::dp

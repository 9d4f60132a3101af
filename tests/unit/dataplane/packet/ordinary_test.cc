// SPDX-License-Identifier: Apache-2.0
// The short way through the parser must never see anything but what the whole parser sees.
#include "dataplane/packet/ordinary.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using namespace testing;

void ExpectSameFacts(const OrdinaryPacket& ordinary, const Packet& packet) {
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.anomalies & ~kFlowChecks, 0u);
  EXPECT_FALSE(packet.is_fragment);
  EXPECT_EQ(ordinary.source_mac, packet.source_mac.value);
  EXPECT_EQ(ordinary.destination_mac, packet.destination_mac.value);
  EXPECT_EQ((VlanTags{ordinary.vlan_outer, ordinary.vlan_inner}), packet.vlan);
  EXPECT_EQ(ordinary.protocol, packet.protocol);
  EXPECT_EQ(ordinary.source_port, packet.source_port);
  EXPECT_EQ(ordinary.destination_port, packet.destination_port);
  EXPECT_EQ(ordinary.payload_length, packet.payload_length);
  EXPECT_EQ(ordinary.is_ipv6, packet.layer3 == Layer3::kIpv6);
  EXPECT_EQ(ordinary.is_ipv6 ? IpAddress(ordinary.source_v6) : IpAddress::V4(ordinary.source_v4),
            packet.source);
  EXPECT_EQ(ordinary.is_ipv6 ? IpAddress(ordinary.destination_v6)
                             : IpAddress::V4(ordinary.destination_v4),
            packet.destination);
  if (packet.protocol != protocol::kTcp) return;
  EXPECT_EQ(ordinary.tcp_flags, packet.tcp_flags);
  EXPECT_EQ(ordinary.tcp_sequence, packet.tcp_sequence);
  EXPECT_EQ(ordinary.tcp_acknowledgment, packet.tcp_acknowledgment);
  EXPECT_EQ(ordinary.tcp_window, packet.tcp_window);
}

// Adds what is missing to the Internet checksum at `at`, so that mutations are not all found by it.
void Repair(Bytes& frame, size_t from, size_t to, size_t at, ChecksumPart extra) {
  frame[at] = frame[at + 1] = 0;
  const ChecksumPart sum = extra + ChecksumOf(std::span(frame).subspan(from, to - from));
  const auto missing = static_cast<uint16_t>(~FoldChecksum(sum));
  std::memcpy(&frame[at], &missing, sizeof(missing));
}

struct Seed {
  Bytes frame;
  size_t ip;         // where the IP header begins
  size_t addresses;  // its addresses
  size_t transport;
};

std::vector<Seed> Seeds() {
  const Station device{Mac("02:00:00:00:00:21"), Ip("10.0.0.2"), {}};
  const Station device6{Mac("02:00:00:00:00:21"), Ip("fd00::2"), {}};
  const uint8_t data = tcp_flag::kAck | tcp_flag::kPsh;
  const Bytes timestamps = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
  FrameBuilder v4 = FrameBuilder().FromDevice(device).To("10.0.0.9").PayloadSize(21);
  FrameBuilder v6 = FrameBuilder().FromDevice(device6).To("fd00::9").PayloadSize(40);
  return {{FrameBuilder(v4).Tcp(4000, 104, data).Build(), 14, 26, 34},
          {FrameBuilder(v4).Tcp(4000, 104, data).TcpOptions(timestamps).Build(), 14, 26, 34},
          {FrameBuilder(v4).Vlan(30).Tcp(4000, 104, data).Build(), 18, 30, 38},
          {FrameBuilder(v4).Udp(4000, 5000).PadTo(80).Build(), 14, 26, 34},
          {FrameBuilder(v6).Tcp(4000, 104, data).Build(), 14, 22, 54},
          {FrameBuilder(v6).Udp(4000, 5000).Build(), 14, 22, 54}};
}

TEST(ParseOrdinary, TakesTheFramesOfRunningConversations) {
  for (const Seed& seed : Seeds()) {
    OrdinaryPacket ordinary;
    Packet packet;
    ParseFrame(View(seed.frame), packet);
    ASSERT_EQ(ParseOrdinary(View(seed.frame), ordinary), Ordinariness::kOrdinary);
    ExpectSameFacts(ordinary, packet);
  }
}

TEST(ParseOrdinary, LeavesChainedFramesAlone) {
  OrdinaryPacket ordinary;
  const Bytes frame = Seeds()[0].frame;
  EXPECT_EQ(ParseOrdinary({frame, static_cast<uint32_t>(frame.size() + 100), 0}, ordinary),
            Ordinariness::kOtherTcp);
}

// Addresses stay as they are: they are part of the flow, whose admission has judged them.
TEST(ParseOrdinary, AgreesWithTheWholeParserOnMutatedFrames) {
  std::mt19937 random(1);
  size_t taken = 0;
  for (int round = 0; round < 60'000; ++round) {
    Seed seed = Seeds()[random() % 6];
    const size_t address_bytes = seed.transport - seed.addresses;
    for (unsigned i = random() % 3; i-- > 0;) {
      size_t at = 12 + random() % (seed.frame.size() - 12);
      if (at >= seed.addresses && at < seed.transport) at = seed.transport + at % 20;
      seed.frame[at] = static_cast<uint8_t>(random() % 4 == 0 ? random() : 1u << random() % 8);
    }
    if (random() % 8 == 0) seed.frame.resize(random() % seed.frame.size());
    if (address_bytes == 8 && seed.frame.size() > seed.transport && random() % 2 == 0) {
      Repair(seed.frame, seed.ip, seed.ip + 20, seed.ip + 10, 0);
    }
    OrdinaryPacket ordinary;
    Packet packet;
    ParseFrame(View(seed.frame), packet);
    if (ParseOrdinary(View(seed.frame), ordinary) != Ordinariness::kOrdinary) continue;
    ++taken;
    ExpectSameFacts(ordinary, packet);
    if (HasFailure()) return;
  }
  EXPECT_GT(taken, 15'000u);
}

}  // namespace
}  // namespace cordon::dp

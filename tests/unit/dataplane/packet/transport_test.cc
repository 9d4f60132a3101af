// SPDX-License-Identifier: Apache-2.0
// ParseFrame: TCP, UDP, ICMP and ICMPv6; and that no read leaves the frame.
#include <gtest/gtest.h>

#include <memory>

#include "dataplane/packet/packet.h"
#include "tests/support/packet_builder.h"
#include "tests/support/repair.h"

namespace cordon::dp {
namespace {

using namespace tcp_flag;
using testing::Bytes;
using testing::FrameBuilder;
using testing::Ip;
using testing::Truncated;
using testing::View;
using testing::WithByte;

constexpr size_t kL4 = 14 + 20;  // where layer 4 starts in an IPv4 frame

Packet Parse(const Bytes& bytes) {
  Packet packet;
  ParseFrame(View(bytes), packet);
  return packet;
}
Packet Parse(const FrameBuilder& frame) { return Parse(frame.Build()); }

FrameBuilder V6() { return FrameBuilder().From("fd00::1").To("fd00::9"); }

TEST(ParseFrame, ReadsTcp) {
  const Packet packet = Parse(FrameBuilder()
                                  .Tcp(49152, 104, kAck | kPsh)
                                  .Sequence(0xfedcba98, 0x12345678)
                                  .Window(512)
                                  .TcpOptions(Bytes(12, 1))
                                  .Payload("C-STORE"));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.source_port, 49152);
  EXPECT_EQ(packet.destination_port, 104);
  EXPECT_EQ(packet.tcp_flags, kAck | kPsh);
  EXPECT_EQ(packet.tcp_sequence, 0xfedcba98);
  EXPECT_EQ(packet.tcp_acknowledgment, 0x12345678u);
  EXPECT_EQ(packet.tcp_window, 512);
  EXPECT_EQ(packet.payload_length, 7u);
}

TEST(ParseFrame, MasksEcnFlags) {
  EXPECT_EQ(Parse(FrameBuilder().Tcp(1, 2, kSyn | 0xc0)).tcp_flags, kSyn);
}

TEST(ParseFrame, RefusesTcpDataOffsetOutOfRange) {
  // R026
  const Bytes frame = FrameBuilder().Tcp(104).Build();
  EXPECT_EQ(Parse(WithByte(frame, kL4 + 12, 0x40)).reason, Reason::kTcpHeaderLength);
  EXPECT_EQ(Parse(WithByte(frame, kL4 + 12, 0x60)).reason, Reason::kTcpHeaderLength);
}

TEST(ParseFrame, RefusesTcpHeaderInThePadding) {
  const FrameBuilder frame = FrameBuilder().Protocol(protocol::kTcp).Payload(Bytes(19)).PadTo(90);
  EXPECT_EQ(Parse(frame).reason, Reason::kTcpTruncated);
}

TEST(ParseFrame, TakesFlagsThatRealStacksSend) {
  for (const int flags : {+kSyn, kSyn | kAck, +kAck, kAck | kPsh, kFin | kAck, kFin | kAck | kPsh,
                          +kRst, kRst | kAck, kAck | kUrg, kAck | kPsh | kUrg, kSyn | kPsh}) {
    EXPECT_EQ(Parse(FrameBuilder().Tcp(1, 2, static_cast<uint8_t>(flags))).reason,
              Reason::kUndecided)
        << flags;
  }
}

TEST(ParseFrame, RefusesFlagsThatOnlyScannersSend) {
  // R027
  for (const int flags :
       {0, +kFin, kFin | kPsh | kUrg, kSyn | kFin, kSyn | kRst, kSyn | kFin | kAck, kFin | kRst,
        kFin | kRst | kAck, +kPsh, +kUrg, kSyn | kUrg, 0x3f}) {
    EXPECT_EQ(Parse(FrameBuilder().Tcp(1, 2, static_cast<uint8_t>(flags))).reason,
              Reason::kTcpFlags)
        << flags;
  }
}

TEST(ParseFrame, ReadsUdpWithAndWithoutPayload) {
  EXPECT_EQ(Parse(FrameBuilder().Udp(68, 67).PayloadSize(300)).payload_length, 300u);
  const Packet empty = Parse(FrameBuilder().Udp(123));
  EXPECT_EQ(empty.reason, Reason::kUndecided);
  EXPECT_EQ(empty.payload_length, 0u);
}

TEST(ParseFrame, RefusesUdpLengthOutOfRange) {
  // R025
  const Bytes frame = FrameBuilder().Udp(5000).PayloadSize(4).PadTo(60).Build();
  EXPECT_EQ(Parse(WithByte(frame, kL4 + 5, 7)).reason, Reason::kUdpLength);
  EXPECT_EQ(Parse(WithByte(frame, kL4 + 5, 13)).reason, Reason::kUdpLength);
  EXPECT_EQ(Parse(WithByte(frame, kL4 + 5, 8)).payload_length, 0u);
  EXPECT_EQ(Parse(FrameBuilder().Protocol(protocol::kUdp).Payload(Bytes(7)).PadTo(60)).reason,
            Reason::kUdpTruncated);
}

TEST(ParseFrame, RefusesPortZero) {
  // R028
  for (const auto& frame : {FrameBuilder().Udp(0, 5), FrameBuilder().Udp(5, 0),
                            FrameBuilder().Tcp(0, 5), FrameBuilder().Tcp(5, 0)}) {
    EXPECT_EQ(Parse(frame).reason, Reason::kPortZero);
  }
}

TEST(ParseFrame, TellsIcmpRequestsFromReplies) {
  const Packet request = Parse(FrameBuilder().EchoRequest(0x1234));
  EXPECT_EQ(request.reason, Reason::kUndecided);
  EXPECT_EQ(request.icmp_kind, IcmpKind::kRequest);
  EXPECT_EQ(request.icmp_type, 8);
  EXPECT_EQ(request.icmp_id, 0x1234);
  const Packet reply = Parse(V6().EchoReply(0x4321));
  EXPECT_EQ(reply.icmp_kind, IcmpKind::kReply);
  EXPECT_EQ(reply.icmp_type, 129);
  EXPECT_EQ(reply.icmp_id, 0x4321);
}

TEST(ParseFrame, KnowsTheKindOfEveryIcmpType) {
  for (int type = 0; type < 256; ++type) {
    const bool error = type == 3 || type == 11;  // 4, 5 and 12: see MustBeNamed
    const bool reply = type == 0 || type == 14 || type == 16 || type == 18;
    const Packet packet = Parse(FrameBuilder().Icmp(static_cast<uint8_t>(type), 0));
    EXPECT_EQ(packet.icmp_kind, error   ? IcmpKind::kError
                                : reply ? IcmpKind::kReply
                                        : IcmpKind::kRequest);
    EXPECT_EQ(packet.reason, error ? Reason::kIcmpTruncated : Reason::kUndecided);
  }
}

TEST(ParseFrame, KnowsTheKindOfEveryIcmpv6Type) {
  for (int type = 0; type < 256; ++type) {
    const IcmpKind kind = type >= 1 && type <= 4                      ? IcmpKind::kError
                          : type == 129                               ? IcmpKind::kReply
                          : type == 133 || type == 135 || type == 136 ? IcmpKind::kNeighbour
                          : type == 134 ? IcmpKind::kRouterAdvertisement
                          : type == 137 ? IcmpKind::kRedirect
                                        : IcmpKind::kRequest;
    EXPECT_EQ(Parse(V6().Icmp(static_cast<uint8_t>(type), 0)).icmp_kind, kind) << type;
  }
}

TEST(ParseFrame, RefusesIcmpOfTheOtherFamily) {
  EXPECT_EQ(Parse(V6().Protocol(protocol::kIcmp).PayloadSize(8)).reason, Reason::kIcmpFamily);
  EXPECT_EQ(Parse(FrameBuilder().Protocol(protocol::kIcmpv6).PayloadSize(8)).reason,
            Reason::kIcmpFamily);
}

TEST(ParseFrame, RefusesIcmpShorterThanEightBytes) {
  EXPECT_EQ(Parse(FrameBuilder().Protocol(protocol::kIcmp).Payload(Bytes(7))).reason,
            Reason::kIcmpTruncated);
}

TEST(ParseFrame, ReadsThePacketThatAnIcmpErrorQuotes) {
  const FrameBuilder offender = FrameBuilder().From("10.0.0.1").To("10.0.0.9").Tcp(40001, 104);
  const Packet packet = Parse(FrameBuilder().From("10.0.0.254").IcmpError(3, 4, offender));
  EXPECT_EQ(packet.reason, Reason::kUndecided);
  EXPECT_EQ(packet.icmp_kind, IcmpKind::kError);
  EXPECT_EQ(packet.quoted.source, Ip("10.0.0.1"));
  EXPECT_EQ(packet.quoted.destination, Ip("10.0.0.9"));
  EXPECT_EQ(packet.quoted.protocol, protocol::kTcp);
  EXPECT_EQ(packet.quoted.source_port, 40001);
  EXPECT_EQ(packet.quoted.destination_port, 104);
}

TEST(ParseFrame, ReadsQuotesBehindOptionsAndExtensions) {
  const FrameBuilder v4 = FrameBuilder().Ipv4Options({1, 1, 1}).EchoRequest(7);
  const Packet packet = Parse(FrameBuilder().IcmpError(11, 0, v4, 32));
  EXPECT_EQ(packet.quoted.icmp_type, 8);
  EXPECT_EQ(packet.quoted.icmp_id, 7);
  const FrameBuilder v6 = V6().Extension(60).Udp(53).FirstFragment();
  const Packet packet_v6 = Parse(V6().IcmpError(2, 0, v6, 40 + 8 + 8 + 8));
  EXPECT_EQ(packet_v6.reason, Reason::kUndecided);
  EXPECT_EQ(packet_v6.quoted.protocol, protocol::kUdp);
  EXPECT_EQ(packet_v6.quoted.destination_port, 53);
}

TEST(ParseFrame, RefusesQuotesThatAreCutForeignOrLaterFragments) {
  for (const auto& frame :
       {FrameBuilder().IcmpError(3, 1, FrameBuilder().Udp(53), 27),
        FrameBuilder().IcmpError(3, 1, FrameBuilder().Ipv4Options({1}).Udp(53), 31),
        FrameBuilder().IcmpError(3, 1, V6().Udp(53)),
        FrameBuilder().IcmpError(3, 1, FrameBuilder().PayloadSize(64).NextFragment(64)),
        V6().IcmpError(1, 0, FrameBuilder().Udp(53).PayloadSize(64)),
        V6().IcmpError(1, 0, V6().Udp(53), 47),
        V6().IcmpError(1, 0, V6().Extension(60, Bytes(14)).Udp(53), 60),
        V6().IcmpError(1, 0, V6().Udp(53).PayloadSize(64).LastFragment(64)),
        V6().IcmpError(1, 0, V6().To(IpAddress::V4(0x0a000001)).Udp(53))}) {
    EXPECT_EQ(Parse(frame).reason, Reason::kIcmpTruncated);
  }
}

TEST(ParseFrame, ReadsNeighbourDiscovery) {
  const Packet solicitation = Parse(V6().To("ff02::1:ff00:9").NeighbourSolicitation("fd00::9"));
  EXPECT_EQ(solicitation.reason, Reason::kUndecided);
  EXPECT_EQ(solicitation.icmp_kind, IcmpKind::kNeighbour);
  EXPECT_EQ(solicitation.nd.target, Ip("fd00::9"));
  EXPECT_TRUE(solicitation.nd.hop_limit_ok);
  EXPECT_TRUE(Parse(V6().NeighbourAdvertisement("fd00::1")).nd.hop_limit_ok);
  const Packet router = Parse(V6().RouterSolicitation());
  EXPECT_TRUE(router.nd.hop_limit_ok);
  EXPECT_TRUE(router.nd.target.IsUnspecified());
}

TEST(ParseFrame, DistrustsNeighbourDiscoveryThatWasRoutedCutHiddenOrFragmented) {
  const FrameBuilder good = V6().NeighbourSolicitation("fd00::9");
  for (const auto& frame :
       {FrameBuilder(good).HopLimit(254), FrameBuilder(good).Payload(Bytes(15)),
        FrameBuilder(good).AtomicFragment(), FrameBuilder(good).FirstFragment(),
        FrameBuilder(good).Extension(60), V6().HopLimit(255).Icmp(135, 1).PayloadSize(16)}) {
    const Packet packet = Parse(frame);
    EXPECT_EQ(packet.icmp_kind, IcmpKind::kNeighbour);
    EXPECT_FALSE(packet.nd.hop_limit_ok);
  }
}

std::vector<Bytes> OneOfEachKind() {
  const FrameBuilder tcp = FrameBuilder().Tcp(104).TcpOptions(Bytes(12, 1)).PayloadSize(9);
  const FrameBuilder deep = V6().Extension(0).Extension(60, Bytes(14)).Extension(43, {2}).Udp(53);
  return {FrameBuilder(tcp).Build(),
          FrameBuilder(tcp).Vlan({100, 30}).Ipv4Options({148, 4, 0, 0, 1, 7, 3, 4}).Build(),
          FrameBuilder().PayloadSize(32).FirstFragment().PadTo(90).Build(),
          FrameBuilder().ArpRequest("10.0.0.1", "10.0.0.2").Vlan(30).Build(),
          FrameBuilder().EchoRequest(1).PayloadSize(8).Build(),
          FrameBuilder().IcmpError(3, 4, FrameBuilder(tcp).Ipv4Options({1, 1})).Build(),
          FrameBuilder(deep).PayloadSize(8).Build(),
          FrameBuilder(deep).FirstFragment().Build(),
          V6().IcmpError(2, 0, FrameBuilder(deep).PayloadSize(8)).Build(),
          V6().NeighbourSolicitation("fd00::9").Vlan({100, 30}).Build()};
}

// The copy is exactly as long as the frame, so that AddressSanitizer sees one byte too many.
Reason ParseExactCopy(std::span<const uint8_t> bytes, uint32_t length) {
  const auto copy = std::make_unique_for_overwrite<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  Packet packet;
  return ParseFrame({{copy.get(), bytes.size()}, length}, packet);
}

TEST(ParseFrame, NeverReadsPastTheEndOfAnyPrefix) {
  // R053
  for (const Bytes& frame : OneOfEachKind()) {
    for (size_t size = 0; size <= frame.size(); ++size) {
      const auto prefix = std::span(frame).first(size);
      ParseExactCopy(prefix, static_cast<uint32_t>(size));
      ParseExactCopy(prefix, static_cast<uint32_t>(frame.size()));  // the rest in a later segment
      ParseExactCopy(prefix, 0);                                    // a length that lies
    }
  }
}

TEST(ParseFrame, NeverReadsPastTheEndWhateverOneByteSays) {
  for (const Bytes& frame : OneOfEachKind()) {
    for (size_t offset = 12; offset < frame.size(); ++offset) {
      for (const int value : {0x00, 0x01, 0x2c, 0x3c, 0x45, 0x4f, 0x60, 0x7f, 0x81, 0xf0, 0xff}) {
        Bytes changed = WithByte(frame, offset, static_cast<uint8_t>(value));
        testing::RepairIpv4Checksum(changed);
        ParseExactCopy(changed, static_cast<uint32_t>(changed.size()));
      }
    }
  }
}

}  // namespace
}  // namespace cordon::dp

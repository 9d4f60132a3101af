// SPDX-License-Identifier: Apache-2.0
// ParseFrame: TCP options and urgent data, UDP lengths, path MTUs.
#include <gtest/gtest.h>

#include "dataplane/packet/packet.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using namespace tcp_flag;
using testing::Bytes;
using testing::FrameBuilder;
using testing::View;

Packet Parse(const FrameBuilder& frame) {
  const Bytes bytes = frame.Build();
  Packet packet;
  ParseFrame(View(bytes), packet);
  return packet;
}

CheckMask Anomalies(const FrameBuilder& frame) {
  const Packet packet = Parse(frame);
  EXPECT_EQ(packet.reason, Reason::kUndecided) << ToString(packet.reason);
  return packet.anomalies & ~MaskOf(Check::kIpv6);
}

FrameBuilder Syn(Bytes options) {
  options.resize((options.size() + 3) / 4 * 4, 1);
  return FrameBuilder().Tcp(104).TcpOptions(options);
}
FrameBuilder Data(Bytes options) { return Syn(std::move(options)).Flags(kAck | kPsh); }

TEST(TcpOptions, ThoseOfRealStacksAreClean) {
  const Bytes linux_syn = {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};
  const Bytes windows_syn = {2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2};
  const Bytes fast_open = {2, 4, 5, 0xb4, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8};
  for (const Bytes& options :
       {linux_syn, windows_syn, fast_open, Bytes{34, 2}, Bytes{0, 9, 9, 9}}) {
    EXPECT_EQ(Anomalies(Syn(options)), 0u);
  }
  const Bytes timestamps = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
  const Bytes sack = {1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};
  EXPECT_EQ(Anomalies(Data(timestamps)), 0u);
  EXPECT_EQ(Anomalies(Data(sack)), 0u);
}

TEST(TcpOptions, WindowScaleOfASynIsReadAndLimited) {
  EXPECT_EQ(Parse(Syn({2, 4, 5, 0xb4, 1, 3, 3, 7})).tcp_window_scale, 7);
  EXPECT_EQ(Parse(Syn({3, 3, 255})).tcp_window_scale, 14) << "RFC 7323 2.3";
  EXPECT_EQ(Parse(Syn({})).tcp_window_scale, kNoWindowScale);
  EXPECT_EQ(Parse(Data({3, 3, 7})).tcp_window_scale, kNoWindowScale);
}

TEST(TcpOptions, LengthBelowTwoOrPastTheHeaderIsRefused) {
  // R026
  for (const Bytes& options : {Bytes{2, 0, 1, 1}, Bytes{2, 1, 1, 1}, Bytes{1, 1, 1, 8},
                               Bytes{8, 10, 1, 1}, Bytes{1, 1, 254, 255}}) {
    EXPECT_EQ(Parse(Syn(options)).reason, Reason::kTcpOptionMalformed);
    EXPECT_EQ(Parse(Data(options)).reason, Reason::kTcpOptionMalformed);
  }
}

TEST(TcpOptions, LengthThatTheKindDoesNotHaveFailsACheck) {
  for (const Bytes& options :
       {Bytes{2, 3, 1}, Bytes{2, 6, 5, 0xb4, 0, 0}, Bytes{3, 2}, Bytes{3, 4, 1, 1}, Bytes{4, 3, 1},
        Bytes{5, 2}, Bytes{5, 9, 0, 0, 0, 0, 0, 0, 0}, Bytes{8, 9, 0, 0, 0, 0, 0, 0, 0},
        Bytes{19, 4, 0, 0}, Bytes{29, 3, 0}, Bytes{30, 2}, Bytes{34, 5, 0, 0, 0}}) {
    EXPECT_EQ(Anomalies(Syn(options)), MaskOf(Check::kTcpOptionLength)) << int{options[0]};
  }
  EXPECT_EQ(Anomalies(Data({5, 4, 0, 0})), MaskOf(Check::kTcpOptionLength)) << "CVE-2020-11912";
  EXPECT_NE(ChecksOf(Protection::kStandard) & MaskOf(Check::kTcpOptionLength), 0u);
}

TEST(TcpOptions, SegmentSizeBelow256FailsACheck) {
  EXPECT_EQ(Anomalies(Syn({2, 4, 0, 255})), MaskOf(Check::kTcpMss)) << "CVE-2019-11479";
  EXPECT_EQ(Anomalies(Syn({2, 4, 0, 48}).Flags(kSyn | kAck)), MaskOf(Check::kTcpMss));
  EXPECT_EQ(Anomalies(Syn({2, 4, 1, 0})), 0u);
}

TEST(TcpUrgent, DataPointerAndFlagFailChecksOfTheirOwn) {
  // R078
  const FrameBuilder data = FrameBuilder().Tcp(40000, 23, kAck | kPsh).Payload("x");
  EXPECT_EQ(Anomalies(FrameBuilder(data).Flags(kAck | kUrg).UrgentPointer(1)),
            MaskOf(Check::kTcpUrgent));
  EXPECT_EQ(Anomalies(FrameBuilder(data).Flags(kAck | kUrg)),
            MaskOf(Check::kTcpUrgent) | MaskOf(Check::kTcpUrgentEmpty));
  EXPECT_EQ(Anomalies(FrameBuilder(data).UrgentPointer(7)), MaskOf(Check::kTcpUrgentStray));
  EXPECT_EQ(Parse(FrameBuilder(data).Flags(kSyn | kUrg)).reason, Reason::kTcpFlags);
}

TEST(Udp, BytesBehindTheDatagramFailACheck) {
  // R025
  Bytes packet = FrameBuilder().Udp(5000).PayloadSize(8).Build();
  packet[14 + 20 + 5] = 12;
  Packet parsed;
  EXPECT_EQ(ParseFrame(View(packet), parsed), Reason::kUndecided);
  EXPECT_NE(parsed.anomalies & MaskOf(Check::kUdpTrailer), 0u);
  EXPECT_EQ(parsed.payload_length, 4u);
  EXPECT_EQ(Anomalies(FrameBuilder().Udp(5000).PadTo(60)), 0u) << "padding of the frame is legal";
}

TEST(PathMtu, BelowWhatEverybodyTakesFailsACheck) {
  const FrameBuilder sent = FrameBuilder().From("10.0.0.2").To("10.0.0.1").Udp(53);
  const FrameBuilder needed = FrameBuilder().IcmpError(3, 4, sent);
  EXPECT_EQ(Anomalies(needed), 0u);
  EXPECT_EQ(Anomalies(FrameBuilder(needed).Icmp(3, 4, 576)), 0u);
  EXPECT_EQ(Anomalies(FrameBuilder(needed).Icmp(3, 4, 575)), MaskOf(Check::kIcmpMtu));
  EXPECT_EQ(Anomalies(FrameBuilder(needed).Icmp(3, 4, 0)), MaskOf(Check::kIcmpMtu));
  EXPECT_EQ(Anomalies(FrameBuilder(needed).Icmp(3, 3, 0)), 0u);
  const FrameBuilder v6 = FrameBuilder().From("fd00::1").To("fd00::9");
  const FrameBuilder too_big = FrameBuilder(v6).IcmpError(2, 0, v6.Reversed().Udp(53));
  EXPECT_EQ(Anomalies(FrameBuilder(too_big).Icmp(2, 0, 1280)), 0u);
  EXPECT_EQ(Anomalies(FrameBuilder(too_big).Icmp(2, 0, 1279)), MaskOf(Check::kIcmpMtu));
}

}  // namespace
}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// Checks on the way of a frame: by device, by mode, for the first and for later packets of a flow.
#include <gtest/gtest.h>

#include "tests/support/gateway.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

using namespace tcp_flag;
constexpr Initiator kOut = Initiator::kDevice, kIn = Initiator::kPeer;
constexpr Side kDevice = Side::kDevice, kNetwork = Side::kNetwork;

const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
const Station kServer{Mac("0a:00:00:00:00:09"), Ip("10.0.0.9"), {}};

FrameBuilder Out() {
  return FrameBuilder().FromDevice(kPump).DestinationMac(kServer.mac).To(kServer.ip);
}
FrameBuilder In() {
  return FrameBuilder().FromDevice(kServer).DestinationMac(kPump.mac).To(kPump.ip);
}
Bytes WithWrongChecksum(const FrameBuilder& frame) {
  Bytes bytes = frame.Build();
  bytes[14 + 20 + 16] ^= 1;  // of TCP
  return bytes;
}

class Normalisation : public ::testing::Test {
 protected:
  void Enforce(std::initializer_list<Allow> rules, ProtectionSpec protection = {},
               Mode mode = Mode::kEnforce) {
    PolicySpec policy = Policy().Generation(++generation_).Rules(rules).Device("pump", kPump, mode);
    policy.devices[0].protection = std::move(protection);
    gateway_.Enforce(policy);
  }
  // The reason of a drop; "forward" or "audit" if there was none.
  std::string Fate(Side side, const Bytes& frame) {
    const Decision decision = gateway_.Send(side, frame);
    return std::string(decision.verdict == Verdict::kDrop ? ToString(decision.reason)
                                                          : ToString(decision.verdict));
  }
  std::string Fate(Side side, const FrameBuilder& frame) { return Fate(side, frame.Build()); }

  uint64_t generation_ = 0;
  TestGateway gateway_;
};

const std::initializer_list<Allow> kEverything = {Allow(kOut, RuleProtocol::kAny, "any"),
                                                  Allow(kIn, RuleProtocol::kAny, "any")};

TEST_F(Normalisation, ASegmentWithAWrongChecksumChangesNothingWhereItMayPass) {
  // R029
  Enforce(kEverything, {Protection::kStandard, {{Check::kL4Checksum, CheckAction::kPass}}});
  Fate(kDevice, Out().Tcp(104));
  Fate(kNetwork, In().Tcp(104, 40000, kSyn | kAck).Sequence(5, 1001));
  Fate(kDevice, Out().Tcp(40000, 104, kAck).Sequence(1001, 6));
  const FrameBuilder reset = Out().Tcp(40000, 104, kRst).Sequence(1001);
  EXPECT_EQ(Fate(kDevice, WithWrongChecksum(reset)), "forward");
  const FrameBuilder data = Out().Tcp(40000, 104, kAck | kPsh).Sequence(1001, 6).Payload("x");
  EXPECT_EQ(Fate(kDevice, data), "forward");
  EXPECT_EQ(gateway_.flows().At(0).tcp.state, TcpState::kEstablished);
}

TEST_F(Normalisation, FirstAndLaterPacketsOfAFlowAreJudgedAlike) {
  // R029
  Enforce(kEverything);
  EXPECT_EQ(Fate(kDevice, WithWrongChecksum(Out().Tcp(104))), "l4_checksum");
  EXPECT_EQ(Fate(kDevice, Out().Tcp(104)), "forward");
  EXPECT_EQ(Fate(kNetwork, In().Tcp(104, 40000, kSyn | kAck).Sequence(5, 1001)), "forward");
  const FrameBuilder data = Out().Tcp(40000, 104, kAck | kPsh).Sequence(1001, 6).Payload("x");
  EXPECT_EQ(Fate(kDevice, WithWrongChecksum(data)), "l4_checksum");
  EXPECT_EQ(Fate(kDevice, FrameBuilder(data).Ipv4Options({68, 8, 5, 0, 0, 0, 0, 0})),
            "ipv4_timestamp");
  EXPECT_EQ(Fate(kDevice, data), "forward");
}

TEST_F(Normalisation, ResetWithAWrongChecksumChangesNoState) {
  // R029
  Enforce(kEverything);
  ASSERT_EQ(Fate(kDevice, Out().Tcp(104)), "forward");
  ASSERT_EQ(Fate(kNetwork, In().Tcp(104, 40000, kSyn | kAck).Sequence(5, 1001)), "forward");
  const FrameBuilder reset = In().Tcp(104, 40000, kRst | kAck).Sequence(6, 1001);
  EXPECT_EQ(Fate(kNetwork, WithWrongChecksum(reset)), "l4_checksum");
  const FrameBuilder data = Out().Tcp(40000, 104, kAck | kPsh).Sequence(1001, 6).Payload("x");
  EXPECT_EQ(Fate(kDevice, data), "forward");
  EXPECT_EQ(gateway_.flows().size(), 1u);
}

TEST_F(Normalisation, ALevelAndItsOverridesAreTheDevices) {
  // R014, R017
  const FrameBuilder option = Out().Udp(5000).Ipv4Options({148, 4, 0, 0});
  Enforce(kEverything);
  EXPECT_EQ(Fate(kDevice, option), "ipv4_router_alert");
  Enforce(kEverything, {Protection::kOff, {}});
  EXPECT_EQ(Fate(kDevice, option), "forward");
  Enforce(kEverything, {Protection::kStrict, {{Check::kIpv4RouterAlert, CheckAction::kPass}}});
  EXPECT_EQ(Fate(kDevice, option), "forward");
  EXPECT_EQ(Fate(kDevice, Out().Udp(5001).PayloadSize(64).FirstFragment()), "fragment_not_allowed");
}

TEST_F(Normalisation, OneLineSwitchesIpv6OffForADevice) {
  const Station pump{kPump.mac, Ip("fd00::1"), {}};
  const FrameBuilder v6 = FrameBuilder().FromDevice(pump).To("fd00::9").Udp(5000);
  PolicySpec policy = Policy().Rules(kEverything).Device("pump", pump);
  gateway_.Enforce(policy);
  EXPECT_EQ(Fate(kDevice, v6), "forward");
  policy.generation = 2;
  policy.devices[0].protection.overrides = {{Check::kIpv6, CheckAction::kDrop}};
  gateway_.Enforce(policy);
  EXPECT_EQ(Fate(kDevice, v6), "ipv6_not_allowed");
  EXPECT_EQ(Fate(kDevice, FrameBuilder(v6).NeighbourSolicitation("fd00::9")), "ipv6_not_allowed");
}

TEST_F(Normalisation, AuditAndObserveCutNothingOff) {
  const FrameBuilder stray = Out().Tcp(40000, 104, kSyn).UrgentPointer(7);
  Enforce(kEverything, {}, Mode::kAudit);
  const Decision audited = gateway_.Send(kDevice, stray);
  EXPECT_EQ(audited.verdict, Verdict::kAudit);
  EXPECT_EQ(audited.reason, Reason::kTcpUrgentStray);
  Enforce(kEverything, {}, Mode::kObserve);
  EXPECT_EQ(Fate(kDevice, stray), "forward");
}

TEST_F(Normalisation, TunnelsPassOnlyByRulesThatNameThem) {
  // R022, R024
  Enforce({Allow(kOut, RuleProtocol::kAny, "any"),
           Allow(kOut, RuleProtocol::kUdp, "any").PeerPort(1000, 9000),
           Allow(kOut, RuleProtocol::kUdp, "any").PeerPort(4789)});
  EXPECT_EQ(Fate(kDevice, Out().Udp(50000, 4789)), "forward");
  EXPECT_EQ(Fate(kDevice, Out().Udp(50000, 1701)), "tunnel_not_named");
  EXPECT_EQ(Fate(kDevice, Out().Udp(1701, 5000)), "forward") << "an ephemeral port of a device";
  EXPECT_EQ(Fate(kNetwork, In().Udp(5000, 1701)), "forward") << "and the reply";
  for (const uint8_t number : {4, 41, 47, 50, 51}) {
    EXPECT_EQ(Fate(kDevice, Out().Protocol(number).PayloadSize(40)), "tunnel_not_named");
  }
  EXPECT_EQ(Fate(kDevice, Out().Protocol(132).PayloadSize(40)), "protocol_not_supported");
}

TEST_F(Normalisation, IcmpTypesBesideEchoAndErrorsPassOnlyByRulesThatNameThem) {
  // R088
  Enforce({Allow(kOut, RuleProtocol::kAny, "any"),
           Allow(kOut, RuleProtocol::kIcmp, "any").IcmpType(13)});
  EXPECT_EQ(Fate(kDevice, Out().EchoRequest(1)), "forward");
  EXPECT_EQ(Fate(kDevice, Out().Icmp(13, 0)), "forward");
  for (const uint8_t type : {4, 5, 9, 10, 12, 15, 17, 42}) {
    EXPECT_EQ(Fate(kDevice, Out().Icmp(type, 0)), "icmp_type_not_named") << int{type};
  }
}

}  // namespace
}  // namespace cordon::dp::testing

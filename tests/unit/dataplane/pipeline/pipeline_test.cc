// SPDX-License-Identifier: Apache-2.0
// Flows: who may open them, what passes on them, what ends them.
#include "dataplane/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <vector>

#include "tests/support/gateway.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

using namespace tcp_flag;
constexpr Initiator kOut = Initiator::kDevice, kIn = Initiator::kPeer;
constexpr Side kDevice = Side::kDevice, kNetwork = Side::kNetwork;

const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
const Station kCt{Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}};
const Station kServer{Mac("0a:00:00:00:00:09"), Ip("10.0.0.9"), {}};

FrameBuilder Out(const Station& device = kPump) {
  return FrameBuilder().FromDevice(device).DestinationMac(kServer.mac).To(kServer.ip);
}
FrameBuilder In(const Station& device = kPump) {
  return FrameBuilder()
      .FromDevice(kServer)
      .DestinationMac(device.mac)
      .To(device.ip)
      .Vlan(device.vlan);
}
// The pump may reach tcp/104 and udp/5000 of the server and ping it; the server may open tcp/3010.
Policy PumpPolicy(Mode mode = Mode::kEnforce) {
  return Policy()
      .Rules({Allow(kOut, RuleProtocol::kTcp, "10.0.0.9").PeerPort(104),
              Allow(kOut, RuleProtocol::kUdp, "10.0.0.9").PeerPort(5000),
              Allow(kOut, RuleProtocol::kIcmp, "10.0.0.9").IcmpType(8),
              Allow(kIn, RuleProtocol::kTcp, "10.0.0.9").DevicePort(3010)})
      .Device("pump", kPump, mode);
}
::testing::AssertionResult Is(const Decision& decision, Verdict verdict, Reason reason) {
  if (decision.verdict == verdict && decision.reason == reason) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << ToString(decision.verdict) << "/" << ToString(decision.reason);
}
::testing::AssertionResult Forwards(const Decision& d, Reason reason = Reason::kRule) {
  return Is(d, Verdict::kForward, reason);
}
::testing::AssertionResult Drops(const Decision& d, Reason reason) {
  return Is(d, Verdict::kDrop, reason);
}

class PipelineTest : public ::testing::Test {
 protected:
  void Handshake() {
    gateway_.Send(kDevice, Out().Tcp(40000, 104));
    gateway_.Send(kNetwork, In().Tcp(104, 40000, kSyn | kAck).Sequence(0, 1001));
    gateway_.Send(kDevice, Out().Tcp(40000, 104, kAck).Sequence(1001, 1));
  }
  size_t CountEvents(EventKind kind) {
    const auto events = gateway_.Events();
    return static_cast<size_t>(
        std::count_if(events.begin(), events.end(), [&](const auto& e) { return e.kind == kind; }));
  }
  TestGateway gateway_;
};
using Flows = PipelineTest;
using Icmp = PipelineTest;
using Modes = PipelineTest;
using PolicyChange = PipelineTest;
using Reports = PipelineTest;

// R110
TEST_F(Flows, NothingPassesWithoutAPolicy) {
  EXPECT_TRUE(Drops(gateway_.Send(kDevice, Out().Udp(5000)), Reason::kNoPolicy));
  EXPECT_TRUE(Drops(gateway_.Send(kDevice, Bytes{1, 2, 3}), Reason::kNoPolicy));
}

TEST_F(Flows, AReplyPassesOnlyOnTheFlowThatTheDeviceOpened) {
  gateway_.Enforce(PumpPolicy());
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, In().Udp(5000, 40000)), Reason::kNoRule));
  EXPECT_TRUE(Forwards(gateway_.Send(kDevice, Out().Udp(40000, 5000))));
  EXPECT_TRUE(Forwards(gateway_.Send(kNetwork, In().Udp(5000, 40000))));
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, In().Udp(5000, 40001)), Reason::kNoRule));
}

TEST_F(Flows, TcpStartsWithASyn) {
  gateway_.Enforce(PumpPolicy());
  for (const uint8_t flags : {uint8_t{kAck}, uint8_t{kSyn | kAck}, uint8_t{kRst}}) {
    EXPECT_TRUE(Drops(gateway_.Send(kDevice, Out().Tcp(40000, 104, flags)), Reason::kTcpNoFlow));
  }
  EXPECT_TRUE(Forwards(gateway_.Send(kDevice, Out().Tcp(40000, 104))));
}

TEST_F(Flows, ATcpSegmentMustFitTheStateOfItsFlow) {
  gateway_.Enforce(PumpPolicy());
  gateway_.Send(kDevice, Out().Tcp(40000, 104));
  const FrameBuilder early_data = In().Tcp(104, 40000, kAck).PayloadSize(10);
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, early_data), Reason::kTcpState));
  EXPECT_TRUE(
      Forwards(gateway_.Send(kNetwork, In().Tcp(104, 40000, kSyn | kAck).Sequence(0, 1001))));
}

TEST_F(Flows, AClosedConnectionCanBeOpenedAgainAtOnce) {
  gateway_.Enforce(PumpPolicy());
  Handshake();
  gateway_.Send(kDevice, Out().Tcp(40000, 104, kRst).Sequence(1001));
  EXPECT_TRUE(Forwards(gateway_.Send(kDevice, Out().Tcp(40000, 104))));
  EXPECT_EQ(gateway_.flows().size(), 1u);
}

TEST_F(Flows, ThePeerOpensOnlyWhatItsRuleAllows) {
  gateway_.Enforce(PumpPolicy());
  EXPECT_TRUE(Forwards(gateway_.Send(kNetwork, In().Tcp(50000, 3010))));
  EXPECT_TRUE(
      Forwards(gateway_.Send(kDevice, Out().Tcp(3010, 50000, kSyn | kAck).Sequence(0, 1001))));
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, In().Tcp(50000, 104)), Reason::kNoRule));
}

// R080, R081
TEST_F(Flows, AnIdleFlowExpiresAfterTheTimeoutOfItsRule) {
  gateway_.Enforce(
      Policy()
          .Rules({Allow(kOut, RuleProtocol::kUdp, "any").IdleTimeout(std::chrono::seconds(10))})
          .Device("pump", kPump));
  gateway_.Send(kDevice, Out().Udp(40000, 5000));
  gateway_.Advance(9 * kSecond);
  EXPECT_TRUE(Forwards(gateway_.Send(kNetwork, In().Udp(5000, 40000))));
  gateway_.Advance(10 * kSecond);
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, In().Udp(5000, 40000)), Reason::kNoRule));
  EXPECT_EQ(gateway_.counters().flows_expired.Get(), 1u);
}

TEST_F(Flows, EmptyBurstsExpireIdleFlowsAndEnforceTheNewPolicy) {
  gateway_.Enforce(PumpPolicy());
  gateway_.Send(kDevice, Out().Udp(40000, 5000));
  gateway_.Advance(3600 * kSecond);
  const uint32_t stamp = gateway_.Enforce(PumpPolicy().Generation(2));
  gateway_.SendBurst(kDevice, {});
  EXPECT_EQ(gateway_.flows().size(), 0u);
  EXPECT_TRUE(gateway_.slot().IsEnforced(stamp));
}

TEST_F(Flows, OneBurstHoldsAWholeConversation) {
  gateway_.Enforce(PumpPolicy());
  const auto decisions = gateway_.SendBurst(
      kDevice, {Out().Tcp(40000, 104).Build(), Out().Tcp(40000, 104).Build(),
                Out().Tcp(40000, 104, kAck).Build(),
                Out().Tcp(40000, 104, kRst).Sequence(1001).Build(), Out().Tcp(40000, 104).Build()});
  EXPECT_TRUE(Forwards(decisions[0]));
  EXPECT_TRUE(Forwards(decisions[1]));
  EXPECT_TRUE(Drops(decisions[2], Reason::kTcpState));
  EXPECT_TRUE(Forwards(decisions[3]));
  EXPECT_TRUE(Forwards(decisions[4]));
  EXPECT_EQ(gateway_.flows().size(), 1u);
}

TEST(FlowCapacity, AFullTableRefusesNewFlowsAndKeepsTheOldOnes) {
  TestGateway gateway({}, 2);
  gateway.Enforce(PumpPolicy());
  gateway.Send(kDevice, Out().Udp(1, 5000));
  gateway.Send(kDevice, Out().Udp(2, 5000));
  EXPECT_TRUE(Drops(gateway.Send(kDevice, Out().Udp(3, 5000)), Reason::kFlowTableFull));
  EXPECT_TRUE(Forwards(gateway.Send(kNetwork, In().Udp(5000, 1))));
}

TEST(FlowCapacity, AFullTableCutsOffNoWatchedDevice) {
  TestGateway gateway({}, 1);
  gateway.Enforce(PumpPolicy(Mode::kObserve));
  gateway.Send(kDevice, Out().Udp(1, 5000));
  EXPECT_TRUE(Forwards(gateway.Send(kDevice, Out().Udp(2, 5000)), Reason::kObserveMode));
}

TEST(Adoption, ARunningConnectionIsAdoptedOnlyInTimeAndWhereARuleAllowsIt) {
  TestGateway gateway({.adopt_until = 10 * kSecond});
  gateway.Enforce(PumpPolicy());
  EXPECT_TRUE(Forwards(gateway.Send(kNetwork, In().Tcp(104, 40000, kAck))));
  EXPECT_TRUE(Forwards(gateway.Send(kDevice, Out().Tcp(40000, 104, kAck))));
  EXPECT_TRUE(Drops(gateway.Send(kDevice, Out().Tcp(40000, 445, kAck)), Reason::kTcpNoFlow));
  EXPECT_TRUE(Drops(gateway.Send(kDevice, Out().Tcp(40001, 104, kRst)), Reason::kTcpNoFlow));
  gateway.Advance(10 * kSecond);
  EXPECT_TRUE(Drops(gateway.Send(kDevice, Out().Tcp(40002, 104, kAck)), Reason::kTcpNoFlow));
  EXPECT_TRUE(Forwards(gateway.Send(kDevice, Out().Tcp(40000, 104, kAck))));
}

// --- policy changes

TEST_F(PolicyChange, AnAllowedFlowGoesOnUnderTheNewPolicy) {
  gateway_.Enforce(PumpPolicy());
  Handshake();
  gateway_.Enforce(PumpPolicy().Generation(2));
  EXPECT_TRUE(Forwards(gateway_.Send(kNetwork, In().Tcp(104, 40000, kAck))));
  EXPECT_EQ(gateway_.counters().flows_stale.Get(), 1u);
}

TEST_F(PolicyChange, RevokingARuleCutsItsFlowsAtTheirNextFrame) {
  gateway_.Enforce(PumpPolicy());
  Handshake();
  gateway_.Enforce(Policy().Generation(2).Device("pump", kPump));
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, In().Tcp(104, 40000, kAck)), Reason::kFlowRevoked));
  EXPECT_TRUE(Drops(gateway_.Send(kDevice, Out().Tcp(40000, 104, kAck)), Reason::kTcpNoFlow));
}

TEST_F(PolicyChange, AReplyIsNotTakenForAFlowOfThePeer) {
  gateway_.Enforce(PumpPolicy());
  gateway_.Send(kDevice, Out().Udp(40000, 5000));
  gateway_.Enforce(PumpPolicy().Generation(2));
  EXPECT_TRUE(Forwards(gateway_.Send(kNetwork, In().Udp(5000, 40000))));
}

// R085: also those that send nothing, within a second.
TEST_F(PolicyChange, RevokingARuleEndsIdleFlowsWithinASecond) {
  gateway_.Enforce(PumpPolicy());
  Handshake();
  gateway_.Enforce(Policy().Generation(2).Device("pump", kPump));
  gateway_.Advance(900 * kMillisecond);
  gateway_.SendBurst(kDevice, {});
  EXPECT_EQ(gateway_.flows().size(), 0u);
  EXPECT_EQ(CountEvents(EventKind::kEnded), 1u);
}

TEST_F(PolicyChange, TakingAnAddressAwayRevokesTheFlowsOfIt) {
  gateway_.Enforce(PumpPolicy());
  gateway_.Send(kDevice, Out().Udp(40000, 5000));
  Policy moved = PumpPolicy().Generation(2);
  moved.spec().devices[0].ips = {Ip("10.0.0.77")};
  gateway_.Enforce(moved);
  EXPECT_TRUE(Drops(gateway_.Send(kDevice, Out().Udp(40000, 5000)), Reason::kFlowRevoked));
}

TEST_F(PolicyChange, QuarantineCutsRunningFlows) {
  gateway_.Enforce(PumpPolicy());
  Handshake();
  gateway_.Enforce(PumpPolicy(Mode::kQuarantine).Generation(2));
  EXPECT_TRUE(Drops(gateway_.Send(kDevice, Out().Tcp(40000, 104, kAck)), Reason::kFlowRevoked));
}

// --- ICMP

// R089
TEST_F(Icmp, AnEchoReplyPassesOnlyWithTheIdentifierOfItsRequest) {
  gateway_.Enforce(PumpPolicy());
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, In().EchoReply(7)), Reason::kIcmpNoFlow));
  EXPECT_TRUE(Forwards(gateway_.Send(kDevice, Out().EchoRequest(7))));
  EXPECT_TRUE(Forwards(gateway_.Send(kNetwork, In().EchoReply(7))));
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, In().EchoReply(8)), Reason::kIcmpNoFlow));
}

// R082
TEST_F(Icmp, AFlowOfOneTypeCarriesNoOther) {
  gateway_.Enforce(PumpPolicy());
  gateway_.Send(kDevice, Out().EchoRequest(7));
  EXPECT_TRUE(
      Drops(gateway_.Send(kDevice, Out().Icmp(13, 0, 7u << 16)), Reason::kIcmpTypeNotNamed));
  // An identifier that looks like the type and code of a message without identifier.
  gateway_.Send(kDevice, Out().EchoRequest(10 << 8));
  EXPECT_TRUE(Drops(gateway_.Send(kDevice, Out().Icmp(10, 0)), Reason::kIcmpTypeNotNamed));
}

// R086
TEST_F(Icmp, AnErrorPassesOnlyIfItQuotesALiveFlowAndGoesToItsSender) {
  gateway_.Enforce(PumpPolicy());
  const FrameBuilder offender = Out().Tcp(40000, 104);
  const FrameBuilder router = In().From("10.9.9.9").IcmpError(3, 1, offender);
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, router), Reason::kIcmpNoFlow));
  gateway_.Send(kDevice, offender);
  EXPECT_TRUE(Forwards(gateway_.Send(kNetwork, router), Reason::kIcmpErrorOfFlow));
  const FrameBuilder foreign = In().IcmpError(3, 1, Out().From("10.0.0.5").Tcp(40000, 104));
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, foreign), Reason::kIcmpNoFlow));
}

// R086
TEST_F(Icmp, ADeviceSendsErrorsOnlyToThePeerOfTheFlow) {
  gateway_.Enforce(PumpPolicy());
  const FrameBuilder offender = In().Tcp(50000, 3010);
  gateway_.Send(kNetwork, offender);
  EXPECT_TRUE(
      Forwards(gateway_.Send(kDevice, Out().IcmpError(3, 3, offender)), Reason::kIcmpErrorOfFlow));
  EXPECT_TRUE(Drops(gateway_.Send(kDevice, Out().To("10.0.0.66").IcmpError(3, 3, offender)),
                    Reason::kIcmpNoFlow));
}

TEST_F(Icmp, AnErrorDoesNotKeepItsFlowAlive) {
  gateway_.Enforce(PumpPolicy());
  const FrameBuilder offender = Out().Udp(40000, 5000);
  gateway_.Send(kDevice, offender);
  gateway_.Advance(100 * kSecond);
  EXPECT_TRUE(
      Forwards(gateway_.Send(kNetwork, In().IcmpError(3, 3, offender)), Reason::kIcmpErrorOfFlow));
  gateway_.Advance(100 * kSecond);
  EXPECT_TRUE(Drops(gateway_.Send(kNetwork, In().IcmpError(3, 3, offender)), Reason::kIcmpNoFlow));
}

// --- modes

TEST_F(Modes, ObserveForwardsEverythingAndRecordsFlows) {
  gateway_.Enforce(PumpPolicy(Mode::kObserve));
  EXPECT_TRUE(Forwards(gateway_.Send(kDevice, Out().Tcp(40000, 445)), Reason::kObserveMode));
  EXPECT_TRUE(Forwards(gateway_.Send(kDevice, Out().From("1.2.3.4").Udp(1)), Reason::kObserveMode));
  EXPECT_TRUE(Forwards(gateway_.Send(kDevice, Out().Udp(5000))));
  EXPECT_EQ(CountEvents(EventKind::kAdmitted), 3u);
}

TEST_F(Modes, AuditMarksWhatItWouldDropAndItsReplies) {
  gateway_.Enforce(PumpPolicy(Mode::kAudit));
  EXPECT_TRUE(Is(gateway_.Send(kDevice, Out().Tcp(40000, 445)), Verdict::kAudit, Reason::kNoRule));
  EXPECT_TRUE(Is(gateway_.Send(kNetwork, In().Tcp(445, 40000, kSyn | kAck).Sequence(0, 1001)),
                 Verdict::kAudit, Reason::kNoRule));
  EXPECT_TRUE(Forwards(gateway_.Send(kDevice, Out().Tcp(40000, 104))));
}

TEST_F(Modes, AuditAdoptsMidstreamWhatARuleAllows) {
  gateway_.Enforce(PumpPolicy(Mode::kAudit));
  EXPECT_TRUE(Forwards(gateway_.Send(kNetwork, In().Tcp(104, 40000, kAck))));
  EXPECT_TRUE(
      Is(gateway_.Send(kNetwork, In().Tcp(445, 40000, kAck)), Verdict::kAudit, Reason::kTcpNoFlow));
}

TEST_F(Modes, AMalformedFrameIsCutOffOnlyWhereTheDeviceIsEnforced) {
  const Bytes bad = Truncated(Out().Udp(5000).Build(), 40);
  gateway_.Enforce(PumpPolicy(Mode::kAudit));
  EXPECT_TRUE(Is(gateway_.Send(kDevice, bad), Verdict::kAudit, Reason::kIpv4TotalLength));
  gateway_.Enforce(PumpPolicy().Generation(2));
  EXPECT_TRUE(Drops(gateway_.Send(kDevice, bad), Reason::kIpv4TotalLength));
}

TEST_F(Modes, AFrameThatCannotLeaveUnchangedIsDroppedEvenInObserve) {
  gateway_.Enforce(PumpPolicy(Mode::kObserve));
  gateway_.burst().preset[0] = Reason::kVlanTagLost;
  EXPECT_TRUE(Drops(gateway_.Send(kDevice, Out().Udp(5000)), Reason::kVlanTagLost));
  EXPECT_TRUE(Forwards(gateway_.Send(kDevice, Out().Udp(5000))));
}

// --- reports

// R100
TEST_F(Reports, EveryFrameIsCountedOnceByPairSideVerdictAndReason) {
  gateway_.Enforce(PumpPolicy());
  gateway_.SendBurst(kDevice, {Out().Udp(5000).Build(), Out().Udp(1).Build(),
                               Out().Udp(5000).Build(), Bytes{1, 2}});
  const auto& frames = gateway_.counters().pairs[0].frames[0];
  EXPECT_EQ(frames[static_cast<size_t>(Verdict::kForward)].Get(), 2u);
  EXPECT_EQ(frames[static_cast<size_t>(Verdict::kDrop)].Get(), 2u);
  const auto& drops = gateway_.counters().reasons[static_cast<size_t>(Verdict::kDrop)];
  EXPECT_EQ(drops[static_cast<size_t>(Reason::kNoRule)].Get(), 1u);
  EXPECT_EQ(drops[static_cast<size_t>(Reason::kFrameTooShort)].Get(), 1u);
}

TEST_F(Reports, EqualRefusalsShareOneEventASecondAndTheNextCarriesTheCount) {
  gateway_.Enforce(PumpPolicy());
  for (int i = 0; i < 5; ++i) gateway_.Send(kDevice, Out().Udp(40000, 1));
  EXPECT_EQ(gateway_.Events().size(), 1u);
  gateway_.Advance(kSecond);
  gateway_.Send(kDevice, Out().Udp(40000, 1));
  const auto events = gateway_.Events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].frames[0], 5u);
  EXPECT_EQ(events[0].reason, Reason::kNoRule);
  EXPECT_EQ(events[0].device_ip, kPump.ip);
  EXPECT_EQ(events[0].peer_port, 1);
}

TEST_F(Reports, AnEndedFlowTellsWhatEachSideSent) {
  gateway_.Enforce(PumpPolicy());
  gateway_.Send(kDevice, Out().Udp(40000, 5000).PayloadSize(100));
  gateway_.Send(kNetwork, In().Udp(5000, 40000).PayloadSize(50));
  gateway_.Advance(180 * kSecond);
  gateway_.Events();
  gateway_.SendBurst(kDevice, {});
  const auto events = gateway_.Events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::kEnded);
  EXPECT_THAT(events[0].frames, ::testing::ElementsAre(1, 0));  // the answer was told before
  EXPECT_THAT(events[0].bytes, ::testing::ElementsAre(142, 92));
  EXPECT_EQ(events[0].last_seen_ns - events[0].first_seen_ns, 0u);
}

TEST_F(Reports, TheFirstAnswerIsToldWhileTheFlowIsOpen) {
  gateway_.Enforce(PumpPolicy());
  gateway_.Send(kDevice, Out().Udp(40000, 5000));
  gateway_.Events();
  for (int i = 0; i < 3; ++i) gateway_.Send(kNetwork, In().Udp(5000, 40000));
  const auto events = gateway_.Events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::kAnswered);
  EXPECT_THAT(events[0].frames, ::testing::ElementsAre(0, 1));
}

// R107: what a flood hides is at least counted.
TEST_F(Reports, AFloodOfRefusalsIsToldInPartAndCountedInFull) {
  gateway_.Enforce(PumpPolicy());
  size_t told = 0;
  for (uint16_t i = 1; i <= 5000; ++i) {
    gateway_.Send(kDevice, Out().Udp(i, 9));
    told += CountEvents(EventKind::kRefused);
  }
  EXPECT_EQ(told, 2000u);
  EXPECT_EQ(gateway_.counters().events_suppressed.Get(), 3000u);
  gateway_.Advance(kSecond);
  gateway_.Send(kDevice, Out().Udp(1, 10));
  EXPECT_EQ(CountEvents(EventKind::kRefused), 1u);
}

TEST_F(Reports, ARefusedConnectionIsNotAnswered) {
  gateway_.Enforce(PumpPolicy());
  gateway_.Send(kDevice, Out().Tcp(40000, 104));
  gateway_.Events();
  gateway_.Send(kNetwork, In().Tcp(104, 40000, kRst | kAck).Sequence(0, 1001));
  EXPECT_TRUE(gateway_.Events().empty());
}

}  // namespace
}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// What the pipeline tells about rules in use and live flows, and how it ends what is denied later.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/gateway.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

using ::testing::SizeIs;

constexpr Initiator kOut = Initiator::kDevice;
const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};

Policy PumpPolicy() {
  return Policy().Rules({Allow(kOut, RuleProtocol::kUdp, "10.0.0.9")}).Device("pump", kPump);
}
FrameBuilder Report() { return FrameBuilder().FromDevice(kPump).To("10.0.0.9").Udp(5000); }
PolicySpec WithOverlay(Policy policy, uint64_t generation) {
  OverlayRuleSpec deny;
  deny.origin = "no-5000/udp";
  deny.protocol = RuleProtocol::kUdp;
  deny.any_peer = true;
  deny.ports = {{5000, 5000}};
  policy.spec().overlay = {deny};
  policy.spec().generation = generation;
  return policy;
}

TEST(RuleHits, CountFlowsNotFrames) {
  TestGateway gateway;
  gateway.Enforce(PumpPolicy());
  gateway.Advance(7 * kSecond);
  const Decision decision = gateway.Send(Side::kDevice, Report());
  gateway.Send(Side::kDevice, Report());
  const RuleHit hit = gateway.slot().Current()->HitsOf(decision.rule);
  EXPECT_EQ(hit.count, 1u);
  EXPECT_EQ(hit.last_seconds, gateway.now() / kSecond);
}

TEST(RuleHits, StayFreshWhileAFlowOfTheRuleLives) {
  TestGateway gateway;
  gateway.Enforce(PumpPolicy());
  const Decision decision = gateway.Send(Side::kDevice, Report());
  for (int second = 0; second < 10; ++second) {
    gateway.Advance(kSecond);
    gateway.Send(Side::kDevice, Report());
  }
  const RuleHit hit = gateway.slot().Current()->HitsOf(decision.rule);
  EXPECT_EQ(hit.count, 1u);
  EXPECT_GE(hit.last_seconds + 1, gateway.now() / kSecond);
}

// R085
TEST(Overlay, EndsLiveFlowsAndNamesItselfAndCountsFrames) {
  TestGateway gateway;
  gateway.Enforce(PumpPolicy());
  gateway.Send(Side::kDevice, Report());
  gateway.Enforce(WithOverlay(PumpPolicy(), 2));
  const Decision denied = gateway.Send(Side::kDevice, Report());
  EXPECT_EQ(denied.verdict, Verdict::kDrop);
  EXPECT_EQ(denied.reason, Reason::kOverlayDenied);
  EXPECT_EQ(gateway.RuleOf(denied), "no-5000/udp");
  gateway.Send(Side::kDevice, Report());
  EXPECT_EQ(gateway.slot().Current()->HitsOf(denied.rule).count, 2u);
  EXPECT_EQ(gateway.flows().size(), 0u);
}

// R085
TEST(Revocation, EndsIdleFlowsWithinASecond) {
  TestGateway gateway;
  gateway.Enforce(PumpPolicy());
  gateway.Send(Side::kDevice, Report());
  gateway.Enforce(Policy().Generation(2).Device("pump", kPump));
  for (int burst = 0; burst < 10; ++burst) {
    gateway.Advance(100 * kMillisecond);
    gateway.SendBurst(Side::kDevice, {});
  }
  EXPECT_EQ(gateway.flows().size(), 0u);
}

TEST(FlowMailbox, IsAnsweredBetweenBursts) {
  FlowMailbox mailbox;
  PipelineOptions options;
  options.flow_mailbox = &mailbox;
  TestGateway gateway(options);
  gateway.Enforce(PumpPolicy());
  for (uint16_t port = 1; port <= 100; ++port) {
    gateway.Send(Side::kDevice, FrameBuilder(Report()).Udp(port, 5000));
  }
  mailbox.Ask();
  std::vector<FlowEvent> flows;
  for (int burst = 0; burst < 4; ++burst) {
    gateway.SendBurst(Side::kDevice, {});
    for (FlowEvent event; mailbox.Take(event);) flows.push_back(event);
  }
  EXPECT_TRUE(mailbox.done());
  ASSERT_THAT(flows, SizeIs(100));
  EXPECT_EQ(flows[0].kind, EventKind::kLive);
  EXPECT_EQ(flows[0].peer_ip, Ip("10.0.0.9"));
  EXPECT_EQ(flows[0].frames[0], 1u);
}

// R107
TEST(Attribution, EveryRefusalNamesDevicePeerTupleReasonAndGeneration) {
  TestGateway gateway;
  const uint32_t stamp = gateway.Enforce(PumpPolicy());
  gateway.Send(Side::kDevice, FrameBuilder().FromDevice(kPump).To("10.0.0.66").Tcp(41000, 445));
  const std::vector<FlowEvent> events = gateway.Events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(gateway.slot().Current()->DeviceName(events[0].device), "pump");
  EXPECT_EQ(events[0].peer_ip, Ip("10.0.0.66"));
  EXPECT_EQ(events[0].device_port, 41000);
  EXPECT_EQ(events[0].peer_port, 445);
  EXPECT_EQ(events[0].protocol, protocol::kTcp);
  EXPECT_EQ(events[0].reason, Reason::kNoRule);
  EXPECT_EQ(events[0].rule, kNoRuleIndex);
  EXPECT_EQ(events[0].stamp, stamp);
  EXPECT_EQ(events[0].side, Side::kDevice);
}

}  // namespace
}  // namespace cordon::dp::testing

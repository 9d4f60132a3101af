// SPDX-License-Identifier: Apache-2.0
// Limits and quotas of devices on the packet path: a flood at one device costs the others nothing,
// and what is established goes on.
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/gateway.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

using namespace tcp_flag;
constexpr Side kDevice = Side::kDevice, kNetwork = Side::kNetwork;

const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
const Station kCt{Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}};
const Station kServer{Mac("0a:00:00:00:00:09"), Ip("10.0.0.9"), {}};

FrameBuilder Out(const Station& device) {
  return FrameBuilder().FromDevice(device).DestinationMac(kServer.mac).To(kServer.ip);
}
FrameBuilder In(const Station& device) {
  return FrameBuilder().FromDevice(kServer).DestinationMac(device.mac).To(device.ip);
}

// 0: no limit.
LimitSpec Toward(uint64_t packets, uint64_t bytes = 0, uint64_t new_flows = 0) {
  LimitSpec limits;
  limits.toward = {packets, bytes, new_flows};
  return limits;
}
LimitSpec Quota(uint32_t flows, uint32_t half_open) {
  LimitSpec limits;
  limits.max_flows = flows;
  limits.max_half_open = half_open;
  return limits;
}

class ShieldedGateway : public ::testing::Test {
 protected:
  // Both devices may be reached by udp/5000 and tcp/3010 of the server, and reach it at udp/6000.
  // The pump has `limits`.
  void Enforce(const LimitSpec& limits, Mode mode = Mode::kEnforce) {
    Policy policy;
    policy.Generation(++generation_)
        .Rules({Allow(Initiator::kPeer, RuleProtocol::kUdp, "10.0.0.9").DevicePort(5000),
                Allow(Initiator::kPeer, RuleProtocol::kTcp, "10.0.0.9").DevicePort(3010),
                Allow(Initiator::kDevice, RuleProtocol::kUdp, "10.0.0.9").PeerPort(6000)})
        .Device("pump", kPump, mode)
        .Device("ct", kCt);
    policy.spec().devices[0].limits = limits;
    gateway_.Enforce(policy);
  }
  Decision FromServer(const Station& device, uint16_t port, size_t payload = 0) {
    return gateway_.Send(kNetwork, In(device).Udp(port, 5000).PayloadSize(payload));
  }
  Decision FromDevice(const Station& device, uint16_t port) {
    return gateway_.Send(kDevice, Out(device).Udp(5000, port));
  }
  Decision Syn(const Station& device, uint16_t port) {
    return gateway_.Send(kNetwork, In(device).Tcp(port, 3010));
  }
  Decision SynAck(const Station& device, uint16_t port) {
    return gateway_.Send(kDevice, Out(device).Tcp(3010, port, kSyn | kAck).Sequence(0, 1001));
  }
  Decision Ack(const Station& device, uint16_t port) {
    return gateway_.Send(kNetwork, In(device).Tcp(port, 3010, kAck).Sequence(1001, 1));
  }
  const DeviceFlows& counts() { return gateway_.flows().devices(); }

  TestGateway gateway_;
  uint64_t generation_ = 0;
};
using ShieldStageTest = ShieldedGateway;
using DeviceQuota = ShieldedGateway;

constexpr uint32_t kPumpSlot = 1, kCtSlot = 2;

TEST_F(ShieldStageTest, FloodOfOneFlowIsCutToThePacketRateAndOthersLoseNothing) {
  // A16, N7
  Enforce(Toward(100));
  size_t passed = 0, lost = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Decision decision = FromServer(kPump, 7000);
    if (decision.verdict == Verdict::kForward)
      ++passed;
    else
      EXPECT_EQ(decision.reason, Reason::kDevicePacketRate);
    lost += FromServer(kCt, 7000).verdict != Verdict::kForward;
    lost += FromDevice(kPump, 7000).verdict != Verdict::kForward;
    gateway_.Advance(kSecond / 10'000);
  }
  EXPECT_NEAR(static_cast<double>(passed), 100 + 25, 2);
  EXPECT_EQ(lost, 0u);
}

TEST_F(ShieldStageTest, EstablishedFlowsOfTheShortWayAreLimitedAsOthersAre) {
  // A16: the express stage decides what is answered; the rate is the same.
  Enforce(Toward(1'000));
  FromServer(kPump, 7000);
  FromDevice(kPump, 7000);
  const Bytes frame = In(kPump).Udp(7000, 5000).Build();
  size_t passed = 0, express = 0;
  for (int i = 0; i < 1'000; ++i) {
    for (const Decision& decision : gateway_.SendBurst(kNetwork, std::vector(32, frame))) {
      passed += decision.verdict == Verdict::kForward;
    }
    express += gateway_.burst().express != 0;
    gateway_.Advance(kMillisecond);
  }
  EXPECT_NEAR(static_cast<double>(passed), 1'000 + 250, 2);
  EXPECT_GT(express, 900u);
}

TEST_F(ShieldStageTest, BytesAreLimitedApartFromFrames) {
  // A16, N7
  Enforce(Toward(0, 10'000));
  size_t bytes = 0;
  for (int i = 0; i < 1'000; ++i) {
    const Decision decision = FromServer(kPump, 7000, 958);  // frames of 1000 bytes
    if (decision.verdict == Verdict::kForward)
      bytes += 1'000;
    else
      EXPECT_EQ(decision.reason, Reason::kDeviceByteRate);
    gateway_.Advance(10 * kMillisecond);
  }
  EXPECT_NEAR(static_cast<double>(bytes), 10 * 10'000 + 16 * 1'514, 2'000);
}

TEST_F(ShieldStageTest, NewFlowsAreLimitedAndEstablishedOnesGoOn) {
  // A16, N7
  Enforce(Toward(0, 0, 20));
  FromServer(kPump, 7000);
  size_t opened = 0;
  for (uint16_t i = 0; i < 1'000; ++i) {
    const Decision decision = FromServer(kPump, 10'000 + i);
    if (decision.verdict == Verdict::kForward)
      ++opened;
    else
      EXPECT_EQ(decision.reason, Reason::kDeviceNewFlowRate);
    EXPECT_EQ(FromServer(kPump, 7000).verdict, Verdict::kForward);
    EXPECT_EQ(FromServer(kCt, 10'000 + i).verdict, Verdict::kForward);
    gateway_.Advance(kMillisecond);
  }
  EXPECT_NEAR(static_cast<double>(opened), 20 + 7, 2);
}

TEST_F(ShieldStageTest, ArpOfAFloodedDeviceStillPasses) {
  // A16: it has a rate of its own, or the flood would make the device unreachable.
  Enforce(Toward(1));
  for (int i = 0; i < 100; ++i) FromServer(kPump, 7000);
  const FrameBuilder arp = FrameBuilder().FromDevice(kServer).DestinationMac(kPump.mac).ArpRequest(
      "10.0.0.9", "10.0.0.1");
  EXPECT_EQ(FromServer(kPump, 7000).reason, Reason::kDevicePacketRate);
  EXPECT_EQ(gateway_.Send(kNetwork, arp).verdict, Verdict::kForward);
}

TEST_F(ShieldStageTest, AuditedAndObservedDevicesLoseNothing) {
  // A16
  for (const Mode mode : {Mode::kAudit, Mode::kObserve}) {
    Enforce(Toward(1, 0, 1), mode);
    for (uint16_t i = 0; i < 200; ++i) {
      EXPECT_NE(FromServer(kPump, 10'000 + i % 100).verdict, Verdict::kDrop);
    }
  }
}

TEST_F(ShieldStageTest, WhatWasTakenSurvivesAPush) {
  // A16
  Enforce(Toward(1));
  for (int i = 0; i < 100; ++i) FromServer(kPump, 7000);
  Enforce(Toward(1));
  EXPECT_EQ(FromServer(kPump, 7000).reason, Reason::kDevicePacketRate);
  Enforce({});
  EXPECT_EQ(FromServer(kPump, 7000).verdict, Verdict::kForward);
}

TEST_F(ShieldStageTest, HeldPiecesOfDatagramsTakeTheirPart) {
  // A16, R030
  Enforce(Toward(0, 1));
  const auto piece = [](uint16_t offset) {
    return In(kPump).Udp(7000, 5000).PayloadSize(9'000).NextFragment(offset);
  };
  for (int i = 0; i < 20; ++i) FromServer(kPump, 7000, 1'400);
  gateway_.Send(kNetwork, piece(1'480));
  EXPECT_EQ(gateway_.Send(kNetwork, piece(2'960)).verdict, Verdict::kDrop);
  EXPECT_EQ(FromServer(kPump, 7000).reason, Reason::kDeviceByteRate);
}

TEST_F(DeviceQuota, NewFlowsBeyondTheQuotaAreRefusedAndEstablishedOnesGoOn) {
  // R084
  Enforce(Quota(10, 0));
  for (uint16_t i = 0; i < 10; ++i) EXPECT_EQ(FromServer(kPump, 10'000 + i).reason, Reason::kRule);
  EXPECT_EQ(FromServer(kPump, 20'000).reason, Reason::kDeviceFlowQuota);
  EXPECT_EQ(FromServer(kPump, 10'003).verdict, Verdict::kForward);
  EXPECT_EQ(FromServer(kCt, 20'000).verdict, Verdict::kForward);
  EXPECT_EQ(gateway_.counters()
                .reasons[static_cast<size_t>(Verdict::kDrop)]
                        [static_cast<size_t>(Reason::kDeviceFlowQuota)]
                .Get(),
            1u);
}

TEST_F(DeviceQuota, IsFreeAgainWithinFiveSecondsOfRelief) {
  // R084
  Enforce(Quota(10, 0));
  for (uint16_t i = 0; i < 20; ++i) FromServer(kPump, 10'000 + i);
  gateway_.Advance(FlowTimeouts{}.udp * kSecond);
  for (int i = 0; i < 5; ++i) {
    gateway_.SendBurst(kNetwork, {});
    gateway_.Advance(kSecond / 2);
  }
  EXPECT_EQ(FromServer(kPump, 30'000).verdict, Verdict::kForward);
  EXPECT_EQ(counts().flows(kPumpSlot), 1u);
}

TEST_F(DeviceQuota, HalfOpenConnectionsHaveAQuotaAndEstablishedOnesAreUnaffected) {
  // R083
  Enforce(Quota(0, 5));
  Syn(kPump, 9'000);
  SynAck(kPump, 9'000);
  EXPECT_EQ(Ack(kPump, 9'000).verdict, Verdict::kForward);
  for (uint16_t i = 0; i < 5; ++i) EXPECT_EQ(Syn(kPump, 10'000 + i).verdict, Verdict::kForward);
  EXPECT_EQ(Syn(kPump, 20'000).reason, Reason::kHalfOpenLimit);
  EXPECT_EQ(Ack(kPump, 9'000).verdict, Verdict::kForward);
  EXPECT_EQ(FromServer(kPump, 7'000).verdict, Verdict::kForward) << "UDP is not half open";
  EXPECT_EQ(Syn(kCt, 20'000).verdict, Verdict::kForward);
}

TEST_F(DeviceQuota, HalfOpenPlaceIsFreeWhenTheConnectionIsEstablishedOrReset) {
  // R083
  Enforce(Quota(0, 2));
  Syn(kPump, 10'000);
  Syn(kPump, 10'001);
  EXPECT_EQ(Syn(kPump, 10'002).reason, Reason::kHalfOpenLimit);
  SynAck(kPump, 10'000);
  EXPECT_EQ(Syn(kPump, 10'002).reason, Reason::kHalfOpenLimit) << "not yet answered";
  Ack(kPump, 10'000);
  EXPECT_EQ(Syn(kPump, 10'002).verdict, Verdict::kForward);
  gateway_.Send(kDevice, Out(kPump).Tcp(3010, 10'001, kRst | kAck).Sequence(0, 1001));
  EXPECT_EQ(counts().half_open(kPumpSlot), 1u);
}

TEST_F(DeviceQuota, FlowsAreCountedForTheDeviceThatHasThemNow) {
  // R084: the address moves to another device with a push; its flows move along.
  Enforce({});
  FromServer(kPump, 7'000);
  Syn(kPump, 10'000);
  EXPECT_EQ(counts().flows(kPumpSlot), 2u);
  Policy policy;
  policy.Generation(9)
      .Rules({Allow(Initiator::kPeer, RuleProtocol::kUdp, "10.0.0.9").DevicePort(5000),
              Allow(Initiator::kPeer, RuleProtocol::kTcp, "10.0.0.9").DevicePort(3010)})
      .Device("ct", kPump)
      .Device("pump", kCt);
  gateway_.Enforce(policy);
  FromServer(kPump, 7'000);
  SynAck(kPump, 10'000);
  EXPECT_EQ(counts().flows(kPumpSlot), 0u);
  EXPECT_EQ(counts().flows(kCtSlot), 2u);
  EXPECT_EQ(counts().half_open(kCtSlot), 1u);
}

TEST_F(DeviceQuota, RevokedFlowsAreGivenBack) {
  // R084
  Enforce({});
  for (uint16_t i = 0; i < 10; ++i) Syn(kPump, 10'000 + i);
  gateway_.Enforce(Policy().Generation(9).Device("pump", kPump).Device("ct", kCt));
  gateway_.Advance(kSecond);
  gateway_.SendBurst(kNetwork, {});
  EXPECT_EQ(counts().flows(kPumpSlot), 0u);
  EXPECT_EQ(counts().half_open(kPumpSlot), 0u);
  EXPECT_EQ(counts().active(), 0u);
}

TEST(FullTable, DeviceWithItsFairShareDrivesOutNobodyElsesFlows) {
  // R084
  TestGateway gateway({}, 16);
  Policy policy;
  policy.Rules({Allow(Initiator::kPeer, RuleProtocol::kTcp, "10.0.0.9").DevicePort(3010)})
      .Device("pump", kPump)
      .Device("ct", kCt);
  gateway.Enforce(policy);
  const auto syn = [&](const Station& device, uint16_t port) {
    return gateway.Send(kNetwork, In(device).Tcp(port, 3010));
  };
  for (uint16_t i = 0; i < 4; ++i) syn(kCt, 10'000 + i);
  for (uint16_t i = 0; i < 1'000; ++i) syn(kPump, 10'000 + i);
  EXPECT_EQ(gateway.flows().devices().flows(kCtSlot), 4u);
  EXPECT_EQ(syn(kPump, 30'000).reason, Reason::kFlowTableFull);
  for (uint16_t i = 0; i < 8; ++i) EXPECT_EQ(syn(kCt, 20'000 + i).reason, Reason::kRule) << i;
  EXPECT_EQ(gateway.flows().devices().flows(kCtSlot), 8u) << "its half of the table";
}

}  // namespace
}  // namespace cordon::dp::testing

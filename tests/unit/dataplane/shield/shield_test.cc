// SPDX-License-Identifier: Apache-2.0
#include "dataplane/shield/shield.h"

#include <gtest/gtest.h>

namespace cordon::dp {
namespace {

constexpr uint64_t kSecond = 1'000'000'000, kStart = 5 * kSecond;
constexpr uint32_t kPump = 1, kMonitor = 2, kScanner = 3;

LimitSpec Packets(uint64_t toward, uint64_t from) {
  LimitSpec limits;
  limits.toward.packets_per_second = toward;
  limits.from.packets_per_second = from;
  return limits;
}

// Frames of 100 bytes that pass within a second of a flood of a million.
size_t PassedOfFlood(Shield& shield, uint32_t slot, const LimitSpec& limits, Side side,
                     Reason expected) {
  size_t passed = 0;
  for (uint64_t now = kStart; now < kStart + kSecond; now += 1'000) {
    const Reason reason = shield.Take(slot, limits, side, 100, now);
    if (reason == Reason::kUndecided)
      ++passed;
    else
      EXPECT_EQ(reason, expected);
  }
  return passed;
}

TEST(Shield, FloodOfAMillionFramesIsCutToTheRateOfTheDevice) {
  // A16, N7
  Shield shield(8);
  const LimitSpec limits = Packets(200, 0);
  const size_t passed =
      PassedOfFlood(shield, kPump, limits, Side::kNetwork, Reason::kDevicePacketRate);
  EXPECT_NEAR(static_cast<double>(passed), 200 + 50, 1);
}

TEST(Shield, BytesAreCountedAsFramesAre) {
  // A16, N7
  Shield shield(8);
  LimitSpec limits;
  limits.toward.bytes_per_second = 200'000;
  const size_t passed =
      PassedOfFlood(shield, kPump, limits, Side::kNetwork, Reason::kDeviceByteRate);
  EXPECT_NEAR(static_cast<double>(passed), (200'000 + 50'000) / 100, 1);
}

TEST(Shield, FloodAtOneDeviceCostsTheOthersNothing) {
  // A16, N7
  Shield shield(8);
  const LimitSpec limits = Packets(200, 200);
  size_t lost = 0;
  for (uint64_t i = 0; i < 1'000'000; ++i) {
    const uint64_t now = kStart + i * 1'000;
    shield.Take(kPump, limits, Side::kNetwork, 100, now);
    if (i % 10'000 != 0) continue;
    for (const uint32_t other : {kMonitor, kScanner}) {
      for (const Side side : {Side::kDevice, Side::kNetwork}) {
        lost += shield.Take(other, limits, side, 1'500, now) != Reason::kUndecided;
      }
    }
    lost += shield.Take(kPump, limits, Side::kDevice, 1'500, now) != Reason::kUndecided;
  }
  EXPECT_EQ(lost, 0u);
}

TEST(Shield, DirectionsHaveLimitsOfTheirOwn) {
  // A16
  Shield shield(8);
  const LimitSpec limits = Packets(0, 100);
  EXPECT_EQ(PassedOfFlood(shield, kPump, limits, Side::kNetwork, Reason::kUndecided), 1'000'000u);
  EXPECT_NEAR(static_cast<double>(
                  PassedOfFlood(shield, kPump, limits, Side::kDevice, Reason::kDevicePacketRate)),
              125, 1);
}

TEST(Shield, FrameRefusedForItsBytesTakesNoPacketEither) {
  Shield shield(8);
  LimitSpec limits = Packets(100, 0);
  limits.toward.bytes_per_second = 1'000;
  for (uint64_t i = 0; i < Shield::kByteFloor / 1'514; ++i) {
    EXPECT_EQ(shield.Take(kPump, limits, Side::kNetwork, 1'514, kStart), Reason::kUndecided);
  }
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_EQ(shield.Take(kPump, limits, Side::kNetwork, 1'514, kStart), Reason::kDeviceByteRate);
  }
  limits.toward.bytes_per_second = 0;  // a new policy
  EXPECT_EQ(shield.Take(kPump, limits, Side::kNetwork, 1'514, kStart), Reason::kUndecided);
}

TEST(Shield, NewFlowsHaveARateOfTheirOwn) {
  // A16, N7
  Shield shield(8);
  LimitSpec limits;
  limits.toward.new_flows_per_second = 100;
  size_t opened = 0;
  for (uint64_t now = kStart; now < kStart + kSecond; now += 10'000) {
    opened += shield.TakeNewFlow(kPump, limits, Side::kNetwork, now) == Reason::kUndecided;
    EXPECT_EQ(shield.Take(kPump, limits, Side::kNetwork, 100, now), Reason::kUndecided);
    EXPECT_EQ(shield.TakeNewFlow(kPump, limits, Side::kDevice, now), Reason::kUndecided);
  }
  EXPECT_NEAR(static_cast<double>(opened), 125, 1);
  EXPECT_EQ(shield.TakeNewFlow(kPump, limits, Side::kNetwork, kStart + kSecond),
            Reason::kDeviceNewFlowRate);
}

TEST(Shield, StateSurvivesAPushAndNewLimitsCountAtOnce) {
  // A16
  Shield shield(8);
  PassedOfFlood(shield, kPump, Packets(200, 0), Side::kNetwork, Reason::kDevicePacketRate);
  const uint64_t now = kStart + kSecond;
  EXPECT_NE(shield.Take(kPump, Packets(100, 0), Side::kNetwork, 100, now), Reason::kUndecided);
  EXPECT_EQ(shield.Take(kPump, Packets(1'000, 0), Side::kNetwork, 100, now), Reason::kUndecided);
}

TEST(Shield, ArpStormOfOneDeviceHarmsNoOther) {
  // R056
  Shield shield(8);
  size_t passed = 0;
  for (uint64_t now = kStart; now < kStart + kSecond; now += 10'000) {
    passed += shield.TakeArp(kPump, 20, now);
    EXPECT_TRUE(now % 100'000'000 != 0 || shield.TakeArp(kMonitor, 20, now));
  }
  EXPECT_NEAR(static_cast<double>(passed), 20 + Shield::kArpFloor, 1);
}

TEST(Shield, GroupFramesOfADeviceHaveARateApartFromItsArp) {
  // R063
  Shield shield(8);
  size_t passed = 0;
  for (uint64_t now = kStart; now < kStart + kSecond; now += 10'000) {
    passed += shield.TakeGroup(kPump, 50, now);
  }
  EXPECT_NEAR(static_cast<double>(passed), 50 + 12, 1);
  EXPECT_TRUE(shield.TakeArp(kPump, 20, kStart + kSecond));
  EXPECT_TRUE(shield.TakeGroup(kMonitor, 50, kStart + kSecond));
}

TEST(Shield, SlotsBeyondTheArrayShareItsLastEntry) {
  Shield shield(4);
  const LimitSpec limits = Packets(1, 0);
  for (uint64_t i = 0; i < Shield::kPacketFloor; ++i) {
    EXPECT_EQ(shield.Take(1'000'000, limits, Side::kNetwork, 100, kStart), Reason::kUndecided);
  }
  EXPECT_EQ(shield.Take(77, limits, Side::kNetwork, 100, kStart), Reason::kDevicePacketRate);
  EXPECT_EQ(shield.Take(kPump, limits, Side::kNetwork, 100, kStart), Reason::kUndecided);
}

}  // namespace
}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rollout/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace cordon::cp {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;

constexpr SteadyTime kNow{std::chrono::hours(1)};
const std::vector<InputFault> kFaults = {{"devices[0]", "too many rules"}};

// A session whose gateway "a" is connected, enforces `enforced` and shall enforce `intended`.
GatewaySession Connected(uint64_t enforced, uint64_t intended) {
  GatewaySession session;
  session.SetIntended(intended, kNow);
  EXPECT_TRUE(session.Connect("a", enforced, kNow));
  return session;
}

TEST(GatewaySession, HasNeverBeenSeenBeforeItsFirstHello) {
  GatewaySession session;
  session.SetIntended(3, kNow);
  EXPECT_EQ(session.View().state, GatewayState::kNeverSeen);
  EXPECT_EQ(session.View().intended, 3u);
  EXPECT_FALSE(session.connected());
  EXPECT_EQ(session.NextPush(kNow), std::nullopt);
}

TEST(GatewaySession, PushesTheIntendedGenerationOnce) {
  GatewaySession session = Connected(0, 3);
  EXPECT_EQ(session.View().state, GatewayState::kPending);
  EXPECT_EQ(session.NextPush(kNow), 3u);
  EXPECT_EQ(session.NextPush(kNow), std::nullopt);
}

TEST(GatewaySession, EnforcesAfterTheAckAndTellsHowLongItTook) {
  GatewaySession session = Connected(2, 3);
  session.NextPush(kNow);
  EXPECT_EQ(session.OnAck(3, "", kNow + milliseconds(40)), milliseconds(40));
  EXPECT_EQ(session.View().state, GatewayState::kEnforcing);
  EXPECT_EQ(session.View().enforced, 3u);
  EXPECT_EQ(session.NextPush(kNow), std::nullopt);
}

TEST(GatewaySession, CoalescesPushesWhileOneIsInFlight) {
  GatewaySession session = Connected(0, 3);
  EXPECT_EQ(session.NextPush(kNow), 3u);
  for (uint64_t generation : {4, 5, 6}) session.SetIntended(generation, kNow);
  EXPECT_EQ(session.NextPush(kNow), std::nullopt);
  session.OnAck(3, "", kNow);
  EXPECT_EQ(session.View().state, GatewayState::kPending);
  EXPECT_EQ(session.NextPush(kNow), 6u);
}

TEST(GatewaySession, IgnoresAnIntendedGenerationThatDoesNotGrow) {
  GatewaySession session = Connected(0, 5);
  session.SetIntended(4, kNow);
  session.SetIntended(5, kNow);
  EXPECT_EQ(session.View().intended, 5u);
  EXPECT_EQ(session.NextPush(kNow), 5u);
}

TEST(GatewaySession, IgnoresAnswersNobodyWaitsFor) {
  GatewaySession session = Connected(2, 5);
  EXPECT_EQ(session.OnAck(5, "", kNow), std::nullopt);  // not pushed yet
  session.NextPush(kNow);
  EXPECT_EQ(session.OnAck(4, "", kNow), std::nullopt);  // late
  EXPECT_EQ(session.OnAck(6, "", kNow), std::nullopt);  // never made
  EXPECT_EQ(session.OnNack(4, kFaults, kNow), std::nullopt);
  EXPECT_EQ(session.OnAck(0, "", kNow), std::nullopt);
  EXPECT_EQ(session.View().state, GatewayState::kPending);
  EXPECT_EQ(session.View().enforced, 2u);
}

TEST(GatewaySession, CountsADuplicateAckOnce) {
  GatewaySession session = Connected(0, 3);
  session.NextPush(kNow);
  EXPECT_NE(session.OnAck(3, "", kNow), std::nullopt);
  EXPECT_EQ(session.OnAck(3, "", kNow), std::nullopt);
  EXPECT_EQ(session.OnNack(3, kFaults, kNow), std::nullopt);
  EXPECT_EQ(session.View().state, GatewayState::kEnforcing);
}

TEST(GatewaySession, ShowsTheFaultsOfARefusalAndDoesNotPushItAgain) {
  GatewaySession session = Connected(2, 3);
  session.NextPush(kNow);
  EXPECT_EQ(session.OnNack(3, kFaults, kNow + milliseconds(5)), milliseconds(5));
  EXPECT_EQ(session.View().state, GatewayState::kRefused);
  EXPECT_EQ(session.View().enforced, 2u);
  EXPECT_EQ(session.View().faults, kFaults);
  EXPECT_EQ(session.NextPush(kNow), std::nullopt);
}

TEST(GatewaySession, PushesANewerGenerationAfterARefusal) {
  GatewaySession session = Connected(2, 3);
  session.NextPush(kNow);
  session.OnNack(3, kFaults, kNow);
  session.SetIntended(4, kNow);
  EXPECT_EQ(session.View().state, GatewayState::kPending);
  EXPECT_THAT(session.View().faults, IsEmpty());
  EXPECT_EQ(session.NextPush(kNow), 4u);
  session.OnAck(4, "", kNow);
  EXPECT_EQ(session.View().state, GatewayState::kEnforcing);
}

TEST(GatewaySession, ForgetsARefusalOfAGenerationThatIsNoLongerIntended) {
  GatewaySession session = Connected(2, 3);
  session.NextPush(kNow);
  session.SetIntended(4, kNow);
  session.OnNack(3, kFaults, kNow);
  EXPECT_EQ(session.View().state, GatewayState::kPending);
  EXPECT_THAT(session.View().faults, IsEmpty());
  EXPECT_EQ(session.NextPush(kNow), 4u);
}

TEST(GatewaySession, BoundsTheFaultsOfARefusal) {
  GatewaySession session = Connected(2, 3);
  session.NextPush(kNow);
  session.OnNack(3, std::vector<InputFault>(GatewaySession::kMaxFaults + 7), kNow);
  const GatewayView view = session.View();
  ASSERT_EQ(view.faults.size(), GatewaySession::kMaxFaults + 1);
  EXPECT_EQ(view.faults.back().message, "and 7 more faults");
}

TEST(GatewaySession, NeedsNoPushWhenTheGatewayReturnsWithTheIntendedGeneration) {
  GatewaySession session = Connected(3, 3);
  session.Disconnect("a", kNow);
  EXPECT_EQ(session.View().state, GatewayState::kDisconnected);
  EXPECT_TRUE(session.Connect("b", 3, kNow));
  EXPECT_EQ(session.View().state, GatewayState::kEnforcing);
  EXPECT_EQ(session.NextPush(kNow), std::nullopt);
}

TEST(GatewaySession, PushesAgainWhatWasInFlightWhenTheSessionBroke) {
  GatewaySession session = Connected(2, 3);
  session.NextPush(kNow);
  session.Disconnect("a", kNow);
  EXPECT_EQ(session.OnAck(3, "", kNow), std::nullopt);
  EXPECT_TRUE(session.Connect("a", 2, kNow));
  EXPECT_EQ(session.NextPush(kNow), 3u);
}

TEST(GatewaySession, OffersARefusedGenerationAgainAfterAReconnect) {
  GatewaySession session = Connected(2, 3);
  session.NextPush(kNow);
  session.OnNack(3, kFaults, kNow);
  session.Disconnect("a", kNow);
  EXPECT_EQ(session.View().faults, kFaults);  // still the last word of that gateway
  session.Connect("b", 2, kNow);
  EXPECT_EQ(session.View().state, GatewayState::kPending);
  EXPECT_EQ(session.NextPush(kNow), 3u);
}

TEST(GatewaySession, RefusesASecondInstanceWhileTheFirstIsAlive) {
  GatewaySession session = Connected(3, 3);
  EXPECT_FALSE(session.Connect("b", 0, kNow));
  EXPECT_EQ(session.instance(), "a");
  EXPECT_EQ(session.View().enforced, 3u);
  EXPECT_EQ(session.View().state, GatewayState::kEnforcing);
}

TEST(GatewaySession, LetsTheSameInstanceReplaceItsStaleSession) {
  GatewaySession session = Connected(2, 3);
  session.NextPush(kNow);
  EXPECT_TRUE(session.Connect("a", 2, kNow));
  EXPECT_EQ(session.NextPush(kNow), 3u);
}

TEST(GatewaySession, IgnoresTheDisconnectOfAnotherInstance) {
  GatewaySession session = Connected(3, 3);
  session.Disconnect("b", kNow);
  EXPECT_TRUE(session.connected());
}

TEST(GatewaySession, BelievesTheHelloOfAGatewayThatLostItsPolicy) {
  GatewaySession session = Connected(3, 3);
  session.Disconnect("a", kNow);
  session.Connect("b", 0, kNow);
  EXPECT_EQ(session.View().enforced, 0u);
  EXPECT_EQ(session.View().state, GatewayState::kPending);
  EXPECT_EQ(session.NextPush(kNow), 3u);
}

TEST(GatewaySession, NeverPushesAGenerationOlderThanTheEnforcedOne) {
  GatewaySession session = Connected(9, 3);
  EXPECT_EQ(session.NextPush(kNow), std::nullopt);
  EXPECT_EQ(session.View().state, GatewayState::kRefused);
  EXPECT_EQ(session.View().enforced, 9u);
  session.SetIntended(10, kNow);
  EXPECT_EQ(session.View().state, GatewayState::kPending);
  EXPECT_EQ(session.NextPush(kNow), 10u);
}

TEST(GatewaySession, BoundsHowFarAheadAGatewayCanClaimToBe) {
  GatewaySession session = Connected(UINT64_MAX, 3);
  EXPECT_EQ(session.View().enforced, 3 + GatewaySession::kMaxLead);
}

TEST(GatewaySession, IsPendingWithoutAnyGeneration) {
  GatewaySession session = Connected(0, 0);
  EXPECT_EQ(session.View().state, GatewayState::kPending);
  EXPECT_EQ(session.NextPush(kNow), std::nullopt);
}

TEST(GatewaySession, KeepsTheNoteWhileTheSameProcessEnforcesThatGeneration) {
  GatewaySession session = Connected(2, 3);
  session.NextPush(kNow);
  session.OnAck(3, "enforced but not persisted: disk full", kNow);
  session.Disconnect("a", kNow);
  session.Connect("a", 3, kNow);
  EXPECT_EQ(session.View().note, "enforced but not persisted: disk full");
  session.Disconnect("a", kNow);
  session.Connect("b", 3, kNow);
  EXPECT_EQ(session.View().note, "");
}

TEST(GatewaySession, ReplacesTheNoteWithTheNextAck) {
  GatewaySession session = Connected(2, 3);
  session.NextPush(kNow);
  session.OnAck(3, "enforced but not persisted: disk full", kNow);
  session.SetIntended(4, kNow);
  session.NextPush(kNow);
  session.OnAck(4, "", kNow);
  EXPECT_EQ(session.View().note, "");
}

// A gateway that answers some pushes, refuses others, breaks off and comes back, at random: what it
// is given only grows, and once it is quiet it ends with the newest or a refusal of the newest.
TEST(GatewaySession, OnlyEverMovesForwardWhateverHappens) {
  std::mt19937 random(7);
  GatewaySession session;
  uint64_t intended = 0, enforced = 0;
  std::deque<uint64_t> wire;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 6) {
      case 0:
        session.SetIntended(intended += random() % 3, kNow);
        break;
      case 1:
        if (session.Connect("a", enforced, kNow)) wire.clear();
        break;
      case 2:
        session.Disconnect("a", kNow);
        wire.clear();
        break;
      case 3:
        if (auto push = session.NextPush(kNow)) {
          ASSERT_GT(*push, enforced);
          ASSERT_TRUE(wire.empty());
          wire.push_back(*push);
        }
        break;
      case 4:
        if (!wire.empty()) {
          enforced = wire.front();
          ASSERT_TRUE(session.OnAck(enforced, "", kNow));
          wire.clear();
        }
        break;
      default:
        if (!wire.empty() && session.OnNack(wire.front(), kFaults, kNow)) wire.clear();
    }
    ASSERT_LE(session.View().enforced, enforced);
    ASSERT_EQ(session.View().intended, intended);
  }
  session.Connect("a", enforced, kNow);
  if (auto push = session.NextPush(kNow)) session.OnAck(enforced = *push, "", kNow);
  EXPECT_EQ(session.View().enforced, intended);
}

}  // namespace
}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// Who gives way when there are more fragments than room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fragment/fragments.h"

namespace cordon::dp::testing {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kPump = 1, kFlooder = 2;
constexpr FragmentLimits kSmall{
    .datagrams = 8, .datagrams_per_holder = 6, .held = 8, .held_per_holder = 6};

TEST(FragmentTable, NeverHoldsMoreThanItsLimits) {
  // R042
  Fragments fragments(kSmall);
  for (uint32_t id = 0; id < 1000; ++id) {
    fragments.Place(Third(1), Key(id), id % 5);
    EXPECT_LE(fragments.table().held(), kSmall.held);
    EXPECT_LE(fragments.table().open(), kSmall.datagrams);
    fragments.Freed();
  }
  EXPECT_EQ(fragments.table().held(), kSmall.held);
}

TEST(FragmentTable, MakesADeviceThatHasItsShareGiveUpItsOwnOldestFrames) {
  // R042
  Fragments fragments(kSmall);
  for (uint32_t id = 0; id < 6; ++id) fragments.Place(Third(1), Key(id), kFlooder);
  EXPECT_THAT(fragments.Freed(), IsEmpty());
  fragments.Place(Third(1), Key(6), kFlooder);
  const std::vector<FreedFrame> freed = fragments.Freed();
  ASSERT_THAT(freed, SizeIs(1));
  EXPECT_EQ(freed[0].ticket, fragments.tickets().front());
  EXPECT_EQ(freed[0].reason, Reason::kFragmentDeviceQuota);
}

TEST(FragmentTable, KeepsAFloodOfOneDeviceFromAnother) {
  // R043: the pump's piece waits through ten thousand datagrams of the flooder.
  Fragments fragments;
  fragments.Place(Third(1), Key(0), kPump);
  const HoldTicket pump = fragments.tickets().front();
  for (uint32_t id = 1; id < 10'000; ++id) {
    fragments.Place(Third(1), Key(id), kFlooder);
    EXPECT_THAT(fragments.FreedReasons(), Each(Reason::kFragmentDeviceQuota));
  }
  fragments.PlaceAndPass(Third(0), Key(0), kPump);
  EXPECT_EQ(fragments.FreedTickets(), std::vector<HoldTicket>{pump});
}

TEST(FragmentTable, TakesRoomFromWhoeverHoldsMost) {
  // R043: together two flooders fill what there is; the pump still gets its place.
  Fragments fragments(kSmall);
  for (uint32_t id = 0; id < 5; ++id) fragments.Place(Third(1), Key(id), kFlooder);
  for (uint32_t id = 5; id < 8; ++id) fragments.Place(Third(1), Key(id), kFlooder + 1);
  EXPECT_EQ(fragments.Place(Third(1), Key(100), kPump).fate, Fate::kWait);
  const std::vector<FreedFrame> freed = fragments.Freed();
  ASSERT_THAT(freed, SizeIs(1));
  EXPECT_EQ(freed[0].ticket, fragments.tickets().front());
  EXPECT_EQ(freed[0].reason, Reason::kFragmentTableFull);
}

TEST(FragmentTable, TakesHeldFramesFromWhoeverHoldsMostOfThem) {
  // R043: the limit of frames is reached long before that of datagrams.
  Fragments fragments(
      {.datagrams = 64, .datagrams_per_holder = 32, .held = 8, .held_per_holder = 6});
  for (uint16_t k = 1; k <= 5; ++k) {
    fragments.Place({static_cast<uint16_t>(64 * k), 64, true, k}, Key(1), kFlooder);
  }
  for (uint32_t id = 2; id < 5; ++id) fragments.Place(Third(1), Key(id), kFlooder + 1);
  EXPECT_EQ(fragments.Place(Third(1), Key(100), kPump).fate, Fate::kWait);
  EXPECT_THAT(fragments.Freed(), SizeIs(5));  // the flooder's datagram went as a whole
}

TEST(FragmentTable, RefusesAPieceWhoseOwnDatagramUsesUpTheShare) {
  // R042
  Fragments fragments({.datagrams = 8, .datagrams_per_holder = 6, .held = 8, .held_per_holder = 2});
  fragments.Place({64, 64, true, 0}, Key(), kFlooder);
  fragments.Place({128, 64, true, 0}, Key(), kFlooder);
  const Placement third = fragments.Place({192, 64, true, 0}, Key(), kFlooder);
  EXPECT_EQ(third.fate, Fate::kRefuse);
  EXPECT_EQ(third.reason, Reason::kFragmentDeviceQuota);
  EXPECT_THAT(fragments.Freed(), SizeIs(2));
  EXPECT_EQ(fragments.table().open() + fragments.table().held(), 0u);
}

TEST(FragmentTable, PrefersDatagramsThatPassOverThoseThatWait) {
  // R042: a flood of pieces without a first does not end a transfer of the same device.
  Fragments fragments(kSmall);
  fragments.PlaceAndPass(Third(0), Key(0), kFlooder);
  for (uint32_t id = 1; id < 100; ++id) fragments.Place(Third(1), Key(id), kFlooder);
  EXPECT_EQ(fragments.Place(Third(1), Key(0), kFlooder).fate, Fate::kFollow);
}

TEST(FragmentTable, CountsDatagramsThatMadeRoom) {
  // R042
  Fragments fragments(kSmall);
  for (uint32_t id = 0; id < 10; ++id) fragments.Place(Third(1), Key(id), kFlooder);
  EXPECT_EQ(fragments.table().evicted(), 4u);
}

TEST(Ranking, AlwaysKnowsAMemberWithTheHighestCount) {
  Ranking ranking(3, 4);
  EXPECT_EQ(ranking.Highest(), Ranking::kNobody);
  for (const uint16_t member : {0, 1, 1, 2, 2, 2}) ranking.Raise(member);
  EXPECT_EQ(ranking.Highest(), 2);
  ranking.Lower(2);
  ranking.Lower(2);
  EXPECT_EQ(ranking.Highest(), 1);
  for (const uint16_t member : {0, 1, 1, 2}) ranking.Lower(member);
  EXPECT_EQ(ranking.Highest(), Ranking::kNobody);
}

}  // namespace
}  // namespace cordon::dp::testing

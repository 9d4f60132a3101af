// SPDX-License-Identifier: Apache-2.0
// What becomes of the pieces of one datagram.
#include "dataplane/fragment/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/unit/dataplane/fragment/fragments.h"

namespace cordon::dp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FragmentTable, HoldsPiecesUntilTheFirstOneIsJudged) {
  // R030
  Fragments fragments;
  EXPECT_EQ(fragments.Place(Third(1)).fate, Fate::kWait);
  EXPECT_THAT(fragments.Freed(), IsEmpty());
  const Placement first = fragments.Place(Third(0));
  EXPECT_EQ(first.fate, Fate::kJudge);
  EXPECT_THAT(fragments.Freed(), IsEmpty());
  fragments.Pass(first.datagram);
  EXPECT_THAT(fragments.FreedReasons(), ElementsAre(Reason::kUndecided));
}

TEST(FragmentTable, RefusesEveryPieceOfADatagramWhoseFirstWasRefused) {
  // R030
  Fragments fragments;
  fragments.Place(Third(2));
  fragments.Refuse(fragments.Place(Third(0)).datagram);
  EXPECT_THAT(fragments.FreedReasons(), ElementsAre(Reason::kFragmentRefused));
  const Placement later = fragments.Place(Third(1));
  EXPECT_EQ(later.fate, Fate::kRefuse);
  EXPECT_EQ(later.reason, Reason::kFragmentRefused);
}

TEST(FragmentTable, ReleasesHeldFramesInTheOrderOfTheirArrival) {
  // R044
  Fragments fragments;
  fragments.Place(Third(2));
  fragments.Place(Third(1));
  fragments.PlaceAndPass(Third(0));
  EXPECT_EQ(fragments.FreedTickets(), fragments.tickets());
  EXPECT_EQ(fragments.table().open(), 0u);
}

TEST(FragmentTable, AcceptsThreePiecesInAnyOrder) {
  // R044
  std::array<int, 3> order = {0, 1, 2};
  do {
    Fragments fragments;
    size_t passed = 0;
    for (const int k : order) {
      const Placement placed = fragments.Place(Third(k));
      ASSERT_NE(placed.fate, Fate::kRefuse);
      if (placed.fate == Fate::kJudge) fragments.Pass(placed.datagram);
      passed += (placed.fate == Fate::kWait ? 0 : 1) + fragments.Freed().size();
    }
    EXPECT_EQ(passed, 3u);
    EXPECT_EQ(fragments.table().open(), 0u);
  } while (std::ranges::next_permutation(order).found);
}

TEST(FragmentTable, RefusesTheWholeDatagramOnceItsPiecesOverlap) {
  // R031, R033: by one byte at the front, inside, around, at the end.
  for (const Piece& forged : {Piece{56, 16, true, 9}, Piece{72, 8, true, 9}, Piece{8, 128, true, 9},
                              Piece{120, 16, true, 9}, Piece{64, 64, true, 9}}) {
    Fragments fragments;
    fragments.PlaceAndPass(Third(0));
    ASSERT_EQ(fragments.Place(Third(1)).fate, Fate::kFollow);
    EXPECT_EQ(fragments.Place(forged).reason, Reason::kFragmentOverlap) << forged.offset;
    const Placement last = fragments.Place(Third(2));
    EXPECT_EQ(last.fate, Fate::kRefuse);
    EXPECT_EQ(last.reason, Reason::kFragmentOverlap);
  }
}

TEST(FragmentTable, DropsWhatIsHeldWhenAPieceOverlapsIt) {
  // R031
  Fragments fragments;
  fragments.Place(Third(1));
  EXPECT_EQ(fragments.Place(Piece{72, 8, true, 9}).reason, Reason::kFragmentOverlap);
  EXPECT_THAT(fragments.FreedReasons(), ElementsAre(Reason::kFragmentOverlap));
  EXPECT_EQ(fragments.Place(Third(0)).reason, Reason::kFragmentOverlap);
}

TEST(FragmentTable, TakesASecondEndOrBytesBehindTheEndForAnOverlap) {
  // R031
  for (const Piece& forged :
       {Piece{192, 8, false, 9}, Piece{192, 8, true, 9}, Piece{64, 32, false, 9}}) {
    Fragments fragments;
    fragments.PlaceAndPass(Third(0));
    ASSERT_EQ(fragments.Place(Third(2)).fate, Fate::kFollow);
    EXPECT_EQ(fragments.Place(forged).reason, Reason::kFragmentOverlap) << forged.offset;
  }
}

TEST(FragmentTable, TakesAnEndInFrontOfKnownBytesForAnOverlap) {
  // R031
  Fragments fragments;
  fragments.PlaceAndPass(Third(0));
  ASSERT_EQ(fragments.Place(Piece{512, 64, true, 5}).fate, Fate::kFollow);
  EXPECT_EQ(fragments.Place(Third(2)).reason, Reason::kFragmentOverlap);
}

TEST(FragmentTable, RefusesAnExactDuplicateAlone) {
  // R032: of a piece that is held, that passed, and of the first.
  Fragments fragments;
  fragments.Place(Third(2));
  EXPECT_EQ(fragments.Place(Third(2)).reason, Reason::kFragmentDuplicate);
  fragments.PlaceAndPass(Third(0));
  EXPECT_EQ(fragments.Place(Third(2)).reason, Reason::kFragmentDuplicate);
  EXPECT_EQ(fragments.Place(Third(0)).reason, Reason::kFragmentDuplicate);
  EXPECT_THAT(fragments.FreedReasons(), ElementsAre(Reason::kUndecided));
  EXPECT_EQ(fragments.Place(Third(1)).fate, Fate::kFollow);
}

TEST(FragmentTable, TakesADuplicateWithOtherBytesForAnOverlap) {
  // R033
  Fragments fragments;
  fragments.PlaceAndPass(Third(0));
  fragments.Place(Third(1));
  Piece forged = Third(1);
  forged.digest ^= 1;
  EXPECT_EQ(fragments.Place(forged).reason, Reason::kFragmentOverlap);
}

TEST(FragmentTable, ForgetsADatagramThatIsWhole) {
  Fragments fragments;
  for (int round = 0; round < 3; ++round) {
    fragments.PlaceAndPass(Third(0));
    EXPECT_EQ(fragments.Place(Third(2)).fate, Fate::kFollow);
    EXPECT_EQ(fragments.table().open(), 1u);
    EXPECT_EQ(fragments.Place(Third(1)).fate, Fate::kFollow);
    EXPECT_EQ(fragments.table().open(), 0u);
  }
}

TEST(FragmentTable, GivesUpAfterTheTimeout) {
  // R041: at most 60 s, and counted.
  static_assert(kFragmentTimeout <= 60'000'000'000);
  Fragments fragments;
  fragments.Place(Third(1));
  fragments.Advance(kFragmentTimeout - 1);
  EXPECT_THAT(fragments.Freed(), IsEmpty());
  fragments.Advance(1);
  EXPECT_THAT(fragments.FreedReasons(), ElementsAre(Reason::kFragmentTimeout));
  EXPECT_EQ(fragments.table().timed_out(), 1u);
  EXPECT_EQ(fragments.table().open() + fragments.table().held(), 0u);
}

TEST(FragmentTable, CountsADatagramThatPassedInPartAndWasNeverWhole) {
  // R041
  Fragments fragments;
  fragments.PlaceAndPass(Third(0));
  fragments.Advance(kFragmentTimeout);
  EXPECT_EQ(fragments.table().timed_out(), 1u);
  EXPECT_EQ(fragments.Place(Third(1)).fate, Fate::kWait);
}

TEST(FragmentTable, JudgesOldDatagramsAsGoneWhenTheSweepHasNotReachedThem) {
  // R041
  FragmentTable table({}, kSeed);
  table.StartBurst(kNow);
  for (uint32_t id = 0; id < 40; ++id) {
    table.Place(Key(id), id, Third(1), kNow);
  }
  table.StartBurst(kNow + kFragmentTimeout);
  EXPECT_EQ(table.open(), 40u - FragmentTable::kExpiryBudget);
  const Placement first = table.Place(Key(39), 39, Third(0), kNow + kFragmentTimeout);
  EXPECT_EQ(first.fate, Fate::kJudge);
  EXPECT_EQ(table.timed_out(), FragmentTable::kExpiryBudget + 1);
}

TEST(FragmentTable, RefusesDatagramsOfTooManyPieces) {
  // R042
  Fragments fragments;
  fragments.PlaceAndPass({0, 24, true, 0});
  for (uint16_t k = 1; k < kMaxPieces; ++k) {
    const Piece piece{static_cast<uint16_t>(24 * k), 24, true, k};
    ASSERT_EQ(fragments.Place(piece).fate, Fate::kFollow) << k;
  }
  EXPECT_EQ(fragments.Place({24 * kMaxPieces, 8, false, 0}).reason, Reason::kFragmentTooMany);
  EXPECT_EQ(fragments.Place({24 * kMaxPieces + 8, 8, true, 0}).reason, Reason::kFragmentTooMany);
}

TEST(FragmentTable, KeepsPiecesOfDifferentPlacesApart) {
  // R045
  std::array<DatagramKey, 9> others;
  others.fill(Key());
  others[0].vlan.outer = 30;
  others[1].vlan.inner = 30;
  others[2].pair = 1;
  others[3].side = Side::kNetwork;
  others[4].source = IpAddress::V4(0x0a000002);
  others[5].destination = IpAddress::V4(0x0a000002);
  others[6].id = 2;
  others[7].protocol = protocol::kTcp;
  others[8].device_mac = {0x020000000002};
  for (const DatagramKey& other : others) {
    Fragments fragments;
    fragments.PlaceAndPass(Third(0));
    EXPECT_EQ(fragments.Place(Third(1), other).fate, Fate::kWait);
    EXPECT_EQ(fragments.Place(Third(0), other).fate, Fate::kJudge);
  }
}

TEST(FragmentTable, ReusesNoTicketWithinABurst) {
  FragmentTable table({.held = 1}, kSeed);
  table.StartBurst(kNow);
  const HoldTicket a = table.Hold(table.Place(Key(1), 1, Third(1), kNow).datagram);
  table.Pass(table.Place(Key(1), 1, Third(0), kNow).datagram);
  const HoldTicket b = table.Hold(table.Place(Key(2), 1, Third(1), kNow).datagram);
  EXPECT_NE(a, b);
  EXPECT_LT(std::max(a, b), table.tickets());
}

}  // namespace
}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/binding/bindings.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace cordon::dp {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr LeaseHolder kPump{{0x020000000001}, 0, {}}, kCt{{0x020000000002}, 0, {}};
constexpr IpAddress kFive = IpAddress::V4(0x0a000005), kSix = IpAddress::V4(0x0a000006);
constexpr IpAddress kFive6 = IpAddress::V6(0xfd00000000000000, 5);
using Outcome = Bindings::Outcome;

MacAddress Holder(const Bindings& bindings, const IpAddress& ip, uint64_t now) {
  return bindings.HolderOf(0, {}, ip, now);
}

// R062
TEST(Bindings, ALeaseCountsFromTheMomentAfterItWasTaughtUntilItEnds) {
  Bindings bindings(4);
  ASSERT_EQ(bindings.Learn(kPump, kFive, 60, 100), Outcome::kLearned);
  EXPECT_TRUE(Holder(bindings, kFive, 100).IsZero());
  EXPECT_EQ(Holder(bindings, kFive, 101), kPump.mac);
  EXPECT_TRUE(bindings.HoldsAny(kPump, LeaseFamily::kV4, 101));
  EXPECT_FALSE(bindings.HoldsAny(kPump, LeaseFamily::kV6, 101));
  EXPECT_EQ(Holder(bindings, kFive, 60 * kSecond), kPump.mac);
  EXPECT_TRUE(Holder(bindings, kFive, 60 * kSecond + 100).IsZero());
}

TEST(Bindings, ARenewalGoesOnWithoutAGap) {
  Bindings bindings(4);
  bindings.Learn(kPump, kFive, 60, 1);
  bindings.Learn(kPump, kFive, 60, 50 * kSecond);
  EXPECT_EQ(Holder(bindings, kFive, 50 * kSecond), kPump.mac);
  EXPECT_EQ(Holder(bindings, kFive, 100 * kSecond), kPump.mac);
}

TEST(Bindings, ANewAddressReplacesTheFormerOneOfItsFamily) {
  Bindings bindings(4);
  bindings.Learn(kPump, kFive, 60, 1);
  bindings.Learn(kPump, kFive6, 60, 1);
  bindings.Learn(kPump, kSix, 60, 2);
  EXPECT_TRUE(Holder(bindings, kFive, 3).IsZero());
  EXPECT_EQ(Holder(bindings, kSix, 3), kPump.mac);
  EXPECT_EQ(Holder(bindings, kFive6, 3), kPump.mac);
  EXPECT_EQ(bindings.leases(), 2u);
}

TEST(Bindings, TheFirstHolderKeepsAnAddressWhileItsLeaseLives) {
  Bindings bindings(4);
  bindings.Learn(kPump, kFive, 60, 1);
  EXPECT_EQ(bindings.Learn(kCt, kFive, 60, 2), Outcome::kHeldByAnother);
  EXPECT_EQ(Holder(bindings, kFive, 3), kPump.mac);
  EXPECT_EQ(bindings.Learn(kCt, kFive, 60, 61 * kSecond), Outcome::kLearned);
  EXPECT_EQ(Holder(bindings, kFive, 62 * kSecond), kCt.mac);
  EXPECT_FALSE(bindings.HoldsAny(kPump, LeaseFamily::kV4, 62 * kSecond));
}

TEST(Bindings, AReleasedAddressIsAnybodys) {
  Bindings bindings(4);
  bindings.Learn(kPump, kFive, 60, 1);
  bindings.Release(kPump, LeaseFamily::kV4);
  EXPECT_TRUE(bindings.empty());
  EXPECT_EQ(bindings.Learn(kCt, kFive, 60, 2), Outcome::kLearned);
}

TEST(Bindings, AnInfiniteLeaseNeverEnds) {
  Bindings bindings(4);
  bindings.Learn(kPump, kFive, 0xffffffff, 1);
  EXPECT_EQ(Holder(bindings, kFive, ~uint64_t{0} - 1), kPump.mac);
}

TEST(Bindings, PairsAndVlansHaveAddressesOfTheirOwn) {
  Bindings bindings(4);
  bindings.Learn(kPump, kFive, 60, 1);
  const LeaseHolder on_vlan{kCt.mac, 0, {30, 0}};
  EXPECT_EQ(bindings.Learn(on_vlan, kFive, 60, 1), Outcome::kLearned);
  EXPECT_EQ(bindings.HolderOf(0, {30, 0}, kFive, 2), kCt.mac);
  EXPECT_TRUE(bindings.HolderOf(1, {}, kFive, 2).IsZero());
}

TEST(Bindings, OnlyTheAnswerToTheLatestQuestionIsAwaitedAndNotForEver) {
  Bindings bindings(4);
  EXPECT_FALSE(bindings.AwaitsAnswer(kPump, LeaseFamily::kV4, 0, 5));
  bindings.NoteRequest(kPump, LeaseFamily::kV4, 7, 10);
  bindings.NoteRequest(kPump, LeaseFamily::kV4, 8, 10);
  EXPECT_FALSE(bindings.AwaitsAnswer(kPump, LeaseFamily::kV4, 7, 11));
  EXPECT_TRUE(bindings.AwaitsAnswer(kPump, LeaseFamily::kV4, 8, 11));
  EXPECT_FALSE(bindings.AwaitsAnswer(kPump, LeaseFamily::kV6, 8, 11));
  EXPECT_FALSE(bindings.AwaitsAnswer(kPump, LeaseFamily::kV4, 8, 10 + Bindings::kAnswerTimeNs));
}

TEST(Bindings, AFullTableTakesNobodyUntilALeaseHasEnded) {
  Bindings bindings(1);
  bindings.Learn(kPump, kFive, 60, 1);
  EXPECT_EQ(bindings.Learn(kCt, kSix, 60, 2), Outcome::kFull);
  EXPECT_FALSE(bindings.NoteRequest(kCt, LeaseFamily::kV4, 1, 2));
  EXPECT_EQ(bindings.Learn(kCt, kSix, 60, 62 * kSecond), Outcome::kLearned);
  EXPECT_TRUE(Holder(bindings, kFive, 63 * kSecond).IsZero());
}

// Against a map, over addresses and devices that collide often.
TEST(Bindings, AgreeWithAMapOnRandomLeases) {
  std::mt19937_64 random(1);
  Bindings bindings(16);
  std::map<uint64_t, uint64_t> holder_of;  // address -> MAC
  const auto release = [&](uint64_t mac) {
    std::erase_if(holder_of, [mac](const auto& lease) { return lease.second == mac; });
  };
  for (uint64_t now = 1; now < 20'000; ++now) {
    const LeaseHolder device{{1 + random() % 16}, 0, {}};
    const IpAddress ip = IpAddress::V4(static_cast<uint32_t>(random() % 24));
    const bool is_anothers =
        holder_of.contains(ip.AsV4()) && holder_of[ip.AsV4()] != device.mac.value;
    if (random() % 3 == 0) {
      bindings.Release(device, LeaseFamily::kV4);
      release(device.mac.value);
    } else if (bindings.Learn(device, ip, 0xffffffff, now) == Outcome::kLearned) {
      ASSERT_FALSE(is_anothers);
      release(device.mac.value);
      holder_of[ip.AsV4()] = device.mac.value;
    } else {
      ASSERT_TRUE(is_anothers);
    }
    for (uint32_t i = 0; i < 24; ++i) {
      const auto known = holder_of.find(i);
      ASSERT_EQ(Holder(bindings, IpAddress::V4(i), now + 1).value,
                known == holder_of.end() ? 0 : known->second);
    }
  }
}

}  // namespace
}  // namespace cordon::dp

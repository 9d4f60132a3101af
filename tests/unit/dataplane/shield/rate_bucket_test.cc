// SPDX-License-Identifier: Apache-2.0
#include "dataplane/shield/rate_bucket.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace cordon::dp {
namespace {

constexpr uint64_t kSecond = 1'000'000'000, kDay = 86'400 * kSecond;

// How many units pass, if one is asked for every `interval` nanoseconds.
uint64_t Passed(RateBucket& bucket, const RateLimit& limit, uint64_t from, uint64_t until,
                uint64_t interval) {
  uint64_t passed = 0;
  for (uint64_t now = from; now < until; now += interval) passed += bucket.Take(limit, 1, now);
  return passed;
}

uint64_t PassedAtOnce(RateBucket& bucket, const RateLimit& limit, uint64_t now) {
  uint64_t passed = 0;
  for (int i = 0; i < 10'000; ++i) passed += bucket.Take(limit, 1, now);
  return passed;
}

TEST(RateBucket, NoLimitLetsAllPass) {
  RateBucket bucket;
  EXPECT_EQ(Passed(bucket, {}, 0, 1'000'000, 1), 1'000'000u);
}

TEST(RateBucket, IsFullAtFirstAndHoldsAQuarterOfASecond) {
  RateBucket bucket;
  EXPECT_EQ(PassedAtOnce(bucket, {1'000, 16}, kDay), 250u);
}

TEST(RateBucket, SmallRatesHoldTheFloor) {
  RateBucket bucket;
  EXPECT_EQ(PassedAtOnce(bucket, {1, 16}, kDay), 16u);
}

TEST(RateBucket, LetsExactlyTheRatePassInTheLongRun) {
  // A16. 333 does not divide a thousand million: nothing may be lost to rounding.
  for (const uint64_t interval : {777u, 100'003u, 1'500'001u}) {
    RateBucket bucket;
    const uint64_t passed = Passed(bucket, {333, 1}, 0, 30 * kSecond, interval);
    EXPECT_NEAR(static_cast<double>(passed), 30 * 333 + 83, 1) << interval;
  }
}

TEST(RateBucket, ManySmallStepsEarnAsMuchAsOneLongStep) {
  RateBucket often, seldom;
  const RateLimit limit{7, 1'000};
  for (RateBucket* bucket : {&often, &seldom}) bucket->Charge(limit, 1'000, kDay);
  for (uint64_t now = kDay; now < kDay + kSecond; now += 999) often.Charge(limit, 0, now);
  for (const uint64_t left : {1u, 2u, 3u}) {
    EXPECT_EQ(often.HasRoom(limit, kDay + left * kSecond / 7 + 2), true);
    EXPECT_EQ(seldom.HasRoom(limit, kDay + left * kSecond / 7 + 2), true);
  }
}

TEST(RateBucket, WhoTakesMoreThanThereIsOwesTheRest) {
  RateBucket bucket;
  const RateLimit limit{1'000, 1'514};
  EXPECT_TRUE(bucket.Take(limit, 9'000, kDay)) << "a jumbo frame passes a small bucket";
  EXPECT_FALSE(bucket.Take(limit, 64, kDay + 7 * kSecond));
  EXPECT_TRUE(bucket.Take(limit, 64, kDay + 8 * kSecond));
}

TEST(RateBucket, RefusedTakesNothing) {
  RateBucket bucket;
  const RateLimit limit{10, 1};
  EXPECT_EQ(PassedAtOnce(bucket, limit, kDay), 2u);
  EXPECT_EQ(PassedAtOnce(bucket, limit, kDay), 0u);
  EXPECT_EQ(PassedAtOnce(bucket, limit, kDay + kSecond / 10), 1u);
}

TEST(RateBucket, SurvivesYearsAndRatesBeyondAnyPort) {
  RateBucket bucket;
  const RateLimit limit{~uint64_t{0}, ~uint64_t{0}};
  EXPECT_TRUE(bucket.Take(limit, 65'535, 0));
  EXPECT_TRUE(bucket.Take(limit, 65'535, 100 * 365 * kDay));
  RateBucket slow;
  const RateLimit one{1, 1};
  EXPECT_TRUE(slow.Take(one, 1'000'000, 0));
  EXPECT_FALSE(slow.Take(one, 1, 11 * kDay)) << "a million seconds are eleven and a half days";
  EXPECT_TRUE(slow.Take(one, 1, 12 * kDay));
}

TEST(RateBucket, ClockThatStandsOrStepsBackEarnsNothing) {
  RateBucket bucket;
  const RateLimit limit{1, 1};
  EXPECT_TRUE(bucket.Take(limit, 1, kDay));
  EXPECT_FALSE(bucket.Take(limit, 1, kDay));
  EXPECT_FALSE(bucket.Take(limit, 1, kDay - kSecond));
  EXPECT_TRUE(bucket.Take(limit, 1, kDay + kSecond + 1));
}

TEST(RateBucket, NeverExceedsRateAndDepthInAnyWindow) {
  // A16: against a plain count over sliding windows, at random times.
  std::mt19937_64 random(3);
  for (int run = 0; run < 20; ++run) {
    const RateLimit limit{1 + random() % 500, 1 + random() % 20};
    RateBucket bucket;
    std::vector<uint64_t> passed;
    uint64_t now = kDay;
    for (int i = 0; i < 5'000; ++i) {
      now += random() % (random() % 10 == 0 ? 20'000'000 : 1'000'000);
      if (bucket.Take(limit, 1, now)) passed.push_back(now);
    }
    for (size_t i = 0; i < passed.size(); i += 7) {
      for (size_t j = i; j < passed.size(); j += 13) {
        const uint64_t earned = (passed[j] - passed[i]) * limit.per_second / kSecond;
        ASSERT_LE(j - i + 1, limit.depth() + earned + 1);
      }
    }
  }
}

}  // namespace
}  // namespace cordon::dp

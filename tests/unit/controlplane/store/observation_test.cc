// SPDX-License-Identifier: Apache-2.0
// What the store remembers of conversations, and what it forgets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/store/codec.h"
#include "tests/unit/controlplane/store/store_fixture.h"

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Days = std::vector<int32_t>;

constexpr int32_t kDay = 20'758;

std::chrono::system_clock::time_point At(int64_t nanoseconds) {
  return std::chrono::system_clock::time_point(std::chrono::nanoseconds(nanoseconds));
}

Observation Seen(const std::string& device, uint16_t port, int64_t last_seen = 1) {
  Observation seen;
  seen.device = device;
  seen.protocol = 6;
  seen.peer = *dp::ParseIp("fd00::9");
  seen.peer_port = port;
  seen.first_seen = seen.last_seen = At(last_seen);
  seen.days = {kDay};
  seen.flows = 1;
  seen.bytes = 100;
  seen.answered = true;
  return seen;
}

std::unique_ptr<Store> Bounded(size_t rows, size_t rows_per_device) {
  SqliteOptions options{":memory:", rows, rows_per_device};
  return *OpenSqliteStore(options);
}

std::vector<uint16_t> Ports(Store& store, const std::string& device) {
  std::vector<uint16_t> ports;
  const auto all = *store.LoadObservations({device});
  for (const Observation& seen : all) ports.push_back(seen.peer_port);
  return ports;
}

TEST(Observations, ComeBackWithEveryField) {
  const auto store = Open();
  Observation seen = Seen("a", 104, 999);
  seen.initiator = RuleInitiator::kPeer;
  seen.device_port = 3010;
  seen.icmp_type = 8;
  seen.first_seen = At(5);
  seen.days = {kDay, kDay + 1, kDay + 9};
  ASSERT_TRUE(store->AddObservations({seen}).ok());
  const auto all = *store->LoadObservations({"a"});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].device, "a");
  EXPECT_EQ(all[0].initiator, RuleInitiator::kPeer);
  EXPECT_EQ(all[0].protocol, 6);
  EXPECT_EQ(all[0].peer, seen.peer);
  EXPECT_EQ(all[0].peer_port, 104);
  EXPECT_EQ(all[0].device_port, 3010);
  EXPECT_EQ(all[0].icmp_type, 8);
  EXPECT_TRUE(all[0].answered);
  EXPECT_EQ(all[0].first_seen, At(5));
  EXPECT_EQ(all[0].last_seen, At(999));
  EXPECT_EQ(all[0].days, seen.days);
  EXPECT_EQ(all[0].flows, 1u);
  EXPECT_EQ(all[0].bytes, 100u);
}

TEST(Observations, OfOneConversationAddUp) {
  const auto store = Open();
  Observation first = Seen("a", 104, 10), second = Seen("a", 104, 30);
  first.answered = false;
  second.first_seen = At(20);
  second.days = {kDay - 1, kDay};
  second.flows = UINT64_MAX;
  ASSERT_TRUE(store->AddObservations({first, second, first}).ok());
  const auto all = *store->LoadObservations({"a"});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(all[0].answered);
  EXPECT_EQ(all[0].first_seen, At(10));
  EXPECT_EQ(all[0].last_seen, At(30));
  EXPECT_THAT(all[0].days, ElementsAre(kDay - 1, kDay));
  EXPECT_EQ(all[0].flows, uint64_t{INT64_MAX});  // saturated, not wrapped
  EXPECT_EQ(all[0].bytes, 300u);
}

TEST(Observations, OfOtherConversationsStayApart) {
  const auto store = Open();
  std::vector<Observation> seen(7, Seen("a", 104));
  seen[1].initiator = RuleInitiator::kPeer;
  seen[2].protocol = 17;
  seen[3].peer = *dp::ParseIp("10.0.0.9");
  seen[4].peer_port = 105;
  seen[5].device_port = 1;
  seen[6].icmp_type = 1;
  ASSERT_TRUE(store->AddObservations(seen).ok());
  EXPECT_EQ(store->LoadObservations({"a"})->size(), 7u);
}

TEST(Observations, AreLoadedOfTheNamedDevicesOnly) {
  const auto store = Open();
  ASSERT_TRUE(store->AddObservations({Seen("a", 1), Seen("b", 2), Seen("c", 3)}).ok());
  EXPECT_EQ(store->LoadObservations({"c", "a", "a", "absent"})->size(), 2u);
  EXPECT_THAT(*store->LoadObservations({}), IsEmpty());
}

TEST(Observations, AreBoundedByForgettingTheLongestUnseen) {
  const auto store = Bounded(3, 100);
  ASSERT_TRUE(store->AddObservations({Seen("a", 1, 10), Seen("b", 2, 20), Seen("c", 3, 30)}).ok());
  ASSERT_TRUE(store->AddObservations({Seen("a", 1, 40), Seen("d", 4, 50)}).ok());
  EXPECT_THAT(Ports(*store, "a"), ElementsAre(1));
  EXPECT_THAT(Ports(*store, "b"), IsEmpty());
  EXPECT_THAT(Ports(*store, "c"), ElementsAre(3));
  EXPECT_THAT(Ports(*store, "d"), ElementsAre(4));
}

TEST(Observations, OfAScanningDevicePushNobodyElseOut) {
  const auto store = Bounded(10, 4);
  ASSERT_TRUE(store->AddObservations({Seen("quiet", 104, 1), Seen("loud", 443, 1)}).ok());
  for (uint16_t port = 1; port <= 50; ++port) {
    Observation seen = Seen("loud", port, 100 + port);
    seen.answered = false;
    ASSERT_TRUE(store->AddObservations({seen}).ok());
  }
  EXPECT_THAT(Ports(*store, "quiet"), ElementsAre(104));
  EXPECT_THAT(Ports(*store, "loud"), ElementsAre(48, 49, 50, 443));
}

TEST(Observations, AreStillBoundedAfterAReopen) {
  const TemporaryDirectory directory;
  SqliteOptions options{directory.File(), 2, 100};
  ASSERT_TRUE(
      (*OpenSqliteStore(options))->AddObservations({Seen("a", 1, 1), Seen("b", 2, 2)}).ok());
  const auto store = *OpenSqliteStore(options);
  ASSERT_TRUE(store->AddObservations({Seen("c", 3, 3)}).ok());
  EXPECT_THAT(Ports(*store, "a"), IsEmpty());
  EXPECT_THAT(Ports(*store, "b"), ElementsAre(2));
}

TEST(Observations, KeepTheNewestDaysOfAYear) {
  const auto store = Open();
  Observation seen = Seen("a", 1);
  seen.days = {-5, kMaxDay + 1};  // of a clock that was wrong
  for (int32_t day = 0; day < 800; day += 2) seen.days.push_back(day);
  ASSERT_TRUE(store->AddObservations({seen}).ok());
  const Days days = store->LoadObservations({"a"})->at(0).days;
  EXPECT_EQ(days.size(), 366u);
  EXPECT_EQ(days.back(), 798);
}

TEST(EncodeDays, WritesRanges) {
  EXPECT_EQ(EncodeDays({}), "");
  EXPECT_EQ(EncodeDays({7}), "7");
  EXPECT_EQ(EncodeDays({1, 2, 3, 5, 8, 9}), "1-3,5,8-9");
}

TEST(DecodeDays, ReadsWhatEncodeDaysWrites) {
  for (const Days& days : {Days{}, Days{0}, Days{1, 2, 3, 5, 8, 9}, Days{kMaxDay}}) {
    Days read = {99};
    EXPECT_TRUE(DecodeDays(EncodeDays(days), read));
    EXPECT_EQ(read, days);
  }
}

TEST(DecodeDays, RefusesEverythingElse) {
  for (const char* text : {"x", "1,", ",1", "1-", "3-1", "1,1", "5,3", "-1", "1000001", "1-9999999",
                           "1;2", "99999999999"}) {
    Days days;
    EXPECT_FALSE(DecodeDays(text, days)) << text;
  }
}

}  // namespace
}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow/table.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>
#include <vector>

#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

constexpr HashSeed kSeed = {{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0,
                             0x082efa98ec4e6c89, 0x452821e638d01377, 0xbe5466cf34e90c6c}};

FlowKey KeyOf(uint32_t number, uint8_t protocol = protocol::kUdp) {
  FlowKey key;
  key.device_ip = IpAddress::V4(0x0a000000 | number >> 8);
  key.peer_ip = testing::Ip("10.255.0.9");
  key.identity = FlowKey::MakeIdentity(testing::Mac("02:00:00:00:30:21"), 0, protocol);
  key.device_port = static_cast<uint16_t>(number);
  key.peer_port = 6661;
  return key;
}

FlowIndex Insert(FlowTable& table, uint32_t number) {
  return table.Insert(KeyOf(number), table.HashOf(KeyOf(number)));
}
FlowIndex Find(const FlowTable& table, uint32_t number) {
  return table.Find(KeyOf(number), table.HashOf(KeyOf(number)));
}

TEST(FlowTable, FindsWhatWasInsertedAndNothingElse) {
  FlowTable table(100, kSeed);
  EXPECT_EQ(Find(table, 1), kNoFlow);
  const FlowIndex flow = Insert(table, 1);
  EXPECT_EQ(Find(table, 1), flow);
  EXPECT_EQ(table.Candidate(table.HashOf(KeyOf(1))), flow);
  EXPECT_EQ(Find(table, 2), kNoFlow);
  EXPECT_EQ(table.size(), 1u);
}

TEST(FlowTable, GivesZeroedEntriesEvenWhenTheyAreUsedAgain) {
  FlowTable table(1, kSeed);
  FlowIndex flow = Insert(table, 1);
  table.At(flow).stamp = 7;
  table.At(flow).bytes[1] = 99;
  table.At(flow).tcp.marks = 3;
  table.Erase(flow);
  flow = Insert(table, 2);
  EXPECT_EQ(table.At(flow).stamp, 0u);
  EXPECT_EQ(table.At(flow).bytes[1], 0u);
  EXPECT_EQ(table.At(flow).tcp.marks, 0);
  EXPECT_TRUE(table.At(flow).in_use());
  EXPECT_EQ(table.KeyOf(flow), KeyOf(2));
}

TEST(FlowTable, ForgetsErasedFlows) {
  FlowTable table(100, kSeed);
  table.Erase(Insert(table, 1));
  EXPECT_EQ(Find(table, 1), kNoFlow);
  EXPECT_EQ(table.Candidate(table.HashOf(KeyOf(1))), kNoFlow);
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTable, TellsKeysWithTheSameHashApart) {
  FlowTable table(100, kSeed);
  constexpr uint64_t kOneHash = 0x1234567890abcdef;
  const FlowIndex first = table.Insert(KeyOf(1), kOneHash);
  const FlowIndex second = table.Insert(KeyOf(2), kOneHash);
  EXPECT_EQ(table.Find(KeyOf(1), kOneHash), first);
  EXPECT_EQ(table.Find(KeyOf(2), kOneHash), second);
  EXPECT_EQ(table.Find(KeyOf(3), kOneHash), kNoFlow);
}

TEST(FlowTable, HoldsSixteenFlowsOfOneHashAndRefusesTheNext) {
  FlowTable table(1000, kSeed);
  constexpr uint64_t kOneHash = 0x1234567890abcdef;
  for (uint32_t i = 0; i < 16; ++i) ASSERT_NE(table.Insert(KeyOf(i), kOneHash), kNoFlow);
  EXPECT_EQ(table.Insert(KeyOf(16), kOneHash), kNoFlow);
  EXPECT_EQ(table.refused(), 1u);
  EXPECT_EQ(table.size(), 16u);
  for (uint32_t i = 0; i < 16; ++i) {
    const FlowIndex flow = table.Find(KeyOf(i), kOneHash);
    ASSERT_NE(flow, kNoFlow);
    EXPECT_EQ(table.KeyOf(flow), KeyOf(i));
  }
}

TEST(FlowTable, TakesItsWholeCapacityWithoutRefusal) {
  for (const size_t capacity : {1, 2, 3, 1000, 65536, 262144}) {
    FlowTable table(capacity, kSeed);
    for (uint32_t i = 0; i < capacity; ++i) ASSERT_NE(Insert(table, i), kNoFlow) << capacity;
    EXPECT_EQ(table.size(), capacity);
    EXPECT_EQ(table.refused(), 0u);
    EXPECT_EQ(Insert(table, 1u << 23), kNoFlow);
    EXPECT_EQ(table.refused(), 1u);
    for (uint32_t i = 0; i < capacity; ++i) ASSERT_NE(Find(table, i), kNoFlow);
  }
}

TEST(FlowTable, EvictsTheOldestHalfOpenFlowWhenFull) {
  FlowTable table(4, kSeed);
  for (uint32_t i = 0; i < 4; ++i) table.SetEvictable(Insert(table, i), i != 0);
  table.SetEvictable(Find(table, 1), false);  // established meanwhile
  EXPECT_NE(Insert(table, 10), kNoFlow);
  EXPECT_EQ(Find(table, 2), kNoFlow);
  EXPECT_NE(Insert(table, 11), kNoFlow);
  EXPECT_EQ(Find(table, 3), kNoFlow);
  EXPECT_EQ(table.evicted(), 2u);
  EXPECT_EQ(Insert(table, 12), kNoFlow);
  for (const uint32_t kept : {0, 1, 10, 11}) EXPECT_NE(Find(table, kept), kNoFlow) << kept;
}

TEST(FlowTable, KeepsHalfOpenOrderWhenFlowsLeaveFromAnywhere) {
  FlowTable table(5, kSeed);
  for (uint32_t i = 0; i < 5; ++i) table.SetEvictable(Insert(table, i), true);
  table.Erase(Find(table, 2));                // from the middle
  table.SetEvictable(Find(table, 0), false);  // the oldest
  table.SetEvictable(Find(table, 4), false);  // the newest
  table.SetEvictable(Find(table, 4), true);   // and again: the newest still
  Insert(table, 10);
  for (const uint32_t expected : {1, 3, 4}) {
    EXPECT_NE(Find(table, expected), kNoFlow);
    EXPECT_NE(Insert(table, 20 + expected), kNoFlow);
    EXPECT_EQ(Find(table, expected), kNoFlow) << expected;
  }
  EXPECT_EQ(Insert(table, 30), kNoFlow);
}

TEST(FlowTable, SettingHalfOpenTwiceChangesNothing) {
  FlowTable table(2, kSeed);
  const FlowIndex flow = Insert(table, 1);
  table.SetEvictable(flow, true);
  table.SetEvictable(flow, true);
  table.SetEvictable(flow, false);
  table.SetEvictable(flow, false);
  Insert(table, 2);
  EXPECT_EQ(Insert(table, 3), kNoFlow);
}

TEST(FlowTable, ExpiresAcrossTheWrapOfTheClock) {
  FlowEntry entry;
  entry.last_seen = 0xffffff00;
  entry.idle_timeout = 10'000;
  EXPECT_FALSE(FlowTable::IsExpired(entry, 0xffffff00));
  EXPECT_FALSE(FlowTable::IsExpired(entry, 0xffffff00 + 9999u));
  EXPECT_TRUE(FlowTable::IsExpired(entry, 0xffffff00 + 10000u));
}

TEST(FlowTable, TellsIpv6AddressesApartWhateverTheirDigest) {
  FlowTable table(4, kSeed);
  FlowKey key = KeyOf(1);
  key.device_ip = IpAddress::V6(0xfd00, 1);
  key.peer_ip = IpAddress::V6(0xfd00, 2);
  const uint64_t hash = table.HashOf(key);
  const FlowIndex flow = table.Insert(key, hash);
  EXPECT_EQ(table.FindV6(table.WordsOf(key), hash, key.device_ip, key.peer_ip), flow);
  EXPECT_EQ(table.FindV6(table.WordsOf(key), hash, key.peer_ip, key.device_ip), kNoFlow);
  EXPECT_EQ(table.KeyOf(flow), key);
}

TEST(FlowTable, VisitsEveryFlowOnceARoundAndMayEraseIt) {
  FlowTable table(100, kSeed);
  for (uint32_t i = 0; i < 10; ++i) Insert(table, i);
  std::vector<uint16_t> seen;
  for (int step = 0; step < 5; ++step) {
    table.Visit(2, [&](FlowIndex flow) {
      seen.push_back(table.KeyOf(flow).device_port);
      if (seen.back() < 4) table.Erase(flow);
    });
  }
  EXPECT_EQ(seen, (std::vector<uint16_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(table.size(), 6u);
  EXPECT_EQ(Find(table, 0), kNoFlow);
  EXPECT_NE(Find(table, 4), kNoFlow);
}

TEST(FlowTable, VisitOfEmptyTableDoesNothing) {
  FlowTable table(4, kSeed);
  table.Visit(16, [](FlowIndex) { FAIL(); });
}

// R080, R081
TEST(FlowTable, TimeoutFollowsProtocolStateAndRule) {
  FlowTable table(4, kSeed);
  const auto timeout = [&table](uint8_t protocol, TcpState state, uint32_t rule) {
    FlowEntry entry;
    entry.words = table.WordsOf(KeyOf(1, protocol));
    entry.tcp.state = state;
    entry.rule_timeout_seconds = rule;
    return table.TimeoutFor(entry) / 1000;
  };
  const FlowTimeouts defaults;
  EXPECT_EQ(timeout(protocol::kTcp, TcpState::kSynSent, 99), defaults.tcp_half_open);
  EXPECT_EQ(timeout(protocol::kTcp, TcpState::kSynReceived, 99), defaults.tcp_half_open);
  EXPECT_EQ(timeout(protocol::kTcp, TcpState::kEstablished, 0), defaults.tcp_established);
  EXPECT_EQ(timeout(protocol::kTcp, TcpState::kEstablished, 99), 99u);
  EXPECT_EQ(timeout(protocol::kTcp, TcpState::kClosing, 99), defaults.tcp_closing);
  EXPECT_EQ(timeout(protocol::kTcp, TcpState::kClosed, 99), defaults.tcp_closed);
  EXPECT_EQ(timeout(protocol::kUdp, TcpState::kNone, 0), defaults.udp);
  EXPECT_EQ(timeout(protocol::kUdp, TcpState::kNone, 99), 99u);
  EXPECT_EQ(timeout(protocol::kIcmp, TcpState::kNone, 0), defaults.icmp);
}

// R080
TEST(FlowTimeouts, AreAtLeastWhatTheStandardsAskFor) {
  const FlowTimeouts defaults;
  EXPECT_GE(defaults.tcp_established, 2 * 3600u + 4 * 60);  // RFC 5382 REQ-5
  EXPECT_GE(defaults.tcp_half_open, 4 * 60u);
  EXPECT_GE(defaults.tcp_closing, 4 * 60u);
  EXPECT_GE(defaults.udp, 2 * 60u);  // RFC 4787 REQ-5
  EXPECT_GE(defaults.icmp, 60u);     // RFC 5508 REQ-2
}

// Keys from a small pool, inserted, found and erased at random in a table about full, so that
// buckets fill, spill and drain; std::unordered_map says what must come out.
TEST(FlowTable, AgreesWithAMapOnRandomOperations) {
  std::mt19937 random(20240607);
  FlowTable table(300, kSeed);
  std::unordered_map<uint32_t, FlowIndex> expected;
  for (int step = 0; step < 300'000; ++step) {
    const uint32_t number = random() % 400;
    const uint64_t hash = table.HashOf(KeyOf(number));
    const auto known = expected.find(number);
    const FlowIndex found = table.Find(KeyOf(number), hash);
    ASSERT_EQ(found, known == expected.end() ? kNoFlow : known->second);
    if (found != kNoFlow && random() % 2 == 0) {
      table.Erase(found);
      expected.erase(known);
    } else if (found == kNoFlow) {
      const FlowIndex flow = table.Insert(KeyOf(number), hash);
      ASSERT_EQ(flow == kNoFlow, expected.size() == table.capacity());
      if (flow != kNoFlow) expected[number] = flow;
    }
    ASSERT_EQ(table.size(), expected.size());
  }
}

TEST(FlowTable, ReportsItsMemory) {
  FlowTable table(1'000'000, kSeed);
  EXPECT_GE(table.memory_bytes(), 1'000'000 * sizeof(FlowEntry));
  EXPECT_LE(table.memory_bytes(), 1'000'000 * (sizeof(FlowEntry) + sizeof(FlowDetail) + 32));
}

}  // namespace
}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow/key.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <vector>

#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using testing::Ip;
using testing::Mac;

constexpr HashSeed kSeed = {{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0,
                             0x082efa98ec4e6c89, 0x452821e638d01377, 0xbe5466cf34e90c6c}};

FlowKey PumpKey() {
  FlowKey key;
  key.device_ip = Ip("10.0.0.1");
  key.peer_ip = Ip("10.0.0.9");
  key.identity = FlowKey::MakeIdentity(Mac("02:00:00:00:30:21"), 3, protocol::kTcp);
  key.vlan_outer = 30;
  key.device_port = 40000;
  key.peer_port = 6661;
  return key;
}

uint64_t HashOf(const FlowKey& key, const HashSeed& seed) { return Hash(WordsOf(key, seed), seed); }

// R082
TEST(FlowKey, IdentityHoldsMacPairAndProtocol) {
  const FlowKey key = PumpKey();
  EXPECT_EQ(key.device_mac(), Mac("02:00:00:00:30:21"));
  EXPECT_EQ(key.pair(), 3);
  EXPECT_EQ(key.protocol(), protocol::kTcp);
  EXPECT_EQ(key.vlan(), (VlanTags{30, 0}));
}

TEST(FlowHash, EveryBitOfTheKeyChangesAboutHalfOfTheBits) {
  const FlowKey key = PumpKey();
  const uint64_t hash = HashOf(key, kSeed);
  for (size_t bit = 0; bit < sizeof(FlowKey) * 8; ++bit) {
    auto bytes = std::bit_cast<std::array<uint8_t, sizeof(FlowKey)>>(key);
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ 1u << bit % 8);
    const int changed = std::popcount(hash ^ HashOf(std::bit_cast<FlowKey>(bytes), kSeed));
    EXPECT_GT(changed, 12) << bit;
    EXPECT_LT(changed, 52) << bit;
  }
}

TEST(FlowHash, DependsOnTheSeed) {
  FlowKey key = PumpKey();
  key.peer_ip = key.device_ip = IpAddress::V6(0xfd00'0000'0000'0030, 0x21);
  std::set<uint64_t> hashes = {HashOf(key, kSeed)};
  for (size_t word = 0; word < 6; ++word) {
    HashSeed seed = kSeed;
    seed.word[word] ^= 1;
    EXPECT_TRUE(hashes.insert(HashOf(key, seed)).second) << word;
  }
}

TEST(FlowHash, TellsSwappedEndsApart) {
  FlowKey swapped = PumpKey();
  std::swap(swapped.device_ip, swapped.peer_ip);
  EXPECT_NE(HashOf(swapped, kSeed), HashOf(PumpKey(), kSeed));
  swapped = PumpKey();
  std::swap(swapped.device_port, swapped.peer_port);
  EXPECT_NE(HashOf(swapped, kSeed), HashOf(PumpKey(), kSeed));
}

// Differences that cancel under one seed must not cancel under another: a linear hash (CRC) fails.
TEST(FlowHash, IsNotLinear) {
  FlowKey a = PumpKey(), b = a, both = a;
  a.device_port ^= 0x0101;
  b.peer_ip.lo ^= 0x10;
  both.device_port ^= 0x0101;
  both.peer_ip.lo ^= 0x10;
  EXPECT_NE(HashOf(PumpKey(), kSeed) ^ HashOf(a, kSeed) ^ HashOf(b, kSeed), HashOf(both, kSeed));
}

// Ports of one device counting up, the usual case, must not crowd any part of the hash.
TEST(FlowHash, SpreadsConsecutivePortsOverBuckets) {
  for (const int shift : {0, 24, 48}) {
    std::vector<int> buckets(1024);
    FlowKey key = PumpKey();
    for (int i = 0; i < 65536; ++i) {
      key.device_port = static_cast<uint16_t>(i);
      ++buckets[HashOf(key, kSeed) >> shift & 1023];
    }
    for (const int count : buckets) {  // 64 expected, standard deviation 8
      EXPECT_GT(count, 16);
      EXPECT_LT(count, 112);
    }
  }
}

}  // namespace
}  // namespace cordon::dp

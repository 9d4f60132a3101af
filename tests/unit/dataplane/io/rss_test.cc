// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/rss.h"

#include <gtest/gtest.h>
#include <rte_ethdev.h>
#include <rte_thash.h>

#include <array>
#include <map>
#include <random>

#include "dataplane/io/port.h"
#include "tests/unit/dataplane/io/io_fixture.h"

namespace cordon::dp {
namespace {

using testing::IoTest;

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  uint32_t operator()() { return static_cast<uint32_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

// What a NIC hashes: addresses, and where it knows them L4 ports, in host order.
struct Tuple {
  uint32_t source = 0;
  uint32_t destination = 0;
  uint32_t ports = 0;
};

// The queue that a NIC with a Toeplitz hash puts a frame in.
uint16_t QueueOf(Side side, Tuple tuple, bool with_ports, uint16_t queues, size_t table = 128) {
  alignas(4) std::array<uint8_t, 52> key{};
  const std::vector<uint8_t> made = RssKey(side, key.size());
  std::copy(made.begin(), made.end(), key.begin());
  std::array<uint32_t, 3> input{tuple.source, tuple.destination, tuple.ports};
  const uint32_t hash = rte_softrss(input.data(), with_ports ? 3 : 2, key.data());
  return RssQueue(hash % table, queues);
}

TEST(Rss, BothDirectionsOfAFlowMeetInOneQueue) {
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    const Tuple sent{random(), random(), random()};
    const Tuple answer{sent.destination, sent.source, sent.ports >> 16 | sent.ports << 16};
    EXPECT_EQ(QueueOf(Side::kDevice, sent, true, 5), QueueOf(Side::kNetwork, answer, true, 5));
  }
}

TEST(Rss, FragmentsGoWhereTheirFlowGoes) {
  Random random(2);
  for (int i = 0; i < 20'000; ++i) {
    const Tuple whole{random(), random(), random()};
    for (const Side side : {Side::kDevice, Side::kNetwork}) {
      EXPECT_EQ(QueueOf(side, whole, true, 3), QueueOf(side, whole, false, 3));
    }
  }
}

TEST(Rss, IcmpErrorOfARouterGoesWhereTheFlowOfTheDeviceGoes) {
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t device = random();
    EXPECT_EQ(QueueOf(Side::kDevice, {device, random(), random()}, true, 4),
              QueueOf(Side::kNetwork, {random(), device, 0}, false, 4));
  }
}

TEST(Rss, PortsWithTablesOfDifferentLengthAgree) {
  Random random(4);
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t device = random();
    EXPECT_EQ(QueueOf(Side::kDevice, {device, 1, 0}, false, 3, 64),
              QueueOf(Side::kNetwork, {1, device, 0}, false, 3, 512));
  }
}

TEST(Rss, NeighbouringDevicesSpreadEvenly) {
  for (const uint16_t queues : {uint16_t{2}, uint16_t{3}, uint16_t{4}, uint16_t{8}}) {
    std::map<uint16_t, int> devices;
    for (uint32_t host = 1; host <= 240; ++host) {
      ++devices[QueueOf(Side::kDevice, {0x0a1e0000 | host, 7, 0}, false, queues)];
    }
    for (const auto& [queue, count] : devices) EXPECT_LE(count, 240 * 5 / (queues * 4)) << queue;
    EXPECT_EQ(devices.size(), queues);
  }
}

TEST(Rss, WhatIsNotHashedGoesToTheFirstQueue) { EXPECT_EQ(RssQueue(0, 4), 0); }

class RssPort : public IoTest {};

// The one virtual driver with RSS settings; it deals nothing out, but remembers them.
TEST_F(RssPort, RequestAndTableReachTheDriver) {
  std::vector<std::string> warnings;
  std::string error;
  const PortOptions options{.key = "k", .interface = {}, .port = "net_null_rss"};
  const auto port = Port::Open(options, {}, warnings, error);
  ASSERT_NE(port, nullptr) << error;
  RssRequest request;
  ASSERT_TRUE(PlanRss(port->id(), Side::kNetwork, 3, request, error)) << error;
  EXPECT_EQ(request.key, RssKey(Side::kNetwork, 40));
  rte_eth_conf configuration{};
  configuration.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  configuration.rx_adv_conf.rss_conf = {request.key.data(), 40, request.types};
  ASSERT_EQ(rte_eth_dev_configure(port->id(), 3, 3, &configuration), 0);
  ASSERT_TRUE(FillRssTable(port->id(), 3, error)) << error;
  std::array<rte_eth_rss_reta_entry64, 2> table{
      {{.mask = ~0ULL, .reta = {}}, {.mask = ~0ULL, .reta = {}}}};
  ASSERT_EQ(rte_eth_dev_rss_reta_query(port->id(), table.data(), 128), 0);
  for (size_t i = 0; i < 128; ++i) EXPECT_EQ(table[i / 64].reta[i % 64], i % 64 % 3);
}

TEST_F(RssPort, DriverWithoutRssIsRefusedForMoreThanOneWorker) {
  std::vector<std::string> warnings;
  std::string error;
  const PortOptions options{.key = "k", .interface = {}, .port = "net_ring_rss"};
  EXPECT_EQ(Port::Open(options, {Side::kDevice, 1500, 2}, warnings, error), nullptr);
  EXPECT_NE(error.find("cannot deal frames out to several workers"), std::string::npos) << error;
}

}  // namespace
}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow/device_flows.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/flow/table.h"

namespace cordon::dp {
namespace {

TEST(DeviceFlows, CountsFlowsAndHalfOpenOnesByDevice) {
  // R083, R084
  DeviceFlows flows(8, 1'000);
  flows.Add(1);
  flows.Add(1);
  flows.AddHalfOpen(1);
  flows.Add(2);
  EXPECT_EQ(flows.flows(1), 2u);
  EXPECT_EQ(flows.half_open(1), 1u);
  EXPECT_EQ(flows.half_open(2), 0u);
  EXPECT_EQ(flows.active(), 2u);
  flows.RemoveHalfOpen(1);
  flows.Remove(1);
  flows.Remove(1);
  EXPECT_EQ(flows.flows(1), 0u);
  EXPECT_EQ(flows.active(), 1u);
}

TEST(DeviceFlows, NoDeviceMayTakeALargeTableWhole) {
  // R084
  DeviceFlows flows(8, 262'144);
  EXPECT_EQ(flows.default_flows(), 32'768u);
  EXPECT_EQ(flows.default_half_open(), 8'192u);
  EXPECT_GT(DeviceFlows(8, 100).default_flows(), 100u) << "small tables are not divided";
}

TEST(DeviceFlows, FairShareIsAnEqualPartOfAllThatHaveFlows) {
  // R084
  DeviceFlows flows(8, 10);
  for (int i = 0; i < 6; ++i) flows.Add(1);
  EXPECT_FALSE(flows.HasFairShare(1)) << "alone";
  for (int i = 0; i < 4; ++i) flows.Add(2);
  EXPECT_TRUE(flows.HasFairShare(1));
  EXPECT_FALSE(flows.HasFairShare(2));
  EXPECT_FALSE(flows.HasFairShare(3)) << "who has none is counted with the others";
}

TEST(DeviceFlows, SlotsBeyondTheArrayShareItsLastEntry) {
  DeviceFlows flows(4, 10);
  flows.Add(100);
  EXPECT_EQ(flows.flows(3), 1u);
  EXPECT_EQ(flows.flows(1'000'000), 1u);
}

TEST(DeviceFlows, AreWhatTheTableHoldsWhateverHappens) {
  // R083, R084: recounted after random inserts, state changes, moves and erasures.
  FlowTable table(64, HashSeed{{1, 2, 3, 4, 5, 6}}, {}, 8);
  std::mt19937 random(5);
  for (int step = 0; step < 20'000; ++step) {
    FlowKey key;
    key.device_port = static_cast<uint16_t>(random() % 200);
    key.identity = protocol::kTcp;
    FlowIndex flow = table.Find(key, table.HashOf(key));
    if (flow == kNoFlow) {
      table.Insert(key, table.HashOf(key), random() % 8);
    } else if (random() % 3 == 0) {
      table.Erase(flow);
    } else if (random() % 2 == 0) {
      table.MoveToDevice(flow, random() % 8);
    } else {
      table.At(flow).tcp.state = static_cast<TcpState>(random() % 6);
      table.NoteTcpState(flow);
    }
    uint32_t flows[8] = {}, half_open[8] = {};
    table.Visit(64, [&](FlowIndex i) {
      ++flows[table.At(i).device_slot];
      half_open[table.At(i).device_slot] += table.At(i).tcp.half_open() && table.At(i).half_open();
    });
    for (uint32_t slot = 0; slot < 8; ++slot) {
      ASSERT_EQ(table.devices().flows(slot), flows[slot]) << step;
      ASSERT_EQ(table.devices().half_open(slot), half_open[slot]) << step;
    }
  }
}

}  // namespace
}  // namespace cordon::dp

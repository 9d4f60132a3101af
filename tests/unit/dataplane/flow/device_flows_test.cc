// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow/device_flows.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(DeviceFlows(8, 100).default_flows(), 100u) << "small tables are not divided";
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

}  // namespace
}  // namespace cordon::dp

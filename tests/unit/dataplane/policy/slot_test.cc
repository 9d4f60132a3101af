// SPDX-License-Identifier: Apache-2.0
#include "dataplane/policy/slot.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {
namespace {

std::unique_ptr<PolicyTable> Table(uint64_t generation) {
  return std::move(Compile(Policy().Generation(generation)).table);
}

TEST(PolicySlot, HoldsAnEmptyTableBeforeTheFirstPublish) {
  PolicySlot slot(1);
  EXPECT_EQ(slot.Acquire(0).generation(), 0u);
  EXPECT_EQ(slot.Acquire(0).stamp(), 0u);
}

TEST(PolicySlot, IsEnforcedOnlyWhenEveryWorkerHasAcquiredTheTable) {
  PolicySlot slot(2);
  const uint32_t stamp = slot.Publish(Table(1));
  EXPECT_FALSE(slot.IsEnforced(stamp));
  slot.Acquire(0);
  EXPECT_FALSE(slot.IsEnforced(stamp));
  slot.Acquire(1);
  EXPECT_TRUE(slot.IsEnforced(stamp));
}

TEST(PolicySlot, IsNotEnforcedWhileAWorkerStillDecidesUnderTheOldTable) {
  PolicySlot slot(1);
  slot.Acquire(0);
  const uint32_t stamp = slot.Publish(Table(1));
  EXPECT_FALSE(slot.IsEnforced(stamp));
  slot.Quiesce(0);
  EXPECT_FALSE(slot.IsEnforced(stamp));
  slot.Acquire(0);
  EXPECT_TRUE(slot.IsEnforced(stamp));
}

TEST(PolicySlot, ANewerTableEnforcesTheOlderOnesToo) {
  PolicySlot slot(1);
  const uint32_t first = slot.Publish(Table(1));
  slot.Publish(Table(2));
  slot.Acquire(0);
  EXPECT_TRUE(slot.IsEnforced(first));
}

TEST(PolicySlot, KeepsWhatAWorkerHoldsAndReclaimsItAfterwards) {
  PolicySlot slot(1);
  slot.Publish(Table(1));
  const PolicyTable& held = slot.Acquire(0);
  for (uint64_t generation = 2; generation < 30; ++generation) {
    slot.Publish(Table(generation));
    EXPECT_EQ(slot.Reclaim(), generation - 1);
  }
  EXPECT_EQ(held.generation(), 1u);
  slot.Quiesce(0);
  EXPECT_EQ(slot.Reclaim(), 0u);
}

TEST(PolicySlot, FindsTheLastTablesByStamp) {
  PolicySlot slot(1);
  for (uint64_t generation = 1; generation <= 20; ++generation) {
    slot.Publish(Table(generation));
    slot.Reclaim();
  }
  ASSERT_NE(slot.FindByStamp(19), nullptr);
  EXPECT_EQ(slot.FindByStamp(19)->generation(), 19u);
  EXPECT_EQ(slot.FindByStamp(2), nullptr);
  EXPECT_EQ(slot.Current()->generation(), 20u);
}

TEST(PolicySlot, CurrentStaysAliveWithItsPointer) {
  PolicySlot slot(1);
  slot.Publish(Table(1));
  const auto current = slot.Current();
  for (uint64_t generation = 2; generation < 30; ++generation) slot.Publish(Table(generation));
  slot.Reclaim();
  EXPECT_EQ(current->generation(), 1u);
}

// Workers read from each table they get; a sanitizer sees it if one was freed too early.
TEST(PolicySlot, WorkersNeverSeeAReclaimedTableOrGoBack) {
  constexpr size_t kWorkers = 3;
  constexpr uint64_t kGenerations = 500;
  PolicySlot slot(kWorkers);
  std::atomic<size_t> running{kWorkers};
  std::vector<std::thread> workers;
  for (size_t id = 0; id < kWorkers; ++id) {
    workers.emplace_back([&slot, &running, id] {
      uint64_t last = 0;
      while (last < kGenerations) {
        const PolicyTable& table = slot.Acquire(id);
        EXPECT_GE(table.generation(), last);
        EXPECT_EQ(table.FindByMac(0, {}, {1}), kNoDevice);
        last = table.generation();
        slot.Quiesce(id);
      }
      --running;
    });
  }
  for (uint64_t generation = 1; generation <= kGenerations; ++generation) {
    const uint32_t stamp = slot.Publish(Table(generation));
    slot.Reclaim();
    while (generation % 50 == 0 && !slot.IsEnforced(stamp)) std::this_thread::yield();
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(running, 0u);
  EXPECT_EQ(slot.Reclaim(), 0u);
}

}  // namespace
}  // namespace cordon::dp::testing

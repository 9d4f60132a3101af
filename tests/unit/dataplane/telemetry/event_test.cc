// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/event.h"

#include <gtest/gtest.h>

#include <thread>

#include "dataplane/telemetry/counters_summary.h"

namespace cordon::dp {
namespace {

FlowEvent Numbered(uint64_t number) {
  FlowEvent event;
  event.first_seen_ns = event.last_seen_ns = number;
  return event;
}

TEST(EventRing, GivesEventsInOrder) {
  EventRing ring(4);
  ring.Push(Numbered(1));
  ring.Push(Numbered(2));
  FlowEvent event;
  EXPECT_TRUE(ring.Pop(event));
  EXPECT_EQ(event.first_seen_ns, 1u);
  EXPECT_TRUE(ring.Pop(event));
  EXPECT_EQ(event.first_seen_ns, 2u);
  EXPECT_FALSE(ring.Pop(event));
}

TEST(EventRing, RefusesWhenFullAndTakesAgainAfterAPop) {
  EventRing ring(3);  // becomes 4
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.Push(Numbered(1)));
  EXPECT_FALSE(ring.Push(Numbered(2)));
  FlowEvent event;
  ring.Pop(event);
  EXPECT_TRUE(ring.Push(Numbered(3)));
}

TEST(EventRing, LosesNothingBetweenTwoThreads) {
  constexpr uint64_t kEvents = 100'000;
  EventRing ring(64);
  std::thread producer([&ring] {
    for (uint64_t i = 1; i <= kEvents; ++i) {
      while (!ring.Push(Numbered(i))) std::this_thread::yield();
    }
  });
  FlowEvent event;
  for (uint64_t expected = 1; expected <= kEvents; ++expected) {
    while (!ring.Pop(event)) std::this_thread::yield();
    ASSERT_EQ(event.first_seen_ns, expected);
    ASSERT_EQ(event.last_seen_ns, expected);
  }
  producer.join();
}

TEST(CounterSummary, AddsUpAllWorkers) {
  WorkerCounters one, two;
  one.pairs[3].frames[1][2].Add(5);
  two.pairs[3].frames[1][2].Add(7);
  one.reasons[0][4].Add(1);
  two.flows.Set(9);
  const WorkerCounters* const workers[] = {&one, &two};
  const CounterSummary sum = Summarise(workers);
  EXPECT_EQ(sum.pairs[3].frames[1][2], 12u);
  EXPECT_EQ(sum.reasons[0][4], 1u);
  EXPECT_EQ(sum.flows, 9u);
}

}  // namespace
}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// The packet path under a counting allocator: operator new of this whole program is replaced.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <vector>

#include "dataplane/pipeline/pipeline.h"
#include "tests/support/gateway.h"
#include "tests/support/random_policy.h"
#include "tests/support/traffic.h"

namespace {

thread_local uint64_t allocations = 0;

void* Counted(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(size_t size) { return Counted(size); }
void* operator new[](size_t size) { return Counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace cordon::dp {
namespace {

using namespace cordon::dp::testing;  // NOLINT(google-build-using-namespace)

constexpr int kBursts = 3000;

// R118
TEST(PacketPath, AllocatesNothingWhateverComes) {
  Dice dice(118);
  const PolicySpec spec = RandomPolicy(dice, 1);
  Traffic traffic(dice, spec);
  PolicySlot slot(1);
  FlowTable flows(1024, kTestSeed);
  WorkerCounters counters;
  EventRing events(64);
  Pipeline pipeline(0, slot, flows, counters, events);
  slot.Publish(Compile(spec).table);
  Burst burst;
  uint64_t counted = 0;
  for (int i = 0; i < kBursts; ++i) {
    burst.pair = static_cast<uint16_t>(dice.Below(2));
    burst.side = dice.Percent(50) ? Side::kDevice : Side::kNetwork;
    std::vector<Bytes> frames(kMaxBurst);
    for (Bytes& frame : frames) frame = traffic.Next(burst.side, burst.pair);
    burst.count = frames.size();
    for (size_t k = 0; k < frames.size(); ++k) burst.frames[k] = View(frames[k]);
    const uint64_t before = allocations;
    pipeline.ProcessBurst(burst, kSecond + static_cast<uint64_t>(i) * kMillisecond);
    counted += allocations - before;
    slot.Quiesce(0);
  }
  EXPECT_GT(allocations, 0U) << "the counter counts";
  EXPECT_GT(counters.flows_admitted.Get(), 0U);
  EXPECT_EQ(counted, 0U);
}

}  // namespace
}  // namespace cordon::dp

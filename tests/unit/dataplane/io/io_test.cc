// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dataplane/io/io_fixture.h"

namespace cordon::dp {
namespace {

using ::testing::HasSubstr;
using namespace cordon::dp::testing;  // NOLINT(google-build-using-namespace)

TEST_F(IoTest, FramesOfTheDeviceLeaveByteIdenticalAndOthersNotAtAll) {
  ASSERT_TRUE(Await([] { return Counted(Verdict::kForward) == 6; }));
  ASSERT_TRUE(Await([] { return Counted(Verdict::kDrop) == 1; }));
  ASSERT_TRUE(Await([] { return io_->PortOf(0, Side::kNetwork).transmitted_frames == 6; }));
  // R046: as they came; pieces of a datagram leave when the first of them is there, in their order.
  const std::vector<Bytes> pieces = Pieces();
  EXPECT_THAT(ReadCapture(directory_ / "out.pcap"),
              ::testing::ElementsAre(kPlain, kTagged, pieces[2], pieces[1], pieces[0], kJumbo));
}

TEST_F(IoTest, EveryBufferComesBack) {
  ASSERT_TRUE(Await([] { return Counted(Verdict::kForward) == 6; }));
  EXPECT_TRUE(Await([] {
    for (const PoolStatistics& pool : io_->Pools()) {
      if (pool.available != pool.size) return false;
    }
    return true;
  }));
}

TEST_F(IoTest, NappingWorkerTakesOverNewPolicy) {
  for (uint64_t generation = 2; generation < 30; ++generation) {
    const uint32_t stamp = policy_.Publish(MakePolicy(generation));
    EXPECT_TRUE(Await([&] { return policy_.IsEnforced(stamp); })) << generation;
  }
}

TEST_F(IoTest, PortsTellTheirNamesAndDrivers) {
  const PortStatistics port = io_->PortOf(1, Side::kNetwork);
  EXPECT_EQ(port.name, "net_null1");
  EXPECT_EQ(port.driver, "net_null");
  EXPECT_EQ(port.received_frames, 0U);
}

TEST_F(IoTest, ClockOfTheGatewayGoesAsTheSystemsDoes) {
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t gateway_begin = io_->NowNanoseconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const uint64_t passed = io_->NowNanoseconds() - gateway_begin;
  const auto really = std::chrono::steady_clock::now() - begin;
  EXPECT_NEAR(static_cast<double>(passed), static_cast<double>(really.count()), 5e6);
}

TEST_F(IoTest, CountsTimeAndPolls) {
  const uint64_t polls = counters_.polls.Get();
  EXPECT_TRUE(Await([&] { return counters_.polls.Get() > polls; }));
  EXPECT_GT(counters_.total_cycles.Get(), counters_.busy_cycles.Get());
  EXPECT_EQ(counters_.transmit_failed.Get(), 0U);
}

TEST(IoStart, RefusesACoreThatIsNotThere) {
  IoOptions options;
  options.cores = {1000};
  std::vector<std::string> warnings;
  std::string error;
  EXPECT_EQ(Io::Start(options, warnings, error), nullptr);
  EXPECT_THAT(error, HasSubstr("workers.cores: core 1000"));
}

TEST(IoStart, SaysHowManyHugepagesAreMissing) {
  IoOptions options;
  options.cores = {FirstCpu()};
  options.megabytes = 1'000'000;
  std::vector<std::string> warnings;
  std::string error;
  EXPECT_EQ(Io::Start(options, warnings, error), nullptr);
  EXPECT_THAT(error, HasSubstr("memory.megabytes: 1000000 MiB of hugepages wanted"));
  EXPECT_THAT(error, HasSubstr("memory.hugepages: false"));
}

TEST(IoOptions, DealsQueuesOfPairsToWorkersInTurn) {
  IoOptions options;
  options.cores = {4, 5, 6};
  options.pairs = {{"a", {}, 2}, {"b", {}, 2}, {"c", {}, 1}};
  EXPECT_EQ(options.WorkerOf(0, 1), 1U);
  EXPECT_EQ(options.WorkerOf(1, 0), 2U);
  EXPECT_EQ(options.WorkerOf(1, 1), 0U);
  EXPECT_EQ(options.WorkerOf(2, 0), 1U);
  EXPECT_TRUE(options.Serves(0, 1));
  EXPECT_FALSE(options.Serves(1, 1));
}

TEST(IoOptions, HoldsBackOnlyASmallPartOfTheBuffers) {
  // R042
  IoOptions options;
  options.cores = {4, 5};
  EXPECT_EQ(options.HeldFramesPerWorker(), 512U);
  options.mbufs = 1024;
  EXPECT_EQ(options.HeldFramesPerWorker(), 64U);
}

TEST(IoOptions, TellsPciAddressesFromDeviceStrings) {
  EXPECT_TRUE(IoOptions::IsPciAddress("0000:03:00.0"));
  EXPECT_TRUE(IoOptions::IsPciAddress("03:00.1"));
  EXPECT_FALSE(IoOptions::IsPciAddress("net_memif0,role=server"));
  EXPECT_FALSE(IoOptions::IsPciAddress("0000:03:00.8"));
}

}  // namespace
}  // namespace cordon::dp

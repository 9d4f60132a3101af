// SPDX-License-Identifier: Apache-2.0
// Io over ports that are files: what comes in from a capture, what leaves into one. EAL starts once
// a process, so one Io serves all the tests that need it.
#include "dataplane/io/io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/packet_builder.h"

namespace cordon::dp {
namespace {

using cordon::dp::testing::Bytes;
using cordon::dp::testing::FrameBuilder;
using cordon::dp::testing::Mac;
using ::testing::HasSubstr;

const Bytes kPlain = FrameBuilder().SourceMac(Mac("020000000121")).Udp(5000).Payload("a").Build();
const Bytes kTagged =
    FrameBuilder().SourceMac(Mac("020000000121")).Vlan(30).Udp(5000).PayloadSize(1472).Build();
const Bytes kUnknown = FrameBuilder().SourceMac(Mac("020000000199")).Udp(5000).Build();

uint32_t FirstCpu() {
  cpu_set_t set;
  sched_getaffinity(0, sizeof(set), &set);
  uint32_t cpu = 0;
  while (!CPU_ISSET(cpu, &set)) ++cpu;
  return cpu;
}

template <typename T>
void Append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void WriteCapture(const std::filesystem::path& file, const std::vector<Bytes>& frames) {
  std::string out;
  for (const uint32_t word : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 65535U, 1U}) Append(out, word);
  for (const Bytes& frame : frames) {
    const auto size = static_cast<uint32_t>(frame.size());
    for (const uint32_t word : {0U, 0U, size, size}) Append(out, word);
    out.append(frame.begin(), frame.end());
  }
  std::ofstream(file, std::ios::binary) << out;
}

std::vector<Bytes> ReadCapture(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  std::vector<Bytes> frames;
  for (size_t at = 24; at + 16 <= text.size();) {
    uint32_t size = 0;
    std::memcpy(&size, text.data() + at + 8, sizeof(size));
    frames.emplace_back(text.begin() + static_cast<long>(at) + 16,
                        text.begin() + static_cast<long>(at) + 16 + size);
    at += 16 + size;
  }
  return frames;
}

// A device in observe mode, untagged and on VLAN 30: all its frames pass.
std::unique_ptr<PolicyTable> MakePolicy(uint64_t generation) {
  PolicySpec spec;
  spec.gateway = "io";
  spec.generation = generation;
  spec.pairs = {"files", "nothing"};
  spec.rulesets.emplace_back().name = "none";
  for (const VlanTags vlan : {VlanTags{}, VlanTags{30, 0}}) {
    DeviceSpec& device = spec.devices.emplace_back();
    device.name = "pump" + std::to_string(vlan.outer);
    device.pair = "files";
    device.vlan = vlan;
    device.macs = {Mac("020000000121")};
    device.mode = Mode::kObserve;
  }
  return Compile(spec).table;
}

bool Await(const std::function<bool()>& event) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!event()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

class IoTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = std::filesystem::temp_directory_path() / ("io-test-" + std::to_string(getpid()));
    std::filesystem::create_directory(directory_);
    WriteCapture(directory_ / "device.pcap", {kPlain, kUnknown, kTagged});
    WriteCapture(directory_ / "network.pcap", {});
    std::vector<std::string> warnings;
    std::string error;
    io_ = Io::Start(Options(), warnings, error);
    ASSERT_NE(io_, nullptr) << error;
    policy_.Publish(MakePolicy(1));
    io_->StartWorkers({{.policy = &policy_, .pipeline = &pipeline_, .counters = &counters_}});
  }
  static void TearDownTestSuite() {
    io_.reset();
    std::filesystem::remove_all(directory_);
  }
  static PortOptions Device(const std::string& device) {
    PortOptions options;
    options.key = device;
    options.port = device;
    return options;
  }
  static IoOptions Options() {
    IoOptions options;
    options.gateway = "io test";
    options.hugepages = false;
    options.megabytes = 64;
    options.mbufs = 4096;
    options.cores = {FirstCpu()};
    options.idle_backoff = {.after_polls = 10, .max_sleep = std::chrono::microseconds(100)};
    const std::string at = directory_.string();
    options.pairs = {
        {"files",
         {Device("net_pcap0,rx_pcap=" + at + "/device.pcap,tx_pcap=" + at + "/back.pcap"),
          Device("net_pcap1,rx_pcap=" + at + "/network.pcap,tx_pcap=" + at + "/out.pcap")}},
        {"nothing", {Device("net_null0,no-rx=1"), Device("net_null1,no-rx=1")}}};
    return options;
  }
  static uint64_t Counted(Verdict verdict) {
    return counters_.pairs[0].frames[0][static_cast<size_t>(verdict)].Get();
  }

  static inline std::filesystem::path directory_;
  static inline PolicySlot policy_{1};
  static inline FlowTable flows_{1024, HashSeed{}};
  static inline WorkerCounters counters_;
  static inline EventRing events_{64};
  static inline Pipeline pipeline_{0, policy_, flows_, counters_, events_};
  static inline std::unique_ptr<Io> io_;
};

TEST_F(IoTest, FramesOfTheDeviceLeaveByteIdenticalAndOthersNotAtAll) {
  ASSERT_TRUE(Await([] { return Counted(Verdict::kForward) == 2; }));
  ASSERT_TRUE(Await([] { return Counted(Verdict::kDrop) == 1; }));
  ASSERT_TRUE(Await([] { return io_->PortOf(0, Side::kNetwork).transmitted_frames == 2; }));
  EXPECT_THAT(ReadCapture(directory_ / "out.pcap"), ::testing::ElementsAre(kPlain, kTagged));
}

TEST_F(IoTest, EveryBufferComesBack) {
  ASSERT_TRUE(Await([] { return Counted(Verdict::kForward) == 2; }));
  EXPECT_TRUE(Await([] {
    const PoolStatistics pool = io_->Pool();
    return pool.available == pool.size;
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

TEST(IoOptions, TellsPciAddressesFromDeviceStrings) {
  EXPECT_TRUE(IoOptions::IsPciAddress("0000:03:00.0"));
  EXPECT_TRUE(IoOptions::IsPciAddress("03:00.1"));
  EXPECT_FALSE(IoOptions::IsPciAddress("net_memif0,role=server"));
  EXPECT_FALSE(IoOptions::IsPciAddress("0000:03:00.8"));
}

}  // namespace
}  // namespace cordon::dp

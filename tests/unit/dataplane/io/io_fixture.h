// SPDX-License-Identifier: Apache-2.0
// Io over ports that are files: what comes in from a capture, what leaves into one. EAL starts once
// a process, so one Io serves all the tests that need it or DPDK's memory, to the end.
#pragma once

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/io/io.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp::testing {

inline const Bytes kPlain =
    FrameBuilder().SourceMac(Mac("020000000121")).Udp(5000).Payload("a").Build();
inline const Bytes kTagged =
    FrameBuilder().SourceMac(Mac("020000000121")).Vlan(30).Udp(5000).PayloadSize(1472).Build();
// Longer than a buffer.
inline const Bytes kJumbo =
    FrameBuilder().SourceMac(Mac("020000000121")).Udp(5000).PayloadSize(8972).Build();
inline const Bytes kRing =
    FrameBuilder().SourceMac(Mac("020000000131")).Udp(5000).Payload("r").Build();
inline const Bytes kUnknown = FrameBuilder().SourceMac(Mac("020000000199")).Udp(5000).Build();

// A message of a device under enforcement, in pieces.
inline std::vector<Bytes> Pieces() {
  return FrameBuilder()
      .SourceMac(Mac("020000000121"))
      .From("10.0.0.1")
      .To("10.0.0.9")
      .Vlan(40)
      .Udp(5000)
      .PayloadSize(4000)
      .BuildFragments(1480);
}

inline uint32_t FirstCpu() {
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

inline void WriteCapture(const std::filesystem::path& file, const std::vector<Bytes>& frames) {
  std::string out;
  for (const uint32_t word : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 65535U, 1U}) Append(out, word);
  for (const Bytes& frame : frames) {
    const auto size = static_cast<uint32_t>(frame.size());
    for (const uint32_t word : {0U, 0U, size, size}) Append(out, word);
    out.append(frame.begin(), frame.end());
  }
  std::ofstream(file, std::ios::binary) << out;
}

inline std::vector<Bytes> ReadCapture(const std::filesystem::path& file) {
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

// A device in observe mode, untagged and on VLAN 30: all its frames pass. On VLAN 40 it may send to
// udp/5000.
inline std::unique_ptr<PolicyTable> MakePolicy(uint64_t generation) {
  PolicySpec spec;
  spec.gateway = "io";
  spec.generation = generation;
  spec.pairs = {"files", "nothing", "rings"};
  spec.rulesets.emplace_back().name = "none";
  for (const VlanTags vlan : {VlanTags{}, VlanTags{30, 0}}) {
    DeviceSpec& device = spec.devices.emplace_back();
    device.name = "pump" + std::to_string(vlan.outer);
    device.pair = "files";
    device.vlan = vlan;
    device.macs = {Mac("020000000121")};
    device.mode = Mode::kObserve;
  }
  DeviceSpec& ring = spec.devices.emplace_back();
  ring.name = "ring";
  ring.pair = "rings";
  ring.macs = {Mac("020000000131")};
  ring.mode = Mode::kObserve;
  RuleSpec& rule = spec.rulesets.emplace_back().rules.emplace_back();
  spec.rulesets.back().name = "some";
  rule.origin = "some/udp";
  rule.protocol = RuleProtocol::kUdp;
  rule.any_peer = true;
  rule.peer_ports = {{5000, 5000}};
  DeviceSpec& device = spec.devices.emplace_back(spec.devices[0]);
  device.name = "pump40";
  device.vlan = {40, 0};
  device.mode = Mode::kEnforce;
  device.ruleset = 1;
  return Compile(spec).table;
}

inline bool Await(const std::function<bool()>& event) {
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
    if (io_) return;
    directory_ = std::filesystem::temp_directory_path() / ("io-test-" + std::to_string(getpid()));
    std::filesystem::create_directory(directory_);
    const std::vector<Bytes> pieces = Pieces();
    WriteCapture(directory_ / "device.pcap",
                 {pieces[2], kPlain, kUnknown, pieces[1], kTagged, pieces[0], kJumbo});
    WriteCapture(directory_ / "network.pcap", {});
    std::vector<std::string> warnings;
    std::string error;
    io_ = Io::Start(Options(), warnings, error);
    ASSERT_NE(io_, nullptr) << error;
    ::testing::AddGlobalTestEnvironment(new Closer);
    policy_.Publish(MakePolicy(1));
    io_->StartWorkers({{.policy = &policy_, .pipeline = &pipeline_, .counters = &counters_}});
  }
  // Closes the ports before DPDK's own destructors run.
  struct Closer : ::testing::Environment {
    void TearDown() override {
      io_.reset();
      std::filesystem::remove_all(directory_);
    }
  };
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
    options.megabytes = 96;
    options.mbufs = 4096;
    options.mtu = 9000;
    options.cores = {FirstCpu()};
    options.idle_backoff = {.after_polls = 10, .max_sleep = std::chrono::microseconds(100)};
    const std::string at = directory_.string();
    options.pairs = {
        {"files",
         {Device("net_pcap0,rx_pcap=" + at + "/device.pcap,tx_pcap=" + at + "/back.pcap"),
          Device("net_pcap1,rx_pcap=" + at + "/network.pcap,tx_pcap=" + at + "/out.pcap")}},
        {"nothing", {Device("net_null0,no-rx=1"), Device("net_null1,no-rx=1")}},
        {"rings", {Device("net_ring0"), Device("net_ring1")}}};
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

// A pool of `count` buffers of `bytes`, freed at the end of the test.
struct PoolFree {
  void operator()(rte_mempool* pool) const { rte_mempool_free(pool); }
};
using Pool = std::unique_ptr<rte_mempool, PoolFree>;
inline Pool MakePool(const char* name, unsigned count, uint16_t bytes) {
  const auto room = static_cast<uint16_t>(bytes + RTE_PKTMBUF_HEADROOM);
  return Pool(rte_pktmbuf_pool_create(name, count, 0, 0, room, SOCKET_ID_ANY));
}

}  // namespace cordon::dp::testing

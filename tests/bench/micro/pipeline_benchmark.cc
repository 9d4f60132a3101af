// SPDX-License-Identifier: Apache-2.0
// What a frame costs between Receive and Transmit, in bursts of 32, at several numbers of flows.
#include <benchmark/benchmark.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/pipeline/pipeline.h"
#include "tests/support/packet_builder.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp {
namespace {

using testing::Bytes;
using testing::FrameBuilder;

uint64_t Cycles() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return 0;
#endif
}

// 1,000 devices behind one pair; frame i belongs to flow i.
class Bench {
 public:
  explicit Bench(size_t flows, bool allowed)
      : slot_(1), flows_(flows * 2, {{1, 2, 3, 4, 5, 6}}), ring_(1024) {
    testing::Policy policy;
    policy.Rules({testing::Allow(Initiator::kDevice, RuleProtocol::kUdp, "10.0.0.0/8")
                      .PeerPort(allowed ? 5000 : 5001)});
    for (uint32_t d = 0; d < 1000; ++d) {
      policy.Device("d" + std::to_string(d), Station(d));
    }
    slot_.Publish(std::move(Compile(policy).table));
    pipeline_ = std::make_unique<Pipeline>(0, slot_, flows_, counters_, ring_);
    for (uint32_t i = 0; i < flows; ++i) {
      const testing::Station device = Station(i % 1000);
      frames_.push_back(FrameBuilder()
                            .FromDevice(device)
                            .To(IpAddress::V4(0x0a000000 + i))
                            .Udp(static_cast<uint16_t>(20000 + i / 1000), 5000)
                            .Build());
    }
    std::shuffle(frames_.begin(), frames_.end(), std::mt19937(1));
    for (size_t i = 0; i < flows / kMaxBurst; ++i) Run();
  }

  void Run() {
    burst_.count = kMaxBurst;
    for (size_t i = 0; i < kMaxBurst; ++i) {
      burst_.frames[i] = testing::View(frames_[next_]);
      next_ = next_ + 1 == frames_.size() ? 0 : next_ + 1;
    }
    const uint64_t start = Cycles();
    pipeline_->ProcessBurst(burst_, now_ += 1000);
    cycles_ += Cycles() - start;
    slot_.Quiesce(0);
    FlowEvent event;
    for (size_t i = 0; i < kMaxBurst; ++i) ring_.Pop(event);
  }
  uint64_t TakeCycles() { return std::exchange(cycles_, 0); }
  bool IsForwarded() const { return burst_.ShouldForward(0); }

 private:
  static testing::Station Station(uint32_t d) {
    return {{0x020000000000ULL + d}, IpAddress::V4(0x0b000000 + d), {}};
  }
  PolicySlot slot_;
  FlowTable flows_;
  WorkerCounters counters_;
  EventRing ring_;
  std::unique_ptr<Pipeline> pipeline_;
  Burst burst_;
  std::vector<Bytes> frames_;
  size_t next_ = 0;
  TimePoint now_ = 1'000'000'000;
  uint64_t cycles_ = 0;
};

void Measure(benchmark::State& state, bool allowed) {
  Bench bench(static_cast<size_t>(state.range(0)), allowed);
  bench.TakeCycles();
  for (auto _ : state) bench.Run();
  if (bench.IsForwarded() != allowed) state.SkipWithError("wrong verdict");
  const double frames = static_cast<double>(state.iterations()) * kMaxBurst;
  state.counters["cycles_per_frame"] = static_cast<double>(bench.TakeCycles()) / frames;
  state.counters["frames_per_s"] = benchmark::Counter(frames, benchmark::Counter::kIsRate);
}

void BM_EstablishedFlows(benchmark::State& state) { Measure(state, true); }
void BM_RefusedFlows(benchmark::State& state) { Measure(state, false); }
BENCHMARK(BM_EstablishedFlows)->Arg(32)->Arg(10'000)->Arg(200'000);
BENCHMARK(BM_RefusedFlows)->Arg(10'000);

}  // namespace
}  // namespace cordon::dp

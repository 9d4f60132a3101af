// SPDX-License-Identifier: Apache-2.0
// bench-swap: what a policy push costs, and what it does to frames meanwhile.
//
//   bench-swap [--devices 10000] [--rules 64] [--swaps 5] [--worker-core N] [--publisher-core N]
//
// Two different policies for one fleet are compiled and published in turn while a worker decides
// frames flat out. Every verdict is compared with what the policy in force for its burst says, by
// another evaluator; a burst during which the policy changed must agree with one of the two as a
// whole. Then the rules of a single device are changed. Prints one JSON object; exit 1 if a frame
// was misjudged. No port, no root.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "dataplane/pipeline/pipeline.h"
#include "tests/bench/micro/rig.h"

namespace cordon::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  uint32_t devices = 10'000, rules = 64;
  int swaps = 5, worker_core = -1, publisher_core = -1;
};

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Pin(int core) {
  if (core < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(core), &set);
  sched_setaffinity(0, sizeof(set), &set);
}

// A line of /proc/self/status such as VmHWM, in megabytes.
double StatusMegabytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == name + ":" && status >> kilobytes) return kilobytes / 1024;
  }
  return 0;
}

// From here on VmHWM counts anew.
void ResetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

// Even generations enforce the first policy of the model, odd ones the other.
bool IsAllowed(const ModelFlow& flow, uint64_t generation) {
  return generation % 2 == 0 ? flow.allowed : flow.other_allowed;
}

// Decides frames of all flows over and over, and judges the decisions.
class Worker {
 public:
  Worker(const Model& model, dp::PolicySlot& slot)
      : model_(model), slot_(slot), frames_(model, FrameShape::kIpv4, Segment::kData, true) {}

  void Run(int core) {
    Pin(core);
    while (!stop_.load(std::memory_order_relaxed)) RunOnce();
  }
  void Stop() { stop_ = true; }

  uint64_t judged() const { return judged_; }
  uint64_t misjudged() const { return misjudged_; }
  // The longest that one burst took since the last call.
  uint64_t TakeLongest() { return longest_.exchange(0); }

 private:
  void RunOnce() {
    Fill();
    const uint64_t before = slot_.Acquire(0).generation();
    const auto start = Clock::now();
    pipeline_.ProcessBurst(burst_, now_ += 1000);
    const auto nanoseconds = static_cast<uint64_t>((Clock::now() - start).count());
    const uint64_t after = slot_.Acquire(0).generation();
    slot_.Quiesce(0);
    if (nanoseconds > longest_.load(std::memory_order_relaxed)) longest_ = nanoseconds;
    misjudged_ += std::min(CountWrong(before), CountWrong(after));
    judged_ += burst_.count;
    next_ = (next_ + dp::kMaxBurst) % frames_.size();
    dp::FlowEvent event;
    while (events_.Pop(event)) {
    }
  }
  void Fill() {
    burst_.count = dp::kMaxBurst;
    const auto size = static_cast<uint32_t>(frames_.frame_size());
    for (size_t i = 0; i < burst_.count; ++i) {
      burst_.frames[i] = {};
      burst_.frames[i].bytes = {frames_.frame((next_ + i) % frames_.size()), size};
      burst_.frames[i].length = size;
    }
  }
  uint64_t CountWrong(uint64_t generation) const {
    uint64_t wrong = 0;
    for (size_t i = 0; i < burst_.count; ++i) {
      const ModelFlow& flow = model_.flows[(next_ + i) % frames_.size()];
      wrong += burst_.ShouldForward(i) != IsAllowed(flow, generation) ? 1 : 0;
    }
    return wrong;
  }

  const Model& model_;
  dp::PolicySlot& slot_;
  const FrameSet frames_;
  dp::FlowTable flows_{2 * frames_.size(), {{9, 8, 7, 6, 5, 4}}};
  dp::WorkerCounters counters_;
  dp::EventRing events_{1024};
  // Flows that a policy cut are adopted again as soon as one allows them.
  dp::Pipeline pipeline_{0,       slot_,
                         flows_,  counters_,
                         events_, {.adopt_until = std::numeric_limits<dp::TimePoint>::max()}};
  dp::Burst burst_;
  size_t next_ = 0;
  dp::TimePoint now_ = 1'000'000'000'000;
  uint64_t judged_ = 0, misjudged_ = 0;
  std::atomic<uint64_t> longest_{0};
  std::atomic<bool> stop_{false};
};

struct Push {
  double compile_ms = 0, publish_ms = 0, table_mb = 0;
};

// Compiles and publishes, and waits until every frame is decided under it.
Push Enforce(dp::PolicySlot& slot, const dp::PolicySpec& spec) {
  Push push;
  auto start = Clock::now();
  dp::CompileResult compiled = dp::Compile(spec);
  push.compile_ms = MillisecondsSince(start);
  if (!compiled.table) {
    std::cerr << "bench-swap: " << compiled.faults.front().message << '\n';
    std::exit(1);
  }
  push.table_mb = static_cast<double>(compiled.table->memory_bytes()) / (1 << 20);
  start = Clock::now();
  const uint32_t stamp = slot.Publish(std::move(compiled.table));
  while (!slot.IsEnforced(stamp)) std::this_thread::yield();
  push.publish_ms = MillisecondsSince(start);
  slot.Reclaim();
  return push;
}

int Report(const Options& options, const std::vector<Push>& pushes, const Push& one_device,
           const std::vector<double>& peaks, const std::vector<double>& longest,
           const Worker& worker) {
  std::vector<double> compile, publish;
  for (const Push& push : pushes) {
    compile.push_back(push.compile_ms);
    publish.push_back(push.publish_ms);
  }
  std::printf(
      "{\"case\":\"policy-push\",\"devices\":%u,\"rules\":%u,\"compile_ms\":%.2f,"
      "\"publish_ms\":%.3f,\"table_mb\":%.1f,\"peak_mb\":%.1f,\"one_device_ms\":%.2f,"
      "\"longest_burst_us\":%.1f,\"frames\":%lu,\"misjudged\":%lu}\n",
      options.devices, options.devices * options.rules, Median(compile), Median(publish),
      pushes.back().table_mb, Median(peaks), one_device.compile_ms + one_device.publish_ms,
      Median(longest), worker.judged(), worker.misjudged());
  return worker.misjudged() == 0 ? 0 : 1;
}

int Measure(const Options& options) {
  const Model model = MakeModel({options.devices, options.rules, 20'000, 10, true});
  dp::PolicySpec specs[2] = {SpecOf(model, FrameShape::kIpv4, WhichRules::kFirst),
                             SpecOf(model, FrameShape::kIpv4, WhichRules::kOther)};
  dp::PolicySlot slot(1);
  uint64_t generation = 2;
  specs[0].generation = generation;
  slot.Publish(std::move(dp::Compile(specs[0]).table));
  Worker worker(model, slot);
  std::thread thread([&] { worker.Run(options.worker_core); });
  Pin(options.publisher_core);
  std::vector<Push> pushes;
  std::vector<double> longest, peaks;
  for (int i = 0; i < options.swaps; ++i) {
    dp::PolicySpec& spec = specs[++generation % 2];
    spec.generation = generation;
    worker.TakeLongest();
    ResetPeak();
    const double resident = StatusMegabytes("VmRSS");
    pushes.push_back(Enforce(slot, spec));
    peaks.push_back(StatusMegabytes("VmHWM") - resident);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    longest.push_back(static_cast<double>(worker.TakeLongest()) / 1e3);
  }
  dp::PolicySpec& spec = specs[generation % 2];
  spec.generation = generation += 2;
  spec.rulesets[0].rules.back().device_ports = {{1, 65535}};  // says the same, compiles anew
  const Push one_device = Enforce(slot, spec);
  worker.Stop();
  thread.join();
  return Report(options, pushes, one_device, peaks, longest, worker);
}

bool ParseOptions(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const int number = std::atoi(argv[i + 1]);
    if (name == "--devices") {
      options.devices = static_cast<uint32_t>(number);
    } else if (name == "--rules") {
      options.rules = static_cast<uint32_t>(number);
    } else if (name == "--swaps") {
      options.swaps = number;
    } else if (name == "--worker-core") {
      options.worker_core = number;
    } else if (name == "--publisher-core") {
      options.publisher_core = number;
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && options.devices > 0 && options.rules > 0 && options.swaps > 0;
}

}  // namespace
}  // namespace cordon::bench

int main(int argc, char** argv) {
  cordon::bench::Options options;
  if (!cordon::bench::ParseOptions(argc, argv, options)) {
    std::cerr << "usage: bench-swap [--devices N] [--rules N] [--swaps N] [--worker-core N] "
                 "[--publisher-core N]\n";
    return 2;
  }
  return cordon::bench::Measure(options);
}

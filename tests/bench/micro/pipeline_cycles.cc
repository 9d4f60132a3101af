// SPDX-License-Identifier: Apache-2.0
// bench-pipeline: cycles a frame costs between Receive and Transmit. No port, no root, seconds.
//
//   bench-pipeline [--core N] [--devices 1000] [--rules 16] [--flows 1000,10000,100000,1000000]
//                  [--shape v4|vlan|v6]... [--case hit|mixed|new|refused]... [--repeat 5] [--json]
//
// hit: established flows, frames both ways. mixed: the same with one frame in ten refused, which
// is what scripts/bench sends. new: every frame opens a flow. refused: every frame is refused.
// `added` is what the pipeline costs beyond an empty loop over the same frames; medians. The flow
// table is opened in another order than it is used, so no entry follows its neighbour.
// bench-stages is the same program and also prints where the cycles go, stage by stage.
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "tests/bench/micro/rig.h"
#include "tests/bench/micro/stage_probe.h"

namespace cordon::bench {
namespace {

struct Options {
  int core = -1;
  uint32_t devices = 1000, rules = 16;
  std::vector<uint32_t> flows;
  std::vector<std::string> shapes, cases;
  int repeat = 5;
  bool json = false;
};

struct Row {
  std::vector<double> cycles, added;
  uint64_t frames = 0, passed = 0, expected = 0;
};

FrameShape ShapeOf(const std::string& name) {
  return name == "v6"     ? FrameShape::kIpv6
         : name == "vlan" ? FrameShape::kIpv4Vlan
                          : FrameShape::kIpv4;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::vector<uint32_t> Shuffled(size_t count, uint32_t seed) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  std::shuffle(order.begin(), order.end(), std::mt19937(seed));
  return order;
}

// One policy, one set of flows, one shape of frame.
class Experiment {
 public:
  Experiment(const Options& options, const std::string& shape, uint32_t flows, uint32_t deny)
      : options_(options),
        shape_(ShapeOf(shape)),
        model_(MakeModel({options.devices, options.rules, flows, deny, false})),
        slot_(1),
        rig_(slot_),
        opening_order_(Shuffled(flows, 1)),
        order_(Shuffled(flows, 2)) {
    dp::CompileResult compiled = dp::Compile(SpecOf(model_, shape_));
    if (!compiled.table) {
      std::cerr << "bench-pipeline: " << compiled.faults.front().message << '\n';
      std::exit(1);
    }
    slot_.Publish(std::move(compiled.table));
  }

  // Frames of flows that are open, in bursts from either side.
  Row Established() {
    const FrameSet from_device(model_, shape_, Segment::kData, true);
    const FrameSet to_device(model_, shape_, Segment::kData, false);
    rig_.Reset(2 * model_.flows.size());
    for (auto [segment, is_device] :
         {std::pair{Segment::kSyn, true}, {Segment::kSynAck, false}, {Segment::kAck, true}}) {
      const FrameSet opening(model_, shape_, segment, is_device);
      rig_.Send(opening, is_device ? dp::Side::kDevice : dp::Side::kNetwork, opening_order_, 0,
                opening.size());
    }
    Row row;
    const size_t count = std::max<size_t>(model_.flows.size(), 1 << 18);
    for (int i = -1; i < options_.repeat; ++i) {
      if (i == 0) ClearProbes();
      Timed sum;
      for (size_t done = 0; done < count; done += kTurn) {
        Add(sum, rig_.Send(from_device, dp::Side::kDevice, order_, done, kTurn));
        Add(sum, rig_.Send(to_device, dp::Side::kNetwork, order_, done, kTurn));
      }
      if (i >= 0) Note(row, sum);
    }
    // Both directions of an allowed flow pass, none of a refused one; counted over whole turns.
    row.expected = ExpectedOf(row.frames);
    return row;
  }

  // Frames that no flow knows: allowed ones open one each, so the table is emptied between.
  Row Unknown(bool allowed) {
    const FrameSet frames(model_, shape_, Segment::kSyn, true);
    Row row;
    for (int i = -1; i < options_.repeat; ++i) {
      if (i <= 0 || allowed) rig_.Reset(2 * model_.flows.size());
      if (i == 0) ClearProbes();
      Timed sum;
      const size_t count = allowed ? frames.size() : std::max<size_t>(frames.size(), 1 << 18);
      Add(sum, rig_.Send(frames, dp::Side::kDevice, order_, 0, count));
      if (i >= 0) Note(row, sum);
    }
    row.expected = allowed ? row.frames : 0;
    return row;
  }

 private:
  static constexpr size_t kTurn = 1024;

  static void Add(Timed& sum, const Timed& more) {
    sum.frames += more.frames;
    sum.passed += more.passed;
    sum.cycles += more.cycles;
    sum.empty_cycles += more.empty_cycles;
  }
  static void Note(Row& row, const Timed& sum) {
    const auto frames = static_cast<double>(sum.frames);
    row.cycles.push_back(static_cast<double>(sum.cycles) / frames);
    row.added.push_back((static_cast<double>(sum.cycles) - static_cast<double>(sum.empty_cycles)) /
                        frames);
    row.frames += sum.frames;
    row.passed += sum.passed;
  }
  static void ClearProbes() {
    for (StageProbe& probe : StageProbes()) probe.cycles = probe.calls = 0;
  }
  uint64_t ExpectedOf(uint64_t frames) const {
    uint64_t expected = 0;
    const uint64_t per_side = frames / 2 / static_cast<uint64_t>(options_.repeat);
    for (uint64_t i = 0; i < per_side; ++i) {
      expected += model_.flows[order_[i % order_.size()]].allowed ? 1 : 0;
    }
    return expected * 2 * static_cast<uint64_t>(options_.repeat);
  }

  const Options& options_;
  const FrameShape shape_;
  const Model model_;
  dp::PolicySlot slot_;
  Rig rig_;
  const std::vector<uint32_t> opening_order_, order_;
};

Row Measure(const Options& options, const std::string& name, const std::string& shape,
            uint32_t flows) {
  const uint32_t deny = name == "mixed" ? 10 : name == "refused" ? 100 : 0;
  Experiment experiment(options, shape, flows, deny);
  if (name == "new" || name == "refused") return experiment.Unknown(name == "new");
  return experiment.Established();
}

void PrintStages(uint64_t frames) {
  for (const StageProbe& probe : StageProbes()) {
    if (probe.calls == 0) continue;
    std::printf("    %-22.*s %7.1f cycles a frame, %4.1f calls a burst\n",
                static_cast<int>(probe.name.size()), probe.name.data(),
                static_cast<double>(probe.cycles) / static_cast<double>(frames),
                static_cast<double>(probe.calls) * dp::kMaxBurst / static_cast<double>(frames));
  }
}

// Returns whether every frame met the verdict that the model says.
bool Print(const Options& options, const std::string& name, const std::string& shape,
           uint32_t flows, const Row& row) {
  const double cycles = Median(row.cycles), added = Median(row.added);
  const bool right = row.passed == row.expected;
  if (options.json) {
    std::printf(
        "{\"case\":\"pipeline-%s\",\"shape\":\"%s\",\"flows\":%u,\"cycles\":%.1f,\"added\":%.1f,"
        "\"right\":%s",
        name.c_str(), shape.c_str(), flows, cycles, added, right ? "true" : "false");
    std::printf(",\"stages\":{");
    const char* comma = "";
    for (const StageProbe& probe : StageProbes()) {
      if (probe.calls == 0) continue;
      std::printf("%s\"%.*s\":%.1f", comma, static_cast<int>(probe.name.size()), probe.name.data(),
                  static_cast<double>(probe.cycles) / static_cast<double>(row.frames));
      comma = ",";
    }
    std::printf("}}\n");
  } else {
    std::printf("%-8s %-5s %8u %9.1f %9.1f %9.1f-%.1f%s\n", name.c_str(), shape.c_str(), flows,
                cycles, added, *std::min_element(row.added.begin(), row.added.end()),
                *std::max_element(row.added.begin(), row.added.end()),
                right ? "" : "   WRONG VERDICTS");
    if (!right) {
      std::printf("    %lu frames passed, %lu should\n", static_cast<unsigned long>(row.passed),
                  static_cast<unsigned long>(row.expected));
    }
    PrintStages(row.frames);
  }
  std::fflush(stdout);
  return right;
}

std::vector<uint32_t> Numbers(const std::string& text) {
  std::vector<uint32_t> numbers;
  for (const char* at = text.c_str(); *at != 0;) {
    char* end = nullptr;
    numbers.push_back(static_cast<uint32_t>(std::strtoul(at, &end, 10)));
    if (end == at || numbers.back() == 0) return {};
    at = *end == ',' ? end + 1 : end;
  }
  return numbers;
}

bool ParseOptions(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--json") {
      options.json = true;
      continue;
    }
    if (i + 1 >= argc) return false;
    const std::string value = argv[++i];
    if (name == "--shape") {
      options.shapes.push_back(value);
    } else if (name == "--case") {
      options.cases.push_back(value);
    } else if (name == "--flows") {
      options.flows = Numbers(value);
    } else if (name == "--core") {
      options.core = std::atoi(value.c_str());
    } else if (name == "--devices") {
      options.devices = static_cast<uint32_t>(std::atoi(value.c_str()));
    } else if (name == "--rules") {
      options.rules = static_cast<uint32_t>(std::atoi(value.c_str()));
    } else if (name == "--repeat") {
      options.repeat = std::atoi(value.c_str());
    } else {
      return false;
    }
  }
  return options.devices > 0 && options.rules > 0 && options.repeat > 0;
}

struct Plan {
  std::string name, shape;
  uint32_t flows;
};

// What is worth a look, unless the command line says otherwise.
std::vector<Plan> MakePlan(const Options& options) {
  const bool chosen = !options.shapes.empty() || !options.cases.empty() || !options.flows.empty();
  if (!chosen) {
    return {{"hit", "v4", 1000},     {"hit", "v4", 10000},    {"hit", "v4", 100000},
            {"hit", "v4", 1000000},  {"hit", "vlan", 10000},  {"hit", "v6", 10000},
            {"mixed", "v4", 10000},  {"mixed", "v4", 100000}, {"new", "v4", 10000},
            {"new", "v4", 200000},   {"new", "v6", 200000},   {"refused", "v4", 10000},
            {"refused", "v6", 10000}};
  }
  const auto shapes = options.shapes.empty() ? std::vector<std::string>{"v4"} : options.shapes;
  const auto cases = options.cases.empty() ? std::vector<std::string>{"hit"} : options.cases;
  const auto flows = options.flows.empty() ? std::vector<uint32_t>{10000} : options.flows;
  std::vector<Plan> plan;
  for (const std::string& name : cases) {
    for (const std::string& shape : shapes) {
      for (const uint32_t count : flows) plan.push_back({name, shape, count});
    }
  }
  return plan;
}

void Pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(core), &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) {
    std::cerr << "bench-pipeline: cannot run on core " << core << '\n';
    std::exit(1);
  }
}

int Main(int argc, char** argv) {
  Options options;
  if (!ParseOptions(argc, argv, options)) {
    std::cerr << "usage: bench-pipeline [--core N] [--devices N] [--rules N] [--flows N,N...] "
                 "[--shape v4|vlan|v6]... [--case hit|mixed|new|refused]... [--repeat N] "
                 "[--json]\n";
    return 2;
  }
  if (options.core >= 0) Pin(options.core);
  const Precedence precedence;
  bool right = true;
  if (!options.json) std::printf("case     shape    flows    cycles     added     (spread)\n");
  for (const Plan& plan : MakePlan(options)) {
    const Row row = Measure(options, plan.name, plan.shape, plan.flows);
    right = Print(options, plan.name, plan.shape, plan.flows, row) && right;
  }
  return right ? 0 : 1;
}

}  // namespace
}  // namespace cordon::bench

int main(int argc, char** argv) { return cordon::bench::Main(argc, argv); }

// SPDX-License-Identifier: Apache-2.0
// What a policy push costs: compile, and one match in the compiled table.
#include <benchmark/benchmark.h>

#include <string>

#include "dataplane/policy/table.h"

namespace cordon::dp {
namespace {

// Distinct rulesets, one a device: nothing can be shared.
PolicySpec DistinctPolicy(size_t devices, size_t rules) {
  PolicySpec spec;
  spec.gateway = "bench";
  spec.generation = 1;
  spec.pairs = {"ward"};
  spec.rulesets.resize(devices);
  spec.devices.resize(devices);
  for (uint32_t d = 0; d < devices; ++d) {
    for (uint32_t r = 0; r < rules; ++r) {
      RuleSpec rule;
      rule.origin = "infusion-pump/rule-" + std::to_string(d) + "-" + std::to_string(r);
      rule.initiator = r % 4 == 3 ? Initiator::kPeer : Initiator::kDevice;
      rule.protocol = r % 3 == 0 ? RuleProtocol::kUdp : RuleProtocol::kTcp;
      rule.peers = {{IpAddress::V4(0x0a000000 + d * 97 + r * 65537), 32}};
      const auto l4_port = static_cast<uint16_t>(1000 + r);
      rule.peer_ports = {{l4_port, l4_port}};
      spec.rulesets[d].rules.push_back(std::move(rule));
    }
    spec.rulesets[d].name = "pump";
    spec.devices[d] = {.name = "pump-" + std::to_string(d),
                       .pair = "ward",
                       .vlan = {},
                       .macs = {{0x020000000000ULL + d}},
                       .ips = {IpAddress::V4(0x0b000000 + d)},
                       .mode = Mode::kEnforce,
                       .ruleset = d,
                       .protection = {},
                       .limits = {}};
  }
  return spec;
}

void BM_Compile(benchmark::State& state) {
  const PolicySpec spec =
      DistinctPolicy(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)));
  size_t bytes = 0;
  for (auto _ : state) {
    const CompileResult result = Compile(spec);
    if (!result.table) state.SkipWithError("faults");
    bytes = result.table->memory_bytes();
  }
  state.counters["table_MB"] = static_cast<double>(bytes) / 1e6;
}
BENCHMARK(BM_Compile)->Args({1000, 16})->Args({10000, 64})->Unit(benchmark::kMillisecond);

// The last rule of a device: the whole ruleset is scanned.
void BM_MatchLastRule(benchmark::State& state) {
  const auto rules = static_cast<size_t>(state.range(0));
  const CompileResult result = Compile(DistinctPolicy(1000, rules));
  FlowQuestion question;
  question.protocol = 6;
  question.peer = IpAddress::V4(1);
  question.peer_port = 9;
  DeviceIndex device = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(result.table->Match(device, question));
    device = (device + 7) % 1000;
  }
}
BENCHMARK(BM_MatchLastRule)->Arg(16)->Arg(64);

}  // namespace
}  // namespace cordon::dp

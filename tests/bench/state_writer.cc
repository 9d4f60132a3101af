// SPDX-License-Identifier: Apache-2.0
// bench-state: puts the policy of a model into the state directory of a gateway, as if a controller
// had pushed it, so that a gateway without a controller enforces it from its start.
//
//   bench-state MODEL-OPTIONS --directory DIR [--pairs 1|2]
//
// With two pairs, "bench" and "second", the same devices stand behind either.
#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>

#include "cordon/v1/policy_set.pb.h"
#include "dataplane/agent/policy_store.h"
#include "tests/bench/model_options.h"
#include "tests/bench/model_spec.h"

namespace {

using namespace cordon::bench;
namespace v1 = cordon::v1;

void AddRule(const cordon::dp::RuleSpec& spec, v1::Ruleset& ruleset) {
  v1::Rule& rule = *ruleset.add_rules();
  rule.set_origin(spec.origin);
  rule.set_initiator(v1::INITIATOR_DEVICE);
  rule.set_protocol(spec.protocol == cordon::dp::RuleProtocol::kTcp ? v1::PROTOCOL_TCP
                                                                    : v1::PROTOCOL_UDP);
  for (const auto& peer : spec.peers) {
    rule.mutable_prefixes()->add_prefixes(cordon::dp::ToString(peer));
  }
  for (const auto& range : spec.peer_ports) {
    v1::PortRange& ports = *rule.add_peer_ports();
    ports.set_first(range.first);
    ports.set_last(range.last);
  }
}

v1::PolicySet ProtoOf(const cordon::dp::PolicySpec& spec) {
  v1::PolicySet set;
  set.set_gateway(spec.gateway);
  set.set_generation(spec.generation);
  for (const std::string& pair : spec.pairs) set.add_pairs(pair);
  for (const auto& from : spec.rulesets) {
    v1::Ruleset& ruleset = *set.add_rulesets();
    ruleset.set_name(from.name);
    for (const auto& rule : from.rules) AddRule(rule, ruleset);
  }
  for (const auto& from : spec.devices) {
    v1::DevicePolicy& device = *set.add_devices();
    device.set_name(from.name);
    device.set_pair(from.pair);
    if (from.vlan.outer != 0) device.mutable_vlan()->set_outer(from.vlan.outer);
    for (const auto& mac : from.macs) device.add_macs(cordon::dp::ToString(mac));
    for (const auto& ip : from.ips) device.add_ips(cordon::dp::ToString(ip));
    device.set_mode(v1::MODE_ENFORCE);
    device.set_ruleset(from.ruleset);
  }
  return set;
}

void AddSecondPair(cordon::dp::PolicySpec& spec) {
  spec.pairs.emplace_back("second");
  const auto devices = spec.devices;
  for (cordon::dp::DeviceSpec device : devices) {
    device.name += "-second";
    device.pair = "second";
    spec.devices.push_back(std::move(device));
  }
}

}  // namespace

int main(int argc, char** argv) {
  TrafficOptions options;
  options.model.flows = 1;
  std::string directory, pairs = "1";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string(argv[i]) == "--directory") {
      directory = argv[i + 1];
    } else if (std::string(argv[i]) == "--pairs") {
      pairs = argv[i + 1];
    } else if (!TakeModelOption(argv[i], argv[i + 1], options)) {
      directory.clear();
      break;
    }
  }
  if (directory.empty()) {
    std::cerr << "usage: bench-state --directory DIR [--pairs 1|2]\n  " << kModelUsage << '\n';
    return 2;
  }
  std::filesystem::create_directories(directory);
  cordon::dp::PolicyStore store(directory);
  cordon::dp::PolicySpec spec = SpecOf(MakeModel(options.model), options.shape);
  if (pairs == "2") AddSecondPair(spec);
  const v1::PolicySet set = ProtoOf(spec);
  const auto fault = store.Save({1, std::chrono::system_clock::now(), set.SerializeAsString()});
  if (fault) std::cerr << "bench-state: " << *fault << '\n';
  return fault ? 1 : 0;
}

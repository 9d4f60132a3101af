// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/model_spec.h"

#include <string>
#include <utility>

namespace cordon::bench {
namespace {

dp::IpAddress AddressOf(FrameShape shape, uint32_t ip) {
  return shape == FrameShape::kIpv6 ? dp::IpAddress::V6(0xfdULL << 56, ip) : dp::IpAddress::V4(ip);
}

dp::RuleSpec RuleOf(FrameShape shape, const ModelRule& rule, std::string origin) {
  dp::RuleSpec spec;
  spec.origin = std::move(origin);
  spec.protocol = rule.protocol == kTcp ? dp::RuleProtocol::kTcp : dp::RuleProtocol::kUdp;
  const int length = rule.length + (shape == FrameShape::kIpv6 ? 96 : 0);
  spec.peers = {{AddressOf(shape, rule.network), static_cast<uint8_t>(length)}};
  spec.peer_ports = {{rule.first_port, rule.last_port}};
  return spec;
}

}  // namespace

dp::PolicySpec SpecOf(const Model& model, FrameShape shape, WhichRules which) {
  dp::PolicySpec spec;
  spec.gateway = "bench";
  spec.generation = 1;
  spec.pairs = {"bench"};
  for (uint32_t i = 0; i < model.devices.size(); ++i) {
    const ModelDevice& device = model.devices[i];
    dp::RulesetSpec ruleset;
    ruleset.name = "p" + std::to_string(i);
    for (const ModelRule& rule : which == WhichRules::kFirst ? device.rules : device.other_rules) {
      ruleset.rules.push_back(
          RuleOf(shape, rule, ruleset.name + "/r" + std::to_string(ruleset.rules.size())));
    }
    dp::DeviceSpec device_spec;
    device_spec.name = "d" + std::to_string(i);
    device_spec.pair = "bench";
    if (shape == FrameShape::kIpv4Vlan) device_spec.vlan.outer = kBenchVlan;
    device_spec.macs = {{device.mac}};
    device_spec.ips = {AddressOf(shape, device.ip)};
    device_spec.ruleset = i;
    spec.rulesets.push_back(std::move(ruleset));
    spec.devices.push_back(std::move(device_spec));
  }
  return spec;
}

}  // namespace cordon::bench

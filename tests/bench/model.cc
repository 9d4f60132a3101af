// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/model.h"

#include <algorithm>
#include <random>

namespace cordon::bench {
namespace {

constexpr uint16_t kServicePorts[] = {104, 11112, 2575, 443,  123,  53, 514,  389,
                                      636, 8443,  2762, 5000, 6661, 80, 1883, 8883};

class Random {
 public:
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(generator_() % n); }

 private:
  std::mt19937_64 generator_{42};
};

bool IsTaken(const std::vector<ModelRule>& rules, uint32_t network) {
  return std::any_of(rules.begin(), rules.end(),
                     [&](const ModelRule& rule) { return (rule.network & ~255u) == network; });
}

// Rules of one device never overlap: each has a /24 of its own, in both policies.
ModelRule MakeRule(Random& random, const ModelDevice& device) {
  ModelRule rule;
  const uint32_t shape = random.Below(10);
  rule.protocol = random.Below(10) < 6 ? kTcp : kUdp;
  uint32_t network = 0;
  do {
    network = 0xac100000u + (random.Below(4096) << 8);
  } while (IsTaken(device.rules, network) || IsTaken(device.other_rules, network));
  rule.length = shape < 5 ? 32 : 24;
  rule.network = shape < 5 ? network + 1 + random.Below(254) : network;
  if (shape < 8) {
    rule.first_port = rule.last_port = kServicePorts[random.Below(16)];
  } else {
    rule.first_port = static_cast<uint16_t>(0x2000 + (random.Below(64) << 8));
    rule.last_port = static_cast<uint16_t>(rule.first_port + 255);
  }
  return rule;
}

ModelDevice MakeDevice(Random& random, const ModelOptions& options, uint32_t number) {
  ModelDevice device;
  device.mac = 0x021000000000u | number;
  device.ip = 0x0a000000u + 256 + number;
  for (uint32_t r = 0; r < options.rules; ++r) device.rules.push_back(MakeRule(random, device));
  if (!options.two_policies) return device;
  for (uint32_t r = 0; r < options.rules; ++r) {
    device.other_rules.push_back(r % 2 == 0 ? device.rules[r] : MakeRule(random, device));
  }
  return device;
}

bool Allows(const std::vector<ModelRule>& rules, const ModelFlow& flow) {
  return std::any_of(rules.begin(), rules.end(), [&](const ModelRule& rule) {
    const uint32_t mask = rule.length == 32 ? ~0u : ~255u;
    return rule.protocol == flow.protocol && rule.network == (flow.peer & mask) &&
           rule.first_port <= flow.peer_port && flow.peer_port <= rule.last_port;
  });
}

void Spoil(Random& random, ModelFlow& flow) {
  const uint32_t how = random.Below(10);
  if (how < 4) {
    flow.peer = 0xc0000200u + 1 + random.Below(253);
  } else if (how < 7) {
    flow.peer_port = static_cast<uint16_t>(40480 + random.Below(2000));
  } else {
    flow.protocol = static_cast<uint8_t>(kTcp + kUdp - flow.protocol);
  }
}

ModelFlow MakeFlow(Random& random, const ModelOptions& options,
                   const std::vector<ModelDevice>& devices) {
  ModelFlow flow;
  flow.device = random.Below(options.devices);
  const ModelDevice& device = devices[flow.device];
  const bool other = options.two_policies && random.Below(2) == 1;
  const ModelRule& rule = (other ? device.other_rules : device.rules)[random.Below(options.rules)];
  flow.protocol = rule.protocol;
  flow.peer = rule.length == 32 ? rule.network : rule.network + 1 + random.Below(254);
  flow.peer_port =
      static_cast<uint16_t>(rule.first_port + random.Below(rule.last_port - rule.first_port + 1u));
  flow.device_port = static_cast<uint16_t>(32768 + random.Below(28000));
  if (random.Below(100) < options.deny_percent) Spoil(random, flow);
  flow.allowed = Allows(device.rules, flow);
  flow.other_allowed = options.two_policies ? Allows(device.other_rules, flow) : flow.allowed;
  return flow;
}

}  // namespace

Model MakeModel(const ModelOptions& options) {
  Random random;
  Model model;
  model.devices.reserve(options.devices);
  for (uint32_t i = 0; i < options.devices; ++i) {
    model.devices.push_back(MakeDevice(random, options, i));
  }
  model.flows.reserve(options.flows);
  for (uint32_t i = 0; i < options.flows; ++i) {
    model.flows.push_back(MakeFlow(random, options, model.devices));
  }
  return model;
}

}  // namespace cordon::bench

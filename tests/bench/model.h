// SPDX-License-Identifier: Apache-2.0
// What is measured with: a fleet of devices with rules, and flows that the rules allow or refuse.
// Deterministic: the same options give the same fleet, on every machine.
//
// Rules: half name a host and one port, 30 % a /24 and one port, 20 % a /24 and a block of 256
// ports; 60 % TCP. Refused flows: unknown peer 40 %, wrong port 30 %, wrong protocol 30 %. Flows
// are uniform over devices and rules, which is the worst case for caches.
#pragma once

#include <cstdint>
#include <vector>

namespace cordon::bench {

inline constexpr uint8_t kTcp = 6, kUdp = 17;

struct ModelRule {
  uint8_t protocol = 0;
  uint32_t network = 0;  // IPv4, host order
  int length = 0;        // 24 or 32
  uint16_t first_port = 0, last_port = 0;
  friend bool operator==(const ModelRule&, const ModelRule&) = default;
};

// A fleet may have two policies: the flows know what either says of them.
enum class WhichRules { kFirst, kOther };

struct ModelDevice {
  uint64_t mac = 0;
  uint32_t ip = 0;
  std::vector<ModelRule> rules;
  // Under another policy for the same fleet; empty if there is none. Half of the rules are equal.
  std::vector<ModelRule> other_rules;
};

struct ModelFlow {
  uint32_t device = 0, peer = 0;
  uint16_t device_port = 0, peer_port = 0;
  uint8_t protocol = 0;
  bool allowed = false;        // by rules
  bool other_allowed = false;  // by other_rules
};

struct ModelOptions {
  uint32_t devices = 1000, rules = 16, flows = 10000, deny_percent = 10;
  bool two_policies = false;  // flows are then drawn from both
};

struct Model {
  std::vector<ModelDevice> devices;
  std::vector<ModelFlow> flows;
};

Model MakeModel(const ModelOptions& options);

}  // namespace cordon::bench

// SPDX-License-Identifier: Apache-2.0
// Random policies over small universes of addresses and ports, so that rules, flows and spoofed
// addresses meet often.
#pragma once

#include <string>
#include <vector>

#include "dataplane/policy/spec.h"
#include "tests/support/dice.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp::testing {

struct Universe {
  std::vector<std::string> pairs = {"ward", "lab"};
  std::vector<VlanTags> vlans = {{0, 0}, {0, 0}, {30, 0}, {100, 30}};
  std::vector<uint16_t> ports = {67, 68, 80, 104, 546, 547, 2575, 40000};
  std::vector<IpAddress> v4, v6;    // that frames use
  std::vector<IpAddress> bindable;  // that devices own
  std::vector<MacAddress> device_macs, peer_macs, group_macs;
};
const Universe& TheUniverse();

inline constexpr int64_t kUnixTime = 1'800'000'000;  // around which rules expire
PolicySpec RandomPolicy(Dice& dice, uint64_t generation);

}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// A small hospital as a configuration, for the tests of this folder to change.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "controlplane/policy/configuration.h"

namespace cordon::cp::testing {

inline ProfileRule TcpRule(std::string id, std::string peer, uint16_t l4_port) {
  ProfileRule rule;
  rule.id = std::move(id);
  rule.peer = {std::move(peer)};
  rule.peer_ports = {{l4_port, l4_port}};
  rule.reason = "the test needs it";
  return rule;
}

inline Device MakeDevice(std::string name, uint64_t number) {
  Device device;
  device.name = std::move(name);
  device.macs = {{0x020000000000 + number}};
  device.ips = {dp::IpAddress::V4(0x0a1e0000 + static_cast<uint32_t>(number))};
  device.profile = "ct";
  device.gateway = "radiology-1";
  device.pair = "ct-suite";
  device.mode = DeviceMode::kEnforce;
  return device;
}

// Peer archive, profile ct (store to archive:104), gateway radiology-1 with pair ct-suite, device
// ct-2 (10.30.0.21) on it.
inline Configuration Hospital() {
  Configuration hospital;
  hospital.peers["archive"] = {"archive", "", {*dp::ParsePrefix("10.20.0.10")}};
  hospital.profiles["ct"] = {"ct", "", {}, {TcpRule("store", "archive", 104)}};
  hospital.gateways["radiology-1"] = {"radiology-1", {"ct-suite"}, "deny"};
  hospital.devices["ct-2"] = MakeDevice("ct-2", 21);
  return hospital;
}

inline ProfileRule& StoreRule(Configuration& hospital) { return hospital.profiles["ct"].rules[0]; }

}  // namespace cordon::cp::testing

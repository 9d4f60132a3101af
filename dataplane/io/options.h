// SPDX-License-Identifier: Apache-2.0
// What io/ is told to do: plain values, read from gateway.yaml by app/.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/packet/packet.h"

namespace cordon::dp {

// One port. Either a Linux interface, or whatever DPDK can name.
struct PortOptions {
  enum class Driver : uint8_t { kAfPacket, kAfXdp };  // of an interface

  std::string key;        // "pairs[0].device_side": what error messages call it
  std::string interface;  // Linux interface; empty if `port` is set
  Driver driver = Driver::kAfPacket;
  std::string port;  // PCI address, or device string: "0000:03:00.0", "net_memif0,role=server"
};

struct PairOptions {
  std::string name;
  std::array<PortOptions, kSideCount> sides;  // by Side
};

struct IdleBackoff {
  uint32_t after_polls = 0;  // empty polls of all ports in a row before the first sleep; 0: never
  // Longest sleep: also bounds how long an idle worker takes to see a new policy.
  std::chrono::microseconds max_sleep{100};
};

struct IoOptions {
  std::string gateway;             // names the EAL's runtime files
  std::vector<PairOptions> pairs;  // pair number = position
  std::vector<uint32_t> cores;     // CPUs, one worker each; pair i belongs to worker i % cores
  IdleBackoff idle_backoff;
  bool hugepages = true;
  size_t megabytes = 512;
  size_t mbufs = 0;  // buffers for frames, over all ports; 0: enough for the ports
  size_t mtu = 1500;

  // A port string that names a PCI device: "03:00.0" or "0000:03:00.0".
  static bool IsPciAddress(const std::string& port);
};

}  // namespace cordon::dp

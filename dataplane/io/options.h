// SPDX-License-Identifier: Apache-2.0
// What io/ is told to do: plain values, read from gateway.yaml by app/.
#pragma once

#include <algorithm>
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
  uint16_t workers = 1;                       // that share its frames, device by device
  bool link_propagation = false;              // a lost link on one side is shown on the other
};

struct IdleBackoff {
  uint32_t after_polls = 0;  // empty polls of all ports in a row before the first sleep; 0: never
  // Longest sleep: also bounds how long an idle worker takes to see a new policy.
  std::chrono::microseconds max_sleep{100};
};

struct IoOptions {
  std::string gateway;             // names the EAL's runtime files
  std::vector<PairOptions> pairs;  // pair number = position
  std::vector<uint32_t> cores;     // CPUs, one worker each
  IdleBackoff idle_backoff;
  bool hugepages = true;
  size_t megabytes = 512;
  size_t mbufs = 0;  // buffers for frames, over all ports; 0: enough for the ports
  size_t mtu = 1500;

  // Which worker serves a queue of a pair: one queue after the other, pair by pair, goes to the
  // next worker, and round again.
  size_t WorkerOf(size_t pair, size_t queue) const {
    for (size_t i = 0; i < pair; ++i) queue += pairs[i].workers;
    return queue % cores.size();
  }

  bool Serves(size_t worker, size_t pair) const {
    for (size_t queue = 0; queue < pairs[pair].workers; ++queue) {
      if (WorkerOf(pair, queue) == worker) return true;
    }
    return false;
  }

  // How many frames a worker may hold back at most, so that there are always buffers to receive
  // into.
  size_t HeldFramesPerWorker() const {
    constexpr size_t kEnough = 512;
    return mbufs == 0 ? kEnough : std::min(kEnough, mbufs / 8 / std::max<size_t>(1, cores.size()));
  }
  // A port string that names a PCI device: "03:00.0" or "0000:03:00.0".
  static bool IsPciAddress(const std::string& port);
};

}  // namespace cordon::dp

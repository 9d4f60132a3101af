// SPDX-License-Identifier: Apache-2.0
// Buffers for frames in flight: one pool for each NUMA node and buffer length that the ports need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/io/options.h"

struct rte_mempool;

namespace cordon::dp {

struct PoolStatistics {
  std::string name;
  uint64_t size = 0;
  uint64_t available = 0;
};

// What the receive queues of one port take their buffers from.
struct BufferNeed {
  int numa_node = -1;  // -1: any
  size_t bytes = 0;    // of a frame, that one buffer holds
  uint16_t queues = 1;
};

// Longest frame of an MTU: Ethernet header and two VLAN tags before it.
constexpr size_t LongestFrame(size_t mtu) { return mtu + 14 + 8; }
// Bytes of a buffer that holds any frame of an MTU whole; what an af_packet ring slot needs itself
// fits too.
size_t WholeFrameBytes(size_t mtu);
// Bytes of a buffer where the driver may put a frame in several.
inline constexpr size_t kSegmentBytes = 2048;

class Buffers {
 public:
  Buffers() = default;
  ~Buffers();  // no port may hold a buffer any more
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  // Adds up needs; then makes the pools. False, with the configuration key in `error`, if the
  // memory does not hold them.
  void Add(const BufferNeed& need);
  bool Make(const IoOptions& options, std::string& error);
  rte_mempool* For(const BufferNeed& need) const;
  // Any thread, after Make.
  std::vector<PoolStatistics> Statistics() const;

 private:
  struct Pool {
    BufferNeed need;  // queues: of all its ports
    rte_mempool* pool = nullptr;
  };
  static bool Fits(const Pool& pool, const BufferNeed& need);
  std::vector<Pool> pools_;
};

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/buffers.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <algorithm>
#include <bit>

namespace cordon::dp {
namespace {

constexpr unsigned kPoolCache = 256;
// Behind the MTU: Ethernet header, two VLAN tags, and what an af_packet ring slot needs itself.
constexpr size_t kFrameOverhead = 14 + 8 + 96;
constexpr size_t kBuffersInHand = 4096;
constexpr size_t kBuffersPerQueue = 4096;  // full in both directions, and some on their way

size_t CountOf(const IoOptions& options, size_t queues, size_t all_queues) {
  if (options.mbufs != 0) return options.mbufs * queues / all_queues;
  return kBuffersInHand + queues * kBuffersPerQueue;
}

}  // namespace

size_t WholeFrameBytes(size_t mtu) { return std::bit_ceil(mtu + kFrameOverhead); }

bool Buffers::Fits(const Pool& pool, const BufferNeed& need) {
  return pool.need.numa_node == need.numa_node && pool.need.bytes == need.bytes;
}

void Buffers::Add(const BufferNeed& need) {
  const auto pool =
      std::find_if(pools_.begin(), pools_.end(), [&](const Pool& p) { return Fits(p, need); });
  if (pool == pools_.end()) {
    pools_.push_back({need, nullptr});
  } else {
    pool->need.queues = static_cast<uint16_t>(pool->need.queues + need.queues);
  }
}

bool Buffers::Make(const IoOptions& options, std::string& error) {
  size_t queues = 0;
  size_t needed = 16 << 20;  // rings, ports
  for (const Pool& pool : pools_) queues += pool.need.queues;
  bool made = true;
  std::string what;
  for (Pool& pool : pools_) {
    const size_t count = CountOf(options, pool.need.queues, queues);
    const size_t room = pool.need.bytes + RTE_PKTMBUF_HEADROOM;
    constexpr size_t kBufferOverhead = 192;  // mbuf and mempool headers
    needed += count * (room + kBufferOverhead);
    what += (what.empty() ? "" : " and ") + std::to_string(count) + " buffers of " +
            std::to_string(room) + " bytes";
    if (!made) continue;
    std::string name = "frames";
    if (&pool != &pools_.front()) name += "-" + std::to_string(&pool - pools_.data());
    pool.pool = rte_pktmbuf_pool_create(name.c_str(), static_cast<unsigned>(count), kPoolCache, 0,
                                        static_cast<uint16_t>(room), pool.need.numa_node);
    made = pool.pool != nullptr;
  }
  if (!made) {
    error = "memory.megabytes: " + std::to_string(options.megabytes) + " MiB do not hold " + what +
            " (" + rte_strerror(rte_errno) + "): about " + std::to_string(needed >> 20) +
            " are needed; or lower memory.mbufs";
  }
  return made;
}

rte_mempool* Buffers::For(const BufferNeed& need) const {
  const auto pool =
      std::find_if(pools_.begin(), pools_.end(), [&](const Pool& p) { return Fits(p, need); });
  return pool == pools_.end() ? nullptr : pool->pool;
}

std::vector<PoolStatistics> Buffers::Statistics() const {
  std::vector<PoolStatistics> result;
  for (const Pool& pool : pools_) {
    result.push_back({pool.pool->name, pool.pool->size, rte_mempool_avail_count(pool.pool)});
  }
  return result;
}

Buffers::~Buffers() {
  for (const Pool& pool : pools_) rte_mempool_free(pool.pool);
}

}  // namespace cordon::dp

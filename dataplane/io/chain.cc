// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/chain.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

namespace cordon::dp {
namespace {

// Moves bytes of the second buffer to the end of the first; frees it once it is empty.
bool MoveUp(rte_mbuf& mbuf, uint16_t wanted) noexcept {
  rte_mbuf& next = *mbuf.next;
  const uint16_t count = std::min(wanted, next.data_len);
  if (rte_pktmbuf_tailroom(&mbuf) < count) return false;
  std::memcpy(rte_pktmbuf_mtod_offset(&mbuf, uint8_t*, mbuf.data_len),
              rte_pktmbuf_mtod(&next, const uint8_t*), count);
  mbuf.data_len = static_cast<uint16_t>(mbuf.data_len + count);
  next.data_len = static_cast<uint16_t>(next.data_len - count);
  next.data_off = static_cast<uint16_t>(next.data_off + count);
  if (next.data_len != 0) return true;
  mbuf.next = next.next;
  --mbuf.nb_segs;
  rte_pktmbuf_free_seg(&next);
  return true;
}

// The ones-complement sum of all buffers but the first, in big-endian words from an even offset on.
// (rte_raw_cksum_mbuf of DPDK 22.11 loses carries where a buffer begins at an odd one.)
uint16_t SumOfTail(const rte_mbuf& mbuf) noexcept {
  uint64_t sum = 0;
  size_t offset = 0;
  for (const rte_mbuf* segment = mbuf.next; segment != nullptr; segment = segment->next) {
    const uint16_t words =
        rte_be_to_cpu_16(rte_raw_cksum(rte_pktmbuf_mtod(segment, const void*), segment->data_len));
    sum += offset % 2 == 0 ? words : rte_bswap16(words);
    offset += segment->data_len;
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

}  // namespace

Reason ShowChain(rte_mbuf& mbuf, uint32_t longest, Frame& frame) noexcept {
  Reason reason = mbuf.pkt_len > longest ? Reason::kFrameTooLong : Reason::kUndecided;
  while (reason == Reason::kUndecided && mbuf.data_len < kHeadBytes && mbuf.next != nullptr) {
    const auto missing = static_cast<uint16_t>(kHeadBytes - mbuf.data_len);
    if (!MoveUp(mbuf, missing)) reason = Reason::kFrameScattered;
  }
  frame = {{rte_pktmbuf_mtod(&mbuf, const uint8_t*), mbuf.data_len}, mbuf.pkt_len};
  if (reason == Reason::kUndecided) frame.tail_sum = SumOfTail(mbuf);
  return reason;
}

}  // namespace cordon::dp

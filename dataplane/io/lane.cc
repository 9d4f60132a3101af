// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/lane.h"

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "dataplane/io/chain.h"

namespace cordon::dp {
namespace {

// What the driver of an af_packet port could not hand over bit for bit: see PacketSocket.
Reason ReasonOfFiltered(const rte_mbuf& mbuf) noexcept {
  uint32_t length = mbuf.pkt_len;
  if ((mbuf.ol_flags & RTE_MBUF_F_RX_VLAN) != 0) length -= RTE_VLAN_HLEN;  // put back by then
  if (length == kFilteredTagLost) return Reason::kVlanTagLost;
  if (length == kFilteredTooLong) return Reason::kFrameTooLong;
  return Reason::kUndecided;
}

// A tag that a driver left in the mbuf's margin goes back to its place, before anybody looks.
bool RestoreTag(rte_mbuf*& mbuf) noexcept {
  return (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) == 0 || rte_vlan_insert(&mbuf) == 0;
}

}  // namespace

void Lane::Receive(Burst& burst) noexcept {
  burst.pair = pair_;
  burst.side = side_;
  burst.count = rte_eth_rx_burst(from_, queue_, mbufs_.data(), kMaxBurst);
  for (size_t i = 0; i < burst.count; ++i) rte_prefetch0(rte_pktmbuf_mtod(mbufs_[i], void*));
  for (size_t i = 0; i < burst.count; ++i) {
    burst.preset[i] = RestoreTag(mbufs_[i]) ? Reason::kUndecided : Reason::kVlanTagLost;
    rte_mbuf& mbuf = *mbufs_[i];
    if (has_packet_socket_ && burst.preset[i] == Reason::kUndecided) {
      burst.preset[i] = ReasonOfFiltered(mbuf);
    }
    burst.frames[i] = {{rte_pktmbuf_mtod(&mbuf, const uint8_t*), mbuf.data_len}, mbuf.pkt_len};
    if (mbuf.nb_segs != 1 && burst.preset[i] == Reason::kUndecided) {
      burst.preset[i] = ShowChain(mbuf, longest_chain_, burst.frames[i]);
    }
  }
}

size_t Lane::Transmit(const Burst& burst) noexcept {
  std::array<rte_mbuf*, kMaxBurst> passed;
  std::array<rte_mbuf*, kMaxBurst> rest;
  uint16_t passed_count = 0;
  unsigned rest_count = 0;
  for (size_t i = 0; i < burst.count; ++i) {
    if (burst.ShouldForward(i)) {
      passed[passed_count++] = mbufs_[i];
    } else {
      rest[rest_count++] = mbufs_[i];
    }
  }
  uint16_t sent = 0;
  if (passed_count != 0 && carries_->load(std::memory_order_relaxed)) {
    sent = rte_eth_tx_burst(to_, queue_, passed.data(), passed_count);
  }
  for (uint16_t i = sent; i < passed_count; ++i) rest[rest_count++] = passed[i];
  if (rest_count != 0) rte_pktmbuf_free_bulk(rest.data(), rest_count);
  return static_cast<size_t>(passed_count - sent);
}

}  // namespace cordon::dp

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

// Frames on their way out: at most kMaxBurst at a time.
struct Lane::Outgoing {
  std::array<rte_mbuf*, kMaxBurst> passed;
  std::array<rte_mbuf*, kMaxBurst> rest;
  uint16_t passed_count = 0;
  uint16_t rest_count = 0;

  void Add(rte_mbuf* mbuf, bool passes) {
    if (passes) {
      passed[passed_count++] = mbuf;
    } else {
      rest[rest_count++] = mbuf;
    }
  }
  bool IsFull() const { return passed_count + rest_count == kMaxBurst; }
};

// Returns how many frames the port did not take; all of them are gone.
size_t Lane::Send(Outgoing& outgoing) noexcept {
  uint16_t sent = 0;
  if (outgoing.passed_count != 0 && carries_->load(std::memory_order_relaxed)) {
    sent = rte_eth_tx_burst(to_, queue_, outgoing.passed.data(), outgoing.passed_count);
  }
  const auto lost = static_cast<size_t>(outgoing.passed_count - sent);
  for (uint16_t i = sent; i < outgoing.passed_count; ++i) outgoing.Add(outgoing.passed[i], false);
  if (outgoing.rest_count != 0) {
    rte_pktmbuf_free_bulk(outgoing.rest.data(), outgoing.rest_count);
  }
  outgoing.passed_count = outgoing.rest_count = 0;
  return lost;
}

size_t Lane::Transmit(const Burst& burst, HeldFrames& held) noexcept {
  if (burst.held != 0 || !burst.released.empty()) [[unlikely]]
    return TransmitHeld(burst, held);
  Outgoing outgoing;
  for (size_t i = 0; i < burst.count; ++i) outgoing.Add(mbufs_[i], burst.ShouldForward(i));
  return Send(outgoing);
}

// Released frames leave in front of the one that they waited for, so each datagram leaves in the
// order in which it came.
size_t Lane::TransmitHeld(const Burst& burst, HeldFrames& held) noexcept {
  for (size_t i = 0; i < burst.count; ++i) {
    if (burst.IsHeld(i)) held.Keep(burst.tickets[i], mbufs_[i]);
  }
  Outgoing outgoing;
  size_t lost = 0;
  const auto add = [&](rte_mbuf* mbuf, bool passes) {
    outgoing.Add(mbuf, passes);
    if (outgoing.IsFull()) lost += Send(outgoing);
  };
  size_t next = 0;
  const auto add_released_before = [&](size_t end) {
    for (; next < burst.released.size() && burst.released[next].before < end; ++next) {
      const ReleasedFrame& frame = burst.released[next];
      add(held.Take(frame.ticket), frame.decision.verdict != Verdict::kDrop);
    }
  };
  for (size_t i = 0; i < burst.count; ++i) {
    add_released_before(i + 1);
    if (!burst.IsHeld(i)) add(mbufs_[i], burst.ShouldForward(i));
  }
  add_released_before(kMaxBurst + 1);
  return lost + Send(outgoing);
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// One way through a pair: frames are received from the port of one side and transmitted at the
// other. The only place where mbufs and bursts meet.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/io/held_frames.h"
#include "dataplane/io/port.h"
#include "dataplane/pipeline/burst.h"
#include "dataplane/telemetry/counters.h"

struct rte_mbuf;

namespace cordon::dp {

// Used by one worker. Both ports must outlive it.
class Lane {
 public:
  // Frames of `side` of pair number `pair` come in at `from` and leave at `to`, each time by the
  // queue of that number, which no other lane uses.
  Lane(const Port& from, const Port& to, uint16_t queue, uint16_t pair, Side side)
      : from_(from.id()),
        to_(to.id()),
        queue_(queue),
        longest_chain_(to.longest_chain()),
        carries_(&to.carries()),
        pair_(pair),
        side_(side),
        has_packet_socket_(from.has_packet_socket()) {}

  // Takes up to kMaxBurst frames from the port into `burst`, which shows them until Transmit.
  void Receive(Burst& burst) noexcept;
  // Sends what the burst says may pass, in order, keeps what it holds and frees the rest. Never
  // waits: what the port does not take is freed too. Returns how many frames that were.
  size_t Transmit(const Burst& burst, HeldFrames& held) noexcept;

 private:
  struct Outgoing;
  size_t Send(Outgoing& outgoing) noexcept;
  size_t TransmitHeld(const Burst& burst, HeldFrames& held) noexcept;

  const uint16_t from_;
  const uint16_t to_;
  const uint16_t queue_;
  const uint32_t longest_chain_;
  const std::atomic<bool>* carries_;
  const uint16_t pair_;
  const Side side_;
  const bool has_packet_socket_;
  std::array<rte_mbuf*, kMaxBurst> mbufs_{};
};

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// The frames of one worker that wait for the first fragment of their datagram: see Burst::held.
#pragma once

#include <cstddef>
#include <vector>

#include "dataplane/fragment/table.h"

struct rte_mbuf;

namespace cordon::dp {

class HeldFrames {
 public:
  // For tickets below `tickets`.
  explicit HeldFrames(size_t tickets) : mbufs_(tickets, nullptr) {}
  ~HeldFrames();  // frees what still waits
  HeldFrames(const HeldFrames&) = delete;
  HeldFrames& operator=(const HeldFrames&) = delete;

  void Keep(HoldTicket ticket, rte_mbuf* mbuf) noexcept { mbufs_[ticket] = mbuf; }
  // The caller's from now on.
  rte_mbuf* Take(HoldTicket ticket) noexcept;

 private:
  std::vector<rte_mbuf*> mbufs_;  // by ticket; null: free
};

}  // namespace cordon::dp

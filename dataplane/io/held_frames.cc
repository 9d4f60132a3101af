// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/held_frames.h"

#include <rte_mbuf.h>

#include <utility>

namespace cordon::dp {

HeldFrames::~HeldFrames() {
  for (rte_mbuf* mbuf : mbufs_) rte_pktmbuf_free(mbuf);  // null is no matter
}

rte_mbuf* HeldFrames::Take(HoldTicket ticket) noexcept {
  return std::exchange(mbufs_[ticket], nullptr);
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// What the pipeline remembers of datagrams in pieces, beside the table of their pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/flow/table.h"
#include "dataplane/fragment/table.h"
#include "dataplane/pipeline/burst.h"

namespace cordon::dp {

// What the first piece of a datagram was judged to be. Later pieces take it over.
struct JudgedDatagram {
  Decision decision;
  uint32_t stamp = 0;  // PolicyTable::stamp under which it was judged
  // The flow of the first piece, to judge it again under a later policy; only if it was by its
  // rules and its mode that the first piece passed.
  FlowKey flow;
  Initiator initiator = Initiator::kDevice;
  bool is_by_policy = false;
};

// A frame that io keeps until its verdict is known, as it must be counted and reported then.
struct HeldFrame {
  FlowKey key;  // without L4 ports
  uint64_t hash = 0;
  MacAddress source_mac;
  MacAddress destination_mac;
  uint32_t frame_length = 0;
  uint16_t ethertype = 0;
  uint16_t pair = 0;
  uint8_t protocol = 0;
  Side side = Side::kDevice;
};

// Memory of one worker; nothing is allocated after construction.
class Fragments {
 public:
  Fragments(const FragmentLimits& limits, const HashSeed& seed)
      : table(limits, seed),
        judged(limits.datagrams),
        held(table.tickets()),
        released_(table.tickets()) {}

  FragmentTable table;
  std::vector<JudgedDatagram> judged;  // by DatagramIndex
  std::vector<HeldFrame> held;         // by HoldTicket

  // Frames of the burst at hand or of earlier ones whose waiting is over, as Burst shows them.
  std::span<const ReleasedFrame> released() const { return {released_.data(), released_count_}; }
  void Release(const ReleasedFrame& frame) { released_[released_count_++] = frame; }
  void ClearReleased() { released_count_ = 0; }

 private:
  std::vector<ReleasedFrame> released_;
  size_t released_count_ = 0;
};

}  // namespace cordon::dp

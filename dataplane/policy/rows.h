// SPDX-License-Identifier: Apache-2.0
// Compiled rules as rows (one prefix x one range of L4 ports each), packed eight to a block so that
// one pass of vector instructions tests eight rows. Private to policy/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/packet/address.h"
#include "dataplane/packet/packet.h"
#include "dataplane/policy/table.h"

namespace cordon::dp {

inline constexpr size_t kLanes = 8;

// Both ranges of L4 ports of a row, and the ports of a question, in one word: peer << 16 | device.
// ICMP rows have the range of types in the device's half, and so have ICMP questions.
constexpr uint32_t PortWord(uint16_t peer, uint16_t device) {
  return static_cast<uint32_t>(peer) << 16 | device;
}

// One row before it is packed. `Words` is 1 for IPv4 and 4 for IPv6, most significant first.
template <size_t Words>
struct Row {
  uint32_t network[Words];
  uint32_t mask[Words];
  uint32_t ports_low;
  uint32_t ports_high;
  uint32_t protocol;  // 0: any
  uint32_t rule;      // counted from the first rule of the ruleset
};

// Eight rows, one array a field. Unused lanes never match. Peers come first: of IPv4 they are one
// cache line, the only one that most questions look at.
template <size_t Words>
struct alignas(64) RowBlock {
  uint32_t network[Words][kLanes];
  uint32_t mask[Words][kLanes];
  uint32_t ports_low[kLanes];
  uint32_t ports_high[kLanes];
  uint32_t protocol[kLanes];
  uint32_t rule[kLanes];
};

using RowV4 = Row<1>;
using RowV6 = Row<4>;
using BlockV4 = RowBlock<1>;
using BlockV6 = RowBlock<4>;

// A question in the form the blocks are compared with.
struct RowQuestion {
  uint32_t peer[4];
  uint32_t ports;
  uint32_t protocol;
};

void PackRows(const std::vector<RowV4>& rows, std::vector<BlockV4>& blocks);
void PackRows(const std::vector<RowV6>& rows, std::vector<BlockV6>& blocks);

// A bit per lane that matches. For IPv4 only peer[0] counts.
uint32_t MatchBlock(const BlockV4& block, const RowQuestion& question) noexcept;
uint32_t MatchBlock(const BlockV6& block, const RowQuestion& question) noexcept;
// A bit per lane whose peers the address is among. Reads the first 64 bytes of the block.
uint32_t MatchPeers(const BlockV4& block, uint32_t peer) noexcept;

}  // namespace cordon::dp

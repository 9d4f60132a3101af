// SPDX-License-Identifier: Apache-2.0
// Receive side scaling (RSS) for a pair that several workers share: which queue of a NIC a frame
// goes to. A frame must meet the worker that knows its device, whichever way it goes.
//
// A symmetric hash over both addresses is not enough: an ICMP error comes from a router somewhere
// on the path, so it would miss the flow it belongs to, and the limits of one device would be
// counted in several places. So only the IPv4 address of the device counts: the source of what
// comes in on the device side, the destination of what comes in on the network side. NICs know no
// such hash, but Toeplitz keys can be cut so that all other bits fall outside of the part that
// chooses the queue. Fragments and ICMP errors then go where their flow goes, whether the NIC
// hashes L4 ports too or not. What is not IPv4 goes to the first queue on both sides.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/packet/packet.h"

namespace cordon::dp {

// The queue is chosen by the low bits of the hash; all redirection tables have at least that many
// entries, and larger ones repeat.
inline constexpr unsigned kRssHashBits = 6;
inline constexpr size_t kRssBuckets = size_t{1} << kRssHashBits;

// The Toeplitz key for the port of a side: `bytes` long, at least 40. The first 40 decide.
std::vector<uint8_t> RssKey(Side side, size_t bytes);

// Entry `index` of the redirection table for `queues` queues.
constexpr uint16_t RssQueue(size_t index, uint16_t queues) {
  return static_cast<uint16_t>(index % kRssBuckets % queues);
}

// --- DPDK ports

// What to ask of port `id` for `queues` queues: hash types and key.
struct RssRequest {
  uint64_t types = 0;
  std::vector<uint8_t> key;
};
// False, with `error`, if its driver cannot do it.
bool PlanRss(uint16_t id, Side side, uint16_t queues, RssRequest& request, std::string& error);
// Fills the redirection table of a started port.
bool FillRssTable(uint16_t id, uint16_t queues, std::string& error);

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/rss.h"

#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cstdlib>

namespace cordon::dp {
namespace {

// Every way in which a driver names IPv4; with the cut key all give the same bits.
constexpr uint64_t kIpv4Types = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 |
                                RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP |
                                RTE_ETH_RSS_NONFRAG_IPV4_OTHER;
// Either the address pair of every packet, or each kind of packet by itself.
constexpr uint64_t kIpv4ByKind = kIpv4Types & ~RTE_ETH_RSS_IPV4;

constexpr size_t kKeyBytes = 40;
// Input bit i of a Toeplitz hash adds key bits [i, i+32) to it; of those, the last kRssHashBits
// land where the queue is chosen. The input is the source address (bits 0-31), the destination
// (32-63), and perhaps L4 ports (64-95). So source bits touch key bits 26-62, destination bits
// 58-94, ports 90-126. Set are only bits that the device's address touches and nothing else does:
// one in six, so that the hash is the address folded up six bits wide, without its first two.
constexpr size_t kAddressBits = 32;
constexpr size_t kFirstKeyBit = 33;
constexpr size_t kLastKeyBit = 57;

void SetBit(std::vector<uint8_t>& key, size_t bit) {
  key[bit / 8] = static_cast<uint8_t>(key[bit / 8] | 0x80U >> bit % 8);
}

}  // namespace

std::vector<uint8_t> RssKey(Side side, size_t bytes) {
  std::vector<uint8_t> key(bytes);
  const size_t shift = side == Side::kDevice ? 0 : kAddressBits;
  for (size_t bit = kFirstKeyBit; bit <= kLastKeyBit; bit += kRssHashBits) SetBit(key, bit + shift);
  return key;
}

bool PlanRss(uint16_t id, Side side, uint16_t queues, RssRequest& request, std::string& error) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id, &info) != 0) return false;
  const std::string driver = info.driver_name == nullptr ? "" : info.driver_name;
  const uint64_t offered = info.flow_type_rss_offloads;
  const bool whole = (offered & RTE_ETH_RSS_IPV4) != 0 || (offered & kIpv4ByKind) == kIpv4ByKind;
  // Drivers that do not say how long their key is take the usual one.
  const size_t key_bytes = info.hash_key_size == 0 ? kKeyBytes : info.hash_key_size;
  if (!whole || key_bytes < kKeyBytes || info.reta_size < kRssBuckets) {
    error = "driver " + driver +
            " offers no RSS that keeps a device's frames together (IPv4, key of 40 bytes, table of "
            "64 entries)";
    return false;
  }
  if (info.max_rx_queues < queues || info.max_tx_queues < queues) {
    error = "driver " + driver + " has " +
            std::to_string(std::min(info.max_rx_queues, info.max_tx_queues)) + " queues, " +
            std::to_string(queues) + " are wanted";
    return false;
  }
  request.types = offered & kIpv4Types;
  request.key = RssKey(side, key_bytes);
  return true;
}

bool FillRssTable(uint16_t id, uint16_t queues, std::string& error) {
  rte_eth_dev_info info{};
  int code = rte_eth_dev_info_get(id, &info);
  std::vector<rte_eth_rss_reta_entry64> table(info.reta_size / RTE_ETH_RETA_GROUP_SIZE);
  for (size_t group = 0; group < table.size(); ++group) {
    table[group].mask = ~uint64_t{0};
    for (size_t i = 0; i < RTE_ETH_RETA_GROUP_SIZE; ++i) {
      table[group].reta[i] = RssQueue(group * RTE_ETH_RETA_GROUP_SIZE + i, queues);
    }
  }
  if (code == 0) code = rte_eth_dev_rss_reta_update(id, table.data(), info.reta_size);
  if (code != 0) error = std::string("redirection table refused: ") + rte_strerror(std::abs(code));
  return code == 0;
}

}  // namespace cordon::dp

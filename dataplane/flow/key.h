// SPDX-License-Identifier: Apache-2.0
// What identifies a flow: both directions of one conversation have the same key.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/packet/packet.h"

namespace cordon::dp {

// 48 bytes without padding, compared and hashed as six words. The device's MAC and VLAN are part of
// it: a frame that copies a tuple but not the identity is another flow, and a hit needs no identity
// lookup. For group traffic from the network side device_mac is the group address.
struct FlowKey {
  IpAddress device_ip;
  IpAddress peer_ip;
  uint64_t identity = 0;  // device MAC << 16 | pair << 8 | protocol
  uint16_t vlan_outer = 0;
  uint16_t vlan_inner = 0;
  // TCP, UDP: L4 ports. ICMP requests and replies: device_port is the identifier (or type << 8 |
  // code where there is none), peer_port is the type of the request << 8, plus 1 if the peer asked.
  uint16_t device_port = 0;
  uint16_t peer_port = 0;

  MacAddress device_mac() const { return {identity >> 16}; }
  uint16_t pair() const { return static_cast<uint8_t>(identity >> 8); }
  uint8_t protocol() const { return static_cast<uint8_t>(identity); }
  VlanTags vlan() const { return {vlan_outer, vlan_inner}; }
  static constexpr uint64_t MakeIdentity(MacAddress mac, uint16_t pair, uint8_t protocol) {
    return mac.value << 16 | static_cast<uint64_t>(pair & 0xff) << 8 | protocol;
  }
  friend bool operator==(const FlowKey&, const FlowKey&) = default;
};
static_assert(sizeof(FlowKey) == 48);

inline constexpr size_t kMaxPairs = 256;

// Keyed hash, so that an attacker who chooses tuples cannot aim at one bucket. `seed` is random per
// process (six 64-bit words from the system's generator).
struct HashSeed {
  uint64_t word[6];
};

// 64 x 64 -> 128 bit product, folded: every bit of the result depends on all bits of both factors,
// and not linearly (a CRC would let collisions be computed without knowing the seed).
constexpr uint64_t MultiplyMix(uint64_t a, uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// About 10 cycles: three independent products, then one that spreads their sum.
inline uint64_t Hash(const FlowKey& key, const HashSeed& seed) noexcept {
  const uint64_t tuple = static_cast<uint64_t>(key.vlan_outer) << 48 |
                         static_cast<uint64_t>(key.vlan_inner) << 32 |
                         static_cast<uint32_t>(key.device_port) << 16 | key.peer_port;
  const uint64_t addresses =
      MultiplyMix(key.device_ip.lo ^ seed.word[0], key.peer_ip.lo ^ seed.word[1]);
  const uint64_t prefixes =
      MultiplyMix(key.device_ip.hi ^ seed.word[2], std::rotl(key.peer_ip.hi, 32) ^ seed.word[3]);
  const uint64_t rest = MultiplyMix(key.identity ^ seed.word[4], tuple ^ seed.word[5]);
  return MultiplyMix(addresses + rest + seed.word[2],
                     prefixes ^ std::rotl(rest, 29) ^ seed.word[0]);
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// What identifies a flow: both directions of one conversation have the same key.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/packet/packet.h"

namespace cordon::dp {

// 48 bytes without padding. The device's MAC and VLAN are part of
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

inline constexpr size_t kMaxPairs = 128;

// Keyed hash, so that an attacker who chooses tuples cannot aim at one bucket. `seed` is random per
// process (six 64-bit words from the system's generator).
struct HashSeed {
  uint64_t word[6];
};

// A key in three words, which is what a flow table compares first. For IPv4 they are the whole key;
// for IPv6 `addresses` is a keyed digest of both addresses, and whoever finds the words equal must
// still compare those.
struct FlowWords {
  uint64_t identity = 0;   // FlowKey::identity, kIpv6Bit set for IPv6
  uint64_t addresses = 0;  // IPv4: device << 32 | peer
  uint64_t tuple = 0;      // VLAN tags (outer, inner) and L4 ports (device, peer), 16 bits each

  static constexpr uint64_t kIpv6Bit = uint64_t{1} << 15;  // above the pair: see kMaxPairs
  bool is_ipv6() const { return (identity & kIpv6Bit) != 0; }
  static constexpr uint64_t MakeTuple(uint16_t vlan_outer, uint16_t vlan_inner,
                                      uint16_t device_port, uint16_t peer_port) {
    return static_cast<uint64_t>(vlan_outer) << 48 | static_cast<uint64_t>(vlan_inner) << 32 |
           static_cast<uint32_t>(device_port) << 16 | peer_port;
  }
  friend bool operator==(const FlowWords&, const FlowWords&) = default;
};

// 64 x 64 -> 128 bit product, folded: every bit of the result depends on all bits of both factors,
// and not linearly (a CRC would let collisions be computed without knowing the seed).
constexpr uint64_t MultiplyMix(uint64_t a, uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The digest that stands for two IPv6 addresses.
inline uint64_t DigestOf(const IpAddress& device, const IpAddress& peer,
                         const HashSeed& seed) noexcept {
  const uint64_t low = MultiplyMix(device.lo ^ seed.word[2], peer.lo ^ seed.word[3]);
  const uint64_t high =
      MultiplyMix(device.hi ^ seed.word[4], std::rotl(peer.hi, 32) ^ seed.word[5]);
  return low ^ std::rotl(high, 29);
}

// Non-IP keys (ARP) count as IPv4 if their addresses do.
inline FlowWords WordsOf(const FlowKey& key, const HashSeed& seed) noexcept {
  const uint64_t tuple =
      FlowWords::MakeTuple(key.vlan_outer, key.vlan_inner, key.device_port, key.peer_port);
  if (key.device_ip.IsV4() && key.peer_ip.IsV4()) {
    return {key.identity, static_cast<uint64_t>(key.device_ip.AsV4()) << 32 | key.peer_ip.AsV4(),
            tuple};
  }
  return {key.identity | FlowWords::kIpv6Bit, DigestOf(key.device_ip, key.peer_ip, seed), tuple};
}

// About 8 cycles of latency, 3 of throughput.
inline uint64_t Hash(const FlowWords& words, const HashSeed& seed) noexcept {
  const uint64_t ends = MultiplyMix(words.identity ^ seed.word[0], words.addresses ^ seed.word[1]);
  // The constant makes a good factor of small seeds, too.
  return MultiplyMix(ends ^ words.tuple ^ seed.word[2], seed.word[3] ^ 0x9e3779b97f4a7c15ULL);
}

}  // namespace cordon::dp

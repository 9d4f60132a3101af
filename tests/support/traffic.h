// SPDX-License-Identifier: Apache-2.0
// What devices, peers and attackers send: conversations that go on as real ones do and stray from
// it now and then, fragments, ARP, neighbour discovery, DHCP, and frames with broken bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/support/dice.h"
#include "tests/support/packet_builder.h"
#include "tests/support/random_policy.h"

namespace cordon::dp::testing {

class Traffic {
 public:
  Traffic(Dice& dice, const PolicySpec& spec) : dice_(dice), spec_(&spec) {}
  void SetPolicy(const PolicySpec& spec) { spec_ = &spec; }

  Bytes Next(Side side, uint16_t pair);

 private:
  // One conversation. Ends: 0 is who opened it, 1 the other.
  struct Talk {
    FrameBuilder from[2];
    Side opened_on = Side::kDevice;
    uint16_t pair = 0;
    bool tcp = false;
    bool echo = false;
    uint16_t icmp_id = 0;
    uint32_t next[2] = {0, 0};  // TCP: the sequence number of the next byte
    bool opened[2] = {false, false};
    uint16_t window[2] = {4096, 4096};
    int scale = -1;
  };

  Bytes Fresh(Side side, uint16_t pair);
  Bytes GoOn(Talk& talk, Side side);
  Bytes TcpSegment(Talk& talk, size_t end);
  Bytes RandomIcmp(Side side, uint16_t pair);
  Bytes Odd(Side side, uint16_t pair);
  FrameBuilder Addressed(Side side, uint16_t pair, bool v6);
  FrameBuilder Arp(Side side, uint16_t pair);
  FrameBuilder Neighbour(Side side, uint16_t pair);
  Bytes Dhcp(Side side, uint16_t pair);
  Bytes Piece(Side side, uint16_t pair);
  Bytes Broken(Bytes frame);
  const DeviceSpec* SomeDevice(uint16_t pair);

  Dice& dice_;
  const PolicySpec* spec_;
  std::vector<Talk> talks_;
  // Pieces of datagrams that are still to be sent, by whoever sends next.
  struct Pending {
    Side side;
    uint16_t pair;
    std::vector<Bytes> pieces;
  };
  std::vector<Pending> pending_;
  uint32_t datagram_ = 0;
};

// The frame with its IPv4 header and layer 4 checksums made right, as far as it can be read.
Bytes WithRightChecksums(Bytes frame);
// The IP packet of a frame in pieces of `size` bytes (a multiple of 8), each a frame.
std::vector<Bytes> InPieces(const Bytes& frame, size_t size, uint32_t id);

}  // namespace cordon::dp::testing

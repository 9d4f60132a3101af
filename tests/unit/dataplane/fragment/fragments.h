// SPDX-License-Identifier: Apache-2.0
// Pieces and keys, short enough to be read with the test.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "dataplane/fragment/table.h"

namespace cordon::dp::testing {

inline constexpr HashSeed kSeed = {{1, 2, 3, 4, 5, 6}};
inline constexpr uint64_t kNow = 1'000'000'000'000;

// Piece k of a datagram of three pieces: 0 and 1 of 64 bytes, 2 of 10.
inline Piece Third(int k) {
  return {static_cast<uint16_t>(64 * k), static_cast<uint16_t>(k == 2 ? 10 : 64), k != 2,
          static_cast<uint32_t>(k)};
}

inline DatagramKey Key(uint32_t id = 1) {
  DatagramKey key;
  key.source = IpAddress::V4(0x0a000001);
  key.destination = IpAddress::V4(0x0a000009);
  key.device_mac = {0x020000000001};
  key.id = id;
  key.protocol = protocol::kUdp;
  return key;
}

// A table of one test; pieces that wait are held.
class Fragments {
 public:
  explicit Fragments(const FragmentLimits& limits = {}) : table_(limits, kSeed) {
    table_.StartBurst(now_);
  }
  Placement Place(const Piece& piece, const DatagramKey& key = Key(), uint64_t holder = 7) {
    Placement placed = table_.Place(key, holder, piece, now_);
    if (placed.fate == Fate::kWait) {
      const HoldTicket ticket = table_.Hold(placed.datagram);
      if (ticket == kNoTicket) placed = {Fate::kRefuse, Reason::kFragmentDeviceQuota, 0};
      if (ticket != kNoTicket) tickets_.push_back(ticket);
    }
    Collect();
    return placed;
  }
  // Judges the datagram of the first piece that was placed last.
  void Pass(DatagramIndex datagram) {
    table_.Pass(datagram);
    Collect();
  }
  void Refuse(DatagramIndex datagram) {
    table_.Refuse(datagram, Reason::kFragmentRefused);
    Collect();
  }
  // Places the first piece and lets it pass.
  void PlaceAndPass(const Piece& first, const DatagramKey& key = Key(), uint64_t holder = 7) {
    Pass(Place(first, key, holder).datagram);
  }
  void Advance(uint64_t nanoseconds) {
    now_ += nanoseconds;
    table_.StartBurst(now_);
    Collect();
  }
  // Frames freed since the last call, in their order.
  std::vector<FreedFrame> Freed() { return std::exchange(freed_, {}); }
  std::vector<Reason> FreedReasons() {
    std::vector<Reason> reasons;
    for (const FreedFrame& frame : Freed()) reasons.push_back(frame.reason);
    return reasons;
  }
  std::vector<HoldTicket> FreedTickets() {
    std::vector<HoldTicket> tickets;
    for (const FreedFrame& frame : Freed()) tickets.push_back(frame.ticket);
    return tickets;
  }
  const std::vector<HoldTicket>& tickets() const { return tickets_; }  // as they were given out
  FragmentTable& table() { return table_; }

 private:
  void Collect() {
    freed_.insert(freed_.end(), table_.freed().begin(), table_.freed().end());
    table_.ClearFreed();
    table_.StartBurst(now_);  // what comes next comes in another burst
  }

  uint64_t now_ = kNow;
  FragmentTable table_;
  std::vector<HoldTicket> tickets_;
  std::vector<FreedFrame> freed_;
};

}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// Virtual reassembly: which datagrams are on their way in pieces, and which pieces of each were
// seen. Bytes are never put together. The first piece is judged like any packet, the others share
// its fate:
//
//   table.StartBurst(now);
//   const Placement placed = table.Place(key, holder, piece, now);
//   switch (placed.fate) {
//     case Fate::kJudge:   // the first piece: decide it, then Pass or Refuse the datagram
//     case Fate::kFollow:  // the first piece has passed, so may this one
//     case Fate::kWait:    // the first has not come: Hold keeps a place for the frame
//     case Fate::kRefuse:  // by placed.reason
//   }
//   for (const FreedFrame& frame : table.freed()) ...  // whose waiting is over
//   table.ClearFreed();
//
// Guarantees. A piece passes only after the first piece of its datagram has passed, and only if it
// shares no byte with another piece that passed or waits: what a receiver puts together is what was
// sent in one way only. Overlap refuses the datagram and all that comes of it later (RFC 5722). An
// exact duplicate is refused alone (RFC 8200 4.5): the receiver needs no second one. A duplicate
// with other bytes is an overlap; should two different pieces have the same digest, the second is
// still refused. A datagram is forgotten when its last missing piece has passed, or kTimeout after
// its first frame.
//
// Memory is fixed, allocated at construction. Every call does a bounded amount of work: at most
// kMaxPieces pieces of one datagram are looked at, and a call ends at most two other datagrams
// (StartBurst: kExpiryBudget). When room is short, who holds most gives way: a holder that has its
// share loses its own oldest datagram, and a full table that of whoever has most. Datagrams whose
// frames are held go before those whose are not.
//
// Not thread-safe: one worker owns it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/fragment/datagram.h"
#include "dataplane/fragment/ranking.h"

namespace cordon::dp {

// RFC 8200 4.5 lets a receiver wait for 60 s, RFC 791 recommends 15 s. Pieces of one datagram leave
// their sender within microseconds; whoever is later than this is not waited for by anybody.
inline constexpr uint64_t kFragmentTimeout = 15'000'000'000;  // nanoseconds
inline constexpr size_t kMaxPieces = 64;                      // of one datagram

struct FragmentLimits {
  size_t datagrams = 1024;  // open at a time; at most 65535
  size_t datagrams_per_holder = 64;
  size_t held = 512;  // frames that wait; at most 65000
  size_t held_per_holder = 128;
};

enum class Fate : uint8_t { kJudge, kFollow, kWait, kRefuse };

using DatagramIndex = uint16_t;
// A place for a frame that waits; unique among those that wait.
using HoldTicket = uint16_t;
inline constexpr HoldTicket kNoTicket = 0xffff;

struct Placement {
  Fate fate = Fate::kRefuse;
  Reason reason = Reason::kUndecided;  // of kRefuse
  DatagramIndex datagram = 0;          // of the others; good until the next Place
};

// A frame that need not wait any more: it shares the fate of its datagram, or is dropped.
struct FreedFrame {
  HoldTicket ticket = kNoTicket;
  Reason reason = Reason::kUndecided;  // kUndecided: it passes as its datagram does
};

class FragmentTable {
 public:
  // How many more tickets there are than frames may wait: a ticket that was freed is not given out
  // again in the same burst.
  static constexpr size_t kSpareTickets = 32;
  static constexpr size_t kExpiryBudget = 16;  // datagrams a burst

  FragmentTable(const FragmentLimits& limits, const HashSeed& seed);
  FragmentTable(const FragmentTable&) = delete;
  FragmentTable& operator=(const FragmentTable&) = delete;

  // Time for old datagrams to end, and for tickets to be used again. Between two calls at most
  // kSpareTickets frames are held.
  void StartBurst(uint64_t now) noexcept;

  // Finds or opens the datagram and adds the piece to it. `holder`: on whose account; any number.
  // The piece has passed CheckPiece. After kJudge the next call is Pass or Refuse.
  Placement Place(const DatagramKey& key, uint64_t holder, const Piece& piece,
                  uint64_t now) noexcept;
  // After kWait: keeps a ticket for the frame of that piece. kNoTicket if the share of its holder
  // is used up by this very datagram, which is then gone.
  HoldTicket Hold(DatagramIndex datagram) noexcept;
  // The first piece passed: those that wait are freed, in the order of their arrival.
  void Pass(DatagramIndex datagram) noexcept;
  // No piece of the datagram passes from now on; those that wait are freed with `reason`, those to
  // come are refused for it. Nothing happens if the last piece placed made the datagram whole.
  void Refuse(DatagramIndex datagram, Reason reason) noexcept;

  // Frames freed by the calls since ClearFreed, which is called at least once a burst.
  std::span<const FreedFrame> freed() const noexcept { return {freed_.data(), freed_count_}; }
  void ClearFreed() noexcept { freed_count_ = 0; }

  // StartBurst has nothing to do.
  bool is_idle() const noexcept { return open_ == 0 && resting_count_ == 0; }
  size_t open() const noexcept { return open_; }  // datagrams, refused ones included
  size_t held() const noexcept { return held_; }  // frames
  size_t tickets() const noexcept { return free_tickets_.size(); }  // each is below
  uint64_t timed_out() const noexcept { return timed_out_; }  // datagrams that were never whole
  uint64_t evicted() const noexcept { return evicted_; }      // datagrams that made room

 private:
  using Index = uint16_t;
  static constexpr Index kNone = 0xffff;
  enum class State : uint8_t { kFree, kWaiting, kPassed, kRefused };

  struct Links {
    Index next = kNone;
    Index previous = kNone;
  };
  struct List {  // oldest first
    Index first = kNone;
    Index last = kNone;
  };
  struct PlacedPiece {
    Piece piece;
    HoldTicket ticket = kNoTicket;
  };
  struct Datagram {
    DatagramKey key;
    uint64_t opened = 0;
    uint32_t end = 0;      // of the last piece; 0: not seen yet
    uint32_t highest = 0;  // end of the piece that reaches furthest
    uint32_t covered = 0;  // bytes
    Index next_in_bucket = kNone;
    Index holder = kNone;
    Links by_age;     // of all; free ones are chained through by_age.next
    Links by_holder;  // among those of its holder
    State state = State::kFree;
    Reason refused_for = Reason::kUndecided;
    uint16_t held = 0;
    uint16_t piece_count = 0;
    std::array<PlacedPiece, kMaxPieces> pieces;
  };
  // Who answers for datagrams.
  struct Holder {
    uint64_t id = 0;
    Index next_in_bucket = kNone;
    List holding;  // datagrams with frames that are held
    List others;
  };

  Index FindDatagram(const DatagramKey& key, uint64_t hash) const noexcept;
  Index OpenDatagram(const DatagramKey& key, uint64_t hash, uint64_t holder, uint64_t now) noexcept;
  void Close(Index datagram, Reason reason) noexcept;
  void FreeHeld(Index datagram, Reason reason) noexcept;
  void CloseOldest(Index holder, Reason reason) noexcept;
  void CloseIfWhole(Index datagram) noexcept;
  void TimeOut(Index datagram) noexcept;
  static Reason Add(Datagram& datagram, const Piece& piece) noexcept;

  size_t HolderBucket(uint64_t id) const noexcept;
  Index FindHolder(uint64_t id) const noexcept;
  Index TakeHolder(uint64_t id) noexcept;
  void DropHolderIfIdle(Index holder) noexcept;

  void Append(List& list, Links Datagram::*links, Index datagram) noexcept;
  void Remove(List& list, Links Datagram::*links, Index datagram) noexcept;

  const FragmentLimits limits_;
  const HashSeed seed_;
  const size_t bucket_mask_;
  std::vector<Index> buckets_;         // of datagrams
  std::vector<Index> holder_buckets_;  // of holders
  std::vector<Datagram> datagrams_;
  std::vector<Holder> holders_;  // as many as datagrams: none is without
  Ranking datagrams_of_;         // by holder
  Ranking held_of_;              // by holder
  List by_age_;
  Index free_datagrams_ = kNone;
  Index free_holders_ = kNone;
  std::vector<HoldTicket> free_tickets_;
  size_t free_ticket_count_ = 0;
  std::vector<HoldTicket> resting_tickets_;  // freed in this burst
  size_t resting_count_ = 0;
  std::vector<FreedFrame> freed_;
  size_t freed_count_ = 0;
  size_t open_ = 0;
  size_t held_ = 0;
  uint64_t timed_out_ = 0;
  uint64_t evicted_ = 0;
};

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// Virtual reassembly once more, the slow and obvious way: for every datagram a map of its bytes
// that says which piece brought each. No limits but the number of pieces. What FragmentTable
// answers as long as there is room is compared with this.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "dataplane/fragment/table.h"

namespace cordon::dp::testing {

class FragmentModel {
 public:
  struct Answer {
    Fate fate = Fate::kRefuse;
    Reason reason = Reason::kUndecided;  // of kRefuse
  };
  // A frame that need not wait any more, by the number that Wait was told.
  struct Freed {
    uint64_t frame = 0;
    Reason reason = Reason::kUndecided;  // kUndecided: it passes as its first piece does
    friend bool operator==(const Freed&, const Freed&) = default;
  };

  Answer Place(const DatagramKey& key, const Piece& piece, uint64_t now) {
    Expire(now);
    const auto [at, is_new] = datagrams_.try_emplace(TupleOf(key));
    Datagram& datagram = at->second;
    if (is_new) datagram.opened = now;
    if (datagram.refused_for != Reason::kUndecided) return {Fate::kRefuse, datagram.refused_for};
    const Reason reason = Add(datagram, piece);
    if (reason == Reason::kFragmentDuplicate) return {Fate::kRefuse, reason};
    if (reason != Reason::kUndecided) {
      Refuse(key, reason);
      return {Fate::kRefuse, reason};
    }
    if (piece.offset == 0) return {Fate::kJudge, reason};
    if (!datagram.passed) return {Fate::kWait, reason};
    ForgetIfWhole(key);
    return {Fate::kFollow, reason};
  }
  // The frame of the piece that was placed last waits.
  void Wait(const DatagramKey& key, uint64_t frame) {
    datagrams_.at(TupleOf(key)).waiting.push_back(frame);
  }
  void Pass(const DatagramKey& key) {
    Datagram& datagram = datagrams_.at(TupleOf(key));
    datagram.passed = true;
    Free(datagram, Reason::kUndecided);
    ForgetIfWhole(key);
  }
  void Refuse(const DatagramKey& key, Reason reason) {
    Datagram& datagram = datagrams_.at(TupleOf(key));
    datagram.refused_for = reason;
    Free(datagram, reason);
  }
  void Expire(uint64_t now) {
    for (auto at = datagrams_.begin(); at != datagrams_.end();) {
      const bool is_old = now - at->second.opened >= kFragmentTimeout;
      if (is_old) Free(at->second, Reason::kFragmentTimeout);
      at = is_old ? datagrams_.erase(at) : std::next(at);
    }
  }
  // Those freed since the last call, those of one datagram in the order of their arrival.
  std::vector<Freed> TakeFreed() { return std::exchange(freed_, {}); }
  size_t open() const { return datagrams_.size(); }

 private:
  using Tuple =
      std::tuple<IpAddress, IpAddress, MacAddress, uint32_t, VlanTags, uint16_t, uint8_t, Side>;
  struct Datagram {
    uint64_t opened = 0;
    std::vector<Piece> pieces;
    std::vector<uint8_t> bytes;  // number of the piece that brought each, from 1; 0: nobody yet
    bool has_end = false;
    bool passed = false;
    Reason refused_for = Reason::kUndecided;
    std::vector<uint64_t> waiting;
  };

  static Tuple TupleOf(const DatagramKey& key) {
    return {key.source, key.destination, key.device_mac, key.id,
            key.vlan,   key.pair,        key.protocol,   key.side};
  }

  static Reason Add(Datagram& datagram, const Piece& piece) {
    std::vector<uint8_t>& bytes = datagram.bytes;
    const size_t end = size_t{piece.offset} + piece.length;
    std::set<uint8_t> owners;
    for (size_t i = piece.offset; i < std::min(end, bytes.size()); ++i) owners.insert(bytes[i]);
    owners.erase(0);
    if (owners.size() == 1) {
      const Piece& other = datagram.pieces[*owners.begin() - 1u];
      if (std::tie(other.offset, other.length, other.more, other.digest) ==
          std::tie(piece.offset, piece.length, piece.more, piece.digest)) {
        return Reason::kFragmentDuplicate;
      }
    }
    const bool goes_past_end = datagram.has_end && (end > bytes.size() || !piece.more);
    const bool ends_too_early = !piece.more && end < bytes.size();
    if (!owners.empty() || goes_past_end || ends_too_early) return Reason::kFragmentOverlap;
    if (datagram.pieces.size() == 64) return Reason::kFragmentTooMany;
    datagram.pieces.push_back(piece);
    bytes.resize(std::max(bytes.size(), end));
    std::fill(bytes.begin() + piece.offset, bytes.begin() + static_cast<ptrdiff_t>(end),
              static_cast<uint8_t>(datagram.pieces.size()));
    datagram.has_end |= !piece.more;
    return Reason::kUndecided;
  }

  void Free(Datagram& datagram, Reason reason) {
    for (const uint64_t frame : datagram.waiting) freed_.push_back({frame, reason});
    datagram.waiting.clear();
  }
  void ForgetIfWhole(const DatagramKey& key) {
    const Datagram& datagram = datagrams_.at(TupleOf(key));
    const bool has_holes = std::ranges::count(datagram.bytes, uint8_t{0}) != 0;
    if (datagram.has_end && !has_holes) datagrams_.erase(TupleOf(key));
  }

  std::map<Tuple, Datagram> datagrams_;
  std::vector<Freed> freed_;
};

}  // namespace cordon::dp::testing

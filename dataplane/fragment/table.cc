// SPDX-License-Identifier: Apache-2.0
#include "dataplane/fragment/table.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace cordon::dp {
namespace {

// How a piece lies beside another one of the same datagram.
enum class Relation { kApart, kDuplicate, kOverlaps };

Relation Relate(const Piece& a, const Piece& b) {
  if (a.end() <= b.offset || b.end() <= a.offset) return Relation::kApart;
  const bool is_same =
      a.offset == b.offset && a.length == b.length && a.more == b.more && a.digest == b.digest;
  return is_same ? Relation::kDuplicate : Relation::kOverlaps;
}

}  // namespace

FragmentTable::FragmentTable(const FragmentLimits& limits, const HashSeed& seed)
    : limits_(limits),
      seed_(seed),
      bucket_mask_(std::bit_ceil(limits.datagrams * 2) - 1),
      buckets_(bucket_mask_ + 1, kNone),
      holder_buckets_(bucket_mask_ + 1, kNone),
      datagrams_(limits.datagrams),
      holders_(limits.datagrams),
      datagrams_of_(limits.datagrams, limits.datagrams_per_holder),
      held_of_(limits.datagrams, limits.held_per_holder),
      free_tickets_(limits.held + kSpareTickets),
      free_ticket_count_(free_tickets_.size()),
      resting_tickets_(free_tickets_.size()),
      freed_(free_tickets_.size()) {
  std::iota(free_tickets_.rbegin(), free_tickets_.rend(), HoldTicket{0});
  for (size_t i = limits.datagrams; i-- > 0;) {
    datagrams_[i].by_age.next = std::exchange(free_datagrams_, static_cast<Index>(i));
    holders_[i].next_in_bucket = std::exchange(free_holders_, static_cast<Index>(i));
  }
}

void FragmentTable::StartBurst(uint64_t now) noexcept {
  for (; resting_count_ != 0; --resting_count_) {
    free_tickets_[free_ticket_count_++] = resting_tickets_[resting_count_ - 1];
  }
  for (size_t i = 0; i < kExpiryBudget && by_age_.first != kNone; ++i) {
    if (now - datagrams_[by_age_.first].opened < kFragmentTimeout) return;
    TimeOut(by_age_.first);
  }
}

Placement FragmentTable::Place(const DatagramKey& key, uint64_t holder, const Piece& piece,
                               uint64_t now) noexcept {
  const uint64_t hash = Hash(key, seed_);
  Index index = FindDatagram(key, hash);
  if (index != kNone && now - datagrams_[index].opened >= kFragmentTimeout) {
    TimeOut(index);
    index = kNone;
  }
  if (index == kNone) index = OpenDatagram(key, hash, holder, now);
  if (index == kNone) return {Fate::kRefuse, Reason::kFragmentTableFull, 0};

  Datagram& datagram = datagrams_[index];
  if (datagram.state == State::kRefused) return {Fate::kRefuse, datagram.refused_for, index};
  const Reason reason = Add(datagram, piece);
  if (reason == Reason::kFragmentDuplicate) return {Fate::kRefuse, reason, index};
  if (reason != Reason::kUndecided) {
    Refuse(index, reason);
    return {Fate::kRefuse, reason, index};
  }
  if (piece.is_first()) {
    return {Fate::kJudge, Reason::kUndecided, index};
  }
  if (datagram.state == State::kWaiting) return {Fate::kWait, Reason::kUndecided, index};
  CloseIfWhole(index);
  return {Fate::kFollow, Reason::kUndecided, index};
}

// kUndecided if the piece fits to the others.
Reason FragmentTable::Add(Datagram& datagram, const Piece& piece) noexcept {
  bool overlaps = false;
  for (size_t i = 0; i < datagram.piece_count; ++i) {
    const Relation relation = Relate(piece, datagram.pieces[i].piece);
    if (relation == Relation::kDuplicate) return Reason::kFragmentDuplicate;
    overlaps |= relation == Relation::kOverlaps;
  }
  // Two ends, or bytes behind the end, contradict each other as overlapping bytes do.
  const bool has_end = datagram.end != 0;
  const bool contradicts = piece.more ? has_end && piece.end() > datagram.end
                                      : has_end || piece.end() < datagram.highest;
  if (overlaps || contradicts) return Reason::kFragmentOverlap;
  if (datagram.piece_count == kMaxPieces) return Reason::kFragmentTooMany;
  datagram.pieces[datagram.piece_count++] = {piece, kNoTicket};
  datagram.covered += piece.length;
  datagram.highest = std::max(datagram.highest, piece.end());
  if (!piece.more) datagram.end = piece.end();
  return Reason::kUndecided;
}

HoldTicket FragmentTable::Hold(DatagramIndex index) noexcept {
  Datagram& datagram = datagrams_[index];
  const Index holder = datagram.holder;
  if (held_of_.CountOf(holder) == limits_.held_per_holder) {
    CloseOldest(holder, Reason::kFragmentDeviceQuota);
  } else if (held_ == limits_.held) {
    CloseOldest(held_of_.Highest(), Reason::kFragmentTableFull);
  }
  if (datagram.state != State::kWaiting) return kNoTicket;
  const HoldTicket ticket = free_tickets_[--free_ticket_count_];
  datagram.pieces[datagram.piece_count - 1u].ticket = ticket;
  if (datagram.held++ == 0) {
    Remove(holders_[holder].others, &Datagram::by_holder, index);
    Append(holders_[holder].holding, &Datagram::by_holder, index);
  }
  ++held_;
  held_of_.Raise(holder);
  return ticket;
}

void FragmentTable::Pass(DatagramIndex index) noexcept {
  FreeHeld(index, Reason::kUndecided);
  datagrams_[index].state = State::kPassed;
  CloseIfWhole(index);
}

void FragmentTable::Refuse(DatagramIndex index, Reason reason) noexcept {
  if (datagrams_[index].state == State::kFree) return;
  FreeHeld(index, reason);
  datagrams_[index].state = State::kRefused;
  datagrams_[index].refused_for = reason;
}

// The pieces share no byte, so they are all there when their lengths say so.
void FragmentTable::CloseIfWhole(Index index) noexcept {
  const Datagram& datagram = datagrams_[index];
  if (datagram.end != 0 && datagram.covered == datagram.end) Close(index, Reason::kUndecided);
}

void FragmentTable::TimeOut(Index index) noexcept {
  if (datagrams_[index].state != State::kRefused) ++timed_out_;
  Close(index, Reason::kFragmentTimeout);
}

FragmentTable::Index FragmentTable::FindDatagram(const DatagramKey& key,
                                                 uint64_t hash) const noexcept {
  Index index = buckets_[hash & bucket_mask_];
  while (index != kNone && !(datagrams_[index].key == key))
    index = datagrams_[index].next_in_bucket;
  return index;
}

FragmentTable::Index FragmentTable::OpenDatagram(const DatagramKey& key, uint64_t hash,
                                                 uint64_t holder_id, uint64_t now) noexcept {
  const Index known = FindHolder(holder_id);
  if (known != kNone && datagrams_of_.CountOf(known) == limits_.datagrams_per_holder) {
    CloseOldest(known, Reason::kFragmentDeviceQuota);
  } else if (open_ == limits_.datagrams) {
    CloseOldest(datagrams_of_.Highest(), Reason::kFragmentTableFull);
  }
  const Index holder = TakeHolder(holder_id);
  const Index index = free_datagrams_;
  Datagram& datagram = datagrams_[index];
  free_datagrams_ = datagram.by_age.next;
  datagram.key = key;
  datagram.opened = now;
  datagram.end = datagram.highest = datagram.covered = 0;
  datagram.holder = holder;
  datagram.state = State::kWaiting;
  datagram.refused_for = Reason::kUndecided;
  datagram.held = datagram.piece_count = 0;
  datagram.next_in_bucket = std::exchange(buckets_[hash & bucket_mask_], index);
  Append(by_age_, &Datagram::by_age, index);
  Append(holders_[holder].others, &Datagram::by_holder, index);
  datagrams_of_.Raise(holder);
  ++open_;
  return index;
}

void FragmentTable::Close(Index index, Reason reason) noexcept {
  FreeHeld(index, reason);
  Datagram& datagram = datagrams_[index];
  Index* link = &buckets_[Hash(datagram.key, seed_) & bucket_mask_];
  while (*link != index) link = &datagrams_[*link].next_in_bucket;
  *link = datagram.next_in_bucket;
  Remove(by_age_, &Datagram::by_age, index);
  Remove(holders_[datagram.holder].others, &Datagram::by_holder, index);
  datagrams_of_.Lower(datagram.holder);
  DropHolderIfIdle(datagram.holder);
  datagram.state = State::kFree;
  datagram.by_age.next = std::exchange(free_datagrams_, index);
  --open_;
}

// Of those whose frames are held first: nothing of them has passed.
void FragmentTable::CloseOldest(Index holder, Reason reason) noexcept {
  const Holder& giver = holders_[holder];
  Close(giver.holding.first != kNone ? giver.holding.first : giver.others.first, reason);
  ++evicted_;
}

void FragmentTable::FreeHeld(Index index, Reason reason) noexcept {
  Datagram& datagram = datagrams_[index];
  if (datagram.held == 0) return;
  for (size_t i = 0; i < datagram.piece_count; ++i) {
    const HoldTicket ticket = std::exchange(datagram.pieces[i].ticket, kNoTicket);
    if (ticket == kNoTicket) continue;
    freed_[freed_count_++] = {ticket, reason};
    resting_tickets_[resting_count_++] = ticket;
    held_of_.Lower(datagram.holder);
    --held_;
  }
  datagram.held = 0;
  Remove(holders_[datagram.holder].holding, &Datagram::by_holder, index);
  Append(holders_[datagram.holder].others, &Datagram::by_holder, index);
}

// --- holders

size_t FragmentTable::HolderBucket(uint64_t id) const noexcept {
  return MultiplyMix(id ^ seed_.word[0], seed_.word[1] | 1) & bucket_mask_;
}

FragmentTable::Index FragmentTable::FindHolder(uint64_t id) const noexcept {
  Index holder = holder_buckets_[HolderBucket(id)];
  while (holder != kNone && holders_[holder].id != id) holder = holders_[holder].next_in_bucket;
  return holder;
}

FragmentTable::Index FragmentTable::TakeHolder(uint64_t id) noexcept {
  const Index known = FindHolder(id);
  if (known != kNone) return known;
  const Index holder = free_holders_;
  free_holders_ = holders_[holder].next_in_bucket;
  holders_[holder] = {id, std::exchange(holder_buckets_[HolderBucket(id)], holder), {}, {}};
  return holder;
}

void FragmentTable::DropHolderIfIdle(Index holder) noexcept {
  if (datagrams_of_.CountOf(holder) != 0) return;
  Index* link = &holder_buckets_[HolderBucket(holders_[holder].id)];
  while (*link != holder) link = &holders_[*link].next_in_bucket;
  *link = holders_[holder].next_in_bucket;
  holders_[holder].next_in_bucket = std::exchange(free_holders_, holder);
}

// --- lists

void FragmentTable::Append(List& list, Links Datagram::*links, Index index) noexcept {
  datagrams_[index].*links = {kNone, list.last};
  (list.last == kNone ? list.first : (datagrams_[list.last].*links).next) = index;
  list.last = index;
}

void FragmentTable::Remove(List& list, Links Datagram::*links, Index index) noexcept {
  const Links around = datagrams_[index].*links;
  (around.previous == kNone ? list.first : (datagrams_[around.previous].*links).next) = around.next;
  (around.next == kNone ? list.last : (datagrams_[around.next].*links).previous) = around.previous;
}

}  // namespace cordon::dp

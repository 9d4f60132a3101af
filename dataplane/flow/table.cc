// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow/table.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace cordon::dp {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kMaxCapacity = size_t{1} << 26;  // what 24 bits of bucket number serve, half full

// First bucket up to this many slots, then whichever of the two is emptier: most keys stay in their
// first bucket, and both buckets are never full while the index is at most half full.
constexpr int kFirstBucketFill = 5;

size_t RoundUp(size_t bytes) {
  const size_t unit = bytes >= kHugePage ? kHugePage : 4096;
  return (bytes + unit - 1) / unit * unit;
}

// Zeroed and touched: the packet path must not meet a page fault. Huge pages are asked for, because
// each lookup goes to a random place.
void* AllocateZeroed(size_t bytes) {
  const size_t size = RoundUp(bytes);
  void* memory = std::aligned_alloc(size >= kHugePage ? kHugePage : 4096, size);
  if (memory == nullptr) throw std::bad_alloc();
  if (size >= kHugePage) madvise(memory, size, MADV_HUGEPAGE);
  std::memset(memory, 0, size);
  return memory;
}

}  // namespace

FlowTable::FlowTable(size_t capacity, const HashSeed& seed, const FlowTimeouts& timeouts,
                     size_t device_slots)
    : seed_(seed),
      timeouts_(timeouts),
      capacity_(std::clamp<size_t>(capacity, 1, kMaxCapacity)),
      devices_(device_slots, capacity_) {
  const size_t buckets = std::bit_ceil(std::max<size_t>(capacity_ * 2 / kSlots, 2));
  bucket_mask_ = buckets - 1;
  buckets_ = static_cast<Bucket*>(AllocateZeroed(buckets * sizeof(Bucket)));
  try {
    entries_ = static_cast<FlowEntry*>(AllocateZeroed(capacity_ * sizeof(FlowEntry)));
    details_ = static_cast<FlowDetail*>(AllocateZeroed(capacity_ * sizeof(FlowDetail)));
  } catch (const std::bad_alloc&) {
    std::free(entries_);
    std::free(buckets_);
    throw;
  }
}

FlowTable::~FlowTable() {
  std::free(details_);
  std::free(entries_);
  std::free(buckets_);
}

size_t FlowTable::memory_bytes() const {
  return RoundUp((bucket_mask_ + 1) * sizeof(Bucket)) + RoundUp(capacity_ * sizeof(FlowEntry)) +
         RoundUp(capacity_ * sizeof(FlowDetail));
}

FlowKey FlowTable::KeyOf(FlowIndex flow) const noexcept {
  const FlowWords& words = entries_[flow].words;
  FlowKey key;
  key.device_ip = details_[flow].device_ip;
  key.peer_ip = details_[flow].peer_ip;
  key.identity = words.identity & ~FlowWords::kIpv6Bit;
  key.vlan_outer = static_cast<uint16_t>(words.tuple >> 48);
  key.vlan_inner = static_cast<uint16_t>(words.tuple >> 32);
  key.device_port = static_cast<uint16_t>(words.tuple >> 16);
  key.peer_port = static_cast<uint16_t>(words.tuple);
  return key;
}

FlowIndex FlowTable::Find(const FlowKey& key, uint64_t hash) const noexcept {
  const FlowWords words = WordsOf(key);
  return words.is_ipv6() ? FindV6(words, hash, key.device_ip, key.peer_ip) : FindV4(words, hash);
}

FlowTable::Bucket* FlowTable::ChooseBucket(uint64_t hash) noexcept {
  const auto used = [](const Bucket& bucket) {
    return static_cast<int>(kSlots) - std::popcount(SlotsWithTag(bucket, 0));
  };
  Bucket& first = buckets_[FirstBucket(hash)];
  const int first_used = used(first);
  if (first_used < kFirstBucketFill) return &first;
  Bucket& second = buckets_[SecondBucket(hash)];
  const int second_used = used(second);
  if (first_used <= second_used) return first_used < static_cast<int>(kSlots) ? &first : nullptr;
  ++first.displaced;
  return &second;
}

FlowIndex FlowTable::TakeEntry() noexcept {
  if (free_head_ == kNoFlow) return high_water_++;
  const FlowIndex flow = free_head_;
  free_head_ = details_[flow].newer;
  return flow;
}

bool FlowTable::MakeRoom(uint32_t device_slot) noexcept {
  if (evictable_oldest_ == kNoFlow) return false;
  const bool is_own = entries_[evictable_oldest_].device_slot == device_slot;
  if (!is_own && devices_.HasFairShare(device_slot)) return false;
  Erase(evictable_oldest_);
  ++evicted_;
  return true;
}

FlowIndex FlowTable::Insert(const FlowKey& key, uint64_t hash, uint32_t device_slot) noexcept {
  if (size_ == capacity_ && !MakeRoom(device_slot)) {
    ++refused_;
    return kNoFlow;
  }
  Bucket* const bucket = ChooseBucket(hash);
  if (bucket == nullptr) {
    ++refused_;
    return kNoFlow;
  }
  const FlowIndex flow = TakeEntry();
  const auto slot = static_cast<size_t>(std::countr_zero(SlotsWithTag(*bucket, 0)));
  bucket->tags[slot] = TagOf(hash);
  bucket->flows[slot] = flow;
  entries_[flow] = FlowEntry{};
  entries_[flow].words = WordsOf(key);
  entries_[flow].flags = FlowEntry::kInUse;
  entries_[flow].device_slot = device_slot;
  devices_.Add(device_slot);
  details_[flow] = {key.device_ip, key.peer_ip, 0, 0, 0};
  ++size_;
  return flow;
}

void FlowTable::RemoveFromIndex(FlowIndex flow) noexcept {
  const uint64_t hash = HashOf(entries_[flow].words);
  const uint16_t tag = TagOf(hash);
  Bucket& first = buckets_[FirstBucket(hash)];
  Bucket& second = buckets_[SecondBucket(hash)];
  for (Bucket* bucket : {&first, &second}) {
    for (uint32_t slots = SlotsWithTag(*bucket, tag); slots != 0; slots &= slots - 1) {
      const auto slot = static_cast<size_t>(std::countr_zero(slots));
      if (bucket->flows[slot] != flow) continue;
      bucket->tags[slot] = 0;
      if (bucket == &second) --first.displaced;
      return;
    }
  }
}

void FlowTable::Erase(FlowIndex flow) noexcept {
  SetEvictable(flow, false);
  SetHalfOpen(flow, false);
  devices_.Remove(entries_[flow].device_slot);
  RemoveFromIndex(flow);
  entries_[flow].flags = 0;
  details_[flow].newer = free_head_;
  free_head_ = flow;
  --size_;
}

void FlowTable::SetEvictable(FlowIndex flow, bool evictable) noexcept {
  FlowEntry& entry = entries_[flow];
  if (entry.evictable() == evictable) return;
  entry.flags ^= FlowEntry::kEvictable;
  FlowDetail& links = details_[flow];
  if (evictable) {
    links.older = evictable_newest_;
    links.newer = kNoFlow;
    (evictable_newest_ == kNoFlow ? evictable_oldest_ : details_[evictable_newest_].newer) = flow;
    evictable_newest_ = flow;
  } else {
    (links.older == kNoFlow ? evictable_oldest_ : details_[links.older].newer) = links.newer;
    (links.newer == kNoFlow ? evictable_newest_ : details_[links.newer].older) = links.older;
  }
}

void FlowTable::SetHalfOpen(FlowIndex flow, bool half_open) noexcept {
  FlowEntry& entry = entries_[flow];
  if (entry.half_open() == half_open) return;
  entry.flags ^= FlowEntry::kHalfOpen;
  if (half_open) {
    devices_.AddHalfOpen(entry.device_slot);
  } else {
    devices_.RemoveHalfOpen(entry.device_slot);
  }
}

void FlowTable::NoteTcpState(FlowIndex flow) noexcept {
  FlowEntry& entry = entries_[flow];
  entry.idle_timeout = TimeoutFor(entry);
  SetEvictable(flow, entry.tcp.evictable());
  SetHalfOpen(flow, entry.tcp.half_open());
}

void FlowTable::MoveToDevice(FlowIndex flow, uint32_t device_slot) noexcept {
  FlowEntry& entry = entries_[flow];
  if (entry.device_slot == device_slot) return;
  const bool half_open = entry.half_open();
  SetHalfOpen(flow, false);
  devices_.Remove(entry.device_slot);
  entry.device_slot = device_slot;
  devices_.Add(device_slot);
  SetHalfOpen(flow, half_open);
}

Milliseconds FlowTable::TimeoutFor(const FlowEntry& entry) const noexcept {
  const auto to_ms = [](uint32_t seconds) {
    return static_cast<Milliseconds>(std::min<uint64_t>(uint64_t{seconds} * 1000, kMaxIdleTimeout));
  };
  const auto or_default = [&](uint32_t seconds) {
    return to_ms(entry.rule_timeout_seconds != 0 ? entry.rule_timeout_seconds : seconds);
  };
  if (entry.protocol() == protocol::kUdp) return or_default(timeouts_.udp);
  if (entry.protocol() != protocol::kTcp) return or_default(timeouts_.icmp);
  switch (entry.tcp.state) {
    case TcpState::kNone:
    case TcpState::kSynSent:
    case TcpState::kSynReceived:
      return to_ms(timeouts_.tcp_half_open);
    case TcpState::kEstablished:
      return or_default(timeouts_.tcp_established);
    case TcpState::kClosing:
      return to_ms(timeouts_.tcp_closing);
    case TcpState::kClosed:
      return to_ms(timeouts_.tcp_closed);
  }
  return to_ms(timeouts_.tcp_half_open);
}

}  // namespace cordon::dp

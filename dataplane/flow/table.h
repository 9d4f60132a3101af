// SPDX-License-Identifier: Apache-2.0
// The flow table of one worker: which conversations are going on and what was decided for them.
//
// Fixed capacity, allocated and touched once; nothing here allocates or faults on the packet path.
// An index of 64-byte buckets (eight 16-bit tags and eight entry numbers, two candidate buckets a
// key) finds the entry. A flow is an entry of two cache lines, of which the first decides a frame
// and the second counts it, and a detail of one more, which only openings, ends, reports and IPv6
// look at. A key lives in its second bucket only if the first was nearly full, and the first counts
// such guests elsewhere: most lookups, hit or miss, touch one bucket. The index is at most half
// full. One thread owns a table; there are no locks.
//
// A frame's walk: HashOf, PrefetchBucket ... Candidate, PrefetchEntry ... Find, with other frames
// of the burst between, so that no step waits for memory.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/flow/device_flows.h"
#include "dataplane/flow/key.h"
#include "dataplane/flow/tcp_track.h"
#include "dataplane/packet/reason.h"

namespace cordon::dp {

// Milliseconds on a monotonic clock, wrapping after 49 days; compare by difference only.
using Milliseconds = uint32_t;

// Idle times by state, in seconds. Clinical sessions are long and idle: RFC 5382 asks for at least
// 2 h 4 min for an established connection, MLLP links stay open for days.
struct FlowTimeouts {
  uint32_t tcp_half_open = 240;  // RFC 5382: at least 4 minutes
  uint32_t tcp_established = 24 * 3600;
  uint32_t tcp_closing = 240;  // likewise
  uint32_t tcp_closed = 10;
  uint32_t udp = 180;  // RFC 4787: at least 2 minutes
  uint32_t icmp = 60;  // RFC 5508
};

inline constexpr Milliseconds kMaxIdleTimeout = 24u * 24 * 3600 * 1000;  // 24 days

struct alignas(128) FlowEntry {
  // --- first line: what decides a frame of the flow
  FlowWords words;
  uint32_t stamp = 0;  // PolicyTable::stamp under which it was decided
  Milliseconds last_seen = 0;
  Milliseconds idle_timeout = 0;     // as in force now: of the state or the rule
  Verdict verdict = Verdict::kDrop;  // kForward or kAudit
  Reason reason = Reason::kUndecided;
  uint8_t flags = 0;
  // Source of the last frame from the network side that was found not to pretend to be a device of
  // the pair, under `stamp`. 0: none yet.
  uint64_t peer_mac = 0;
  uint64_t frames[2] = {0, 0};  // by FlowSide
  // --- second line: the TCP connection, accounting and attribution
  uint64_t bytes[2] = {0, 0};
  TcpTrack tcp;         // TCP only
  uint32_t device = 0;  // DeviceIndex and RuleIndex of the table with `stamp`
  uint32_t rule = 0;
  uint32_t rule_timeout_seconds = 0;  // of the rule; 0: the default of the protocol
  uint32_t icmp_type_code = 0;        // of the opening ICMP message: type << 8 | code
  uint32_t device_slot = 0;           // stays the device's own under every table, see DeviceSlots

  static constexpr uint8_t kInitiatedByPeer = 1, kInUse = 2, kEvictable = 4, kAnswered = 8,
                           kExpress = 16, kHalfOpen = 32, kShielded = 64;

  bool initiated_by_peer() const { return (flags & kInitiatedByPeer) != 0; }
  bool in_use() const { return (flags & kInUse) != 0; }
  bool evictable() const { return (flags & kEvictable) != 0; }
  bool half_open() const { return (flags & kHalfOpen) != 0; }
  bool answered() const { return (flags & kAnswered) != 0; }
  // The general stages have seen an ordinary frame of the flow pass under `stamp`, and nothing
  // about it is special: the express stage may decide the next ones.
  bool express() const { return (flags & kExpress) != 0; }
  void set_express(bool express) {
    flags = static_cast<uint8_t>(express ? flags | kExpress : flags & ~kExpress);
  }
  // The device's limits must be asked before a frame of the flow passes (see Shield).
  bool shielded() const { return (flags & kShielded) != 0; }
  void set_shielded(bool shielded) {
    flags = static_cast<uint8_t>(shielded ? flags | kShielded : flags & ~kShielded);
  }
  uint8_t protocol() const { return static_cast<uint8_t>(words.identity); }
};
static_assert(sizeof(FlowEntry) == 128);

// What only openings, ends, reports and IPv6 look at.
struct alignas(64) FlowDetail {
  IpAddress device_ip;
  IpAddress peer_ip;
  uint64_t first_seen_ns = 0;  // gateway time of the first frame
  uint32_t newer = 0;          // list of evictable flows, oldest first
  uint32_t older = 0;
};
static_assert(sizeof(FlowDetail) == 64);

using FlowIndex = uint32_t;
inline constexpr FlowIndex kNoFlow = 0xffffffff;

class FlowTable {
 public:
  // `capacity`: flows held at most (rounded up to a power of two is the index, not the flows).
  // Throws std::bad_alloc if the memory is not there: a start-up matter.
  // `device_slots`: devices whose flows are counted apart.
  FlowTable(size_t capacity, const HashSeed& seed, const FlowTimeouts& timeouts = {},
            size_t device_slots = kFewDeviceSlots);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // --- packet path: noexcept, no allocation
  FlowWords WordsOf(const FlowKey& key) const noexcept { return dp::WordsOf(key, seed_); }
  uint64_t HashOf(const FlowWords& words) const noexcept { return Hash(words, seed_); }
  uint64_t HashOf(const FlowKey& key) const noexcept { return HashOf(WordsOf(key)); }
  const HashSeed& seed() const noexcept { return seed_; }
  // Starts loading what Find(hash) will touch first.
  void PrefetchBucket(uint64_t hash) const noexcept {
    __builtin_prefetch(&buckets_[FirstBucket(hash)]);
  }
  // First candidate entry by tag, to prefetch it before Find compares keys; kNoFlow if none.
  FlowIndex Candidate(uint64_t hash) const noexcept;
  void PrefetchEntry(FlowIndex flow) const noexcept {
    if (flow == kNoFlow) return;
    __builtin_prefetch(&entries_[flow], 1);
    __builtin_prefetch(&entries_[flow].bytes, 1);
  }
  FlowIndex Find(const FlowKey& key, uint64_t hash) const noexcept;
  // The same for who has the words at hand; for IPv6 also the addresses that they stand for.
  FlowIndex FindV4(const FlowWords& words, uint64_t hash) const noexcept;
  FlowIndex FindV6(const FlowWords& words, uint64_t hash, const IpAddress& device,
                   const IpAddress& peer) const noexcept;
  FlowEntry& At(FlowIndex flow) noexcept { return entries_[flow]; }
  const FlowEntry& At(FlowIndex flow) const noexcept { return entries_[flow]; }
  FlowDetail& DetailOf(FlowIndex flow) noexcept { return details_[flow]; }
  const FlowDetail& DetailOf(FlowIndex flow) const noexcept { return details_[flow]; }
  FlowKey KeyOf(FlowIndex flow) const noexcept;
  // Entries with this number and above were never used.
  FlowIndex high_water() const noexcept { return high_water_; }
  // Takes an entry for a key that is not in the table. When the table is full the oldest
  // evictable flow makes room, unless it is another device's and this one has its fair share; if
  // none does, or both candidate buckets are full, kNoFlow. The entry has its key and its device's
  // slot and is otherwise zeroed.
  FlowIndex Insert(const FlowKey& key, uint64_t hash, uint32_t device_slot = 0) noexcept;
  // Frees an entry that is in use.
  void Erase(FlowIndex flow) noexcept;
  // Puts a flow into, or takes it out of, the list of those that make room: half-open and closed
  // TCP flows, the longest so first.
  void SetEvictable(FlowIndex flow, bool evictable) noexcept;
  // What follows from a new state of the flow's TCP connection: its timeout, whether it may make
  // room, whether it counts as half open.
  void NoteTcpState(FlowIndex flow) noexcept;
  // The flow is another device's from now on.
  void MoveToDevice(FlowIndex flow, uint32_t device_slot) noexcept;
  const DeviceFlows& devices() const noexcept { return devices_; }
  // Idle timeout in force for the entry's protocol, state and rule.
  Milliseconds TimeoutFor(const FlowEntry& entry) const noexcept;
  static bool IsExpired(const FlowEntry& entry, Milliseconds now) noexcept {
    return now - entry.last_seen >= entry.idle_timeout;
  }
  // Calls visit(flow) for the flows among the next `budget` entries, round and round. `visit` may
  // erase its flow.
  template <typename F>
  void Visit(size_t budget, F&& visit) noexcept {
    for (size_t i = std::min<size_t>(budget, high_water_); i > 0; --i) {
      if (cursor_ >= high_water_) cursor_ = 0;
      const FlowIndex flow = cursor_++;
      __builtin_prefetch(&entries_[flow + 4 < high_water_ ? flow + 4 : 0]);
      if (entries_[flow].in_use()) visit(flow);
    }
  }

  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  uint64_t evicted() const { return evicted_; }  // half-open and closed flows that made room
  uint64_t refused() const { return refused_; }  // Insert said kNoFlow
  size_t memory_bytes() const;

 private:
  static constexpr size_t kSlots = 8;
  static constexpr size_t kFewDeviceSlots = 1024;
  // A slot is free if its tag is 0.
  struct alignas(64) Bucket {
    uint16_t tags[kSlots];
    FlowIndex flows[kSlots];
    uint32_t displaced;  // keys whose first bucket this is, but who live in their second
  };
  static_assert(sizeof(Bucket) == 64);

  // Three disjoint parts of the hash: bits 0-23, 24-47 and 48-63.
  static constexpr unsigned kBucketBits = 24;
  static uint16_t TagOf(uint64_t hash) noexcept {
    const auto tag = static_cast<uint16_t>(hash >> 48);
    return tag != 0 ? tag : 1;
  }
  size_t FirstBucket(uint64_t hash) const noexcept { return hash & bucket_mask_; }
  size_t SecondBucket(uint64_t hash) const noexcept {
    const size_t second = hash >> kBucketBits & bucket_mask_;
    return second != FirstBucket(hash) ? second : second ^ 1;
  }
  // A bit per slot that holds `tag`.
  static uint32_t SlotsWithTag(const Bucket& bucket, uint16_t tag) noexcept;
  // The entry of `bucket` with these words for which is_it(flow) says so, too.
  template <typename F>
  FlowIndex FindIn(const Bucket& bucket, uint16_t tag, const FlowWords& words,
                   F&& is_it) const noexcept;
  template <typename F>
  FlowIndex FindWords(const FlowWords& words, uint64_t hash, F&& is_it) const noexcept;
  Bucket* ChooseBucket(uint64_t hash) noexcept;
  // Frees an entry of a full table for a flow of the device.
  bool MakeRoom(uint32_t device_slot) noexcept;
  void SetHalfOpen(FlowIndex flow, bool half_open) noexcept;
  FlowIndex TakeEntry() noexcept;
  void RemoveFromIndex(FlowIndex flow) noexcept;

  HashSeed seed_;
  FlowTimeouts timeouts_;
  size_t capacity_;
  DeviceFlows devices_;
  size_t bucket_mask_ = 0;
  Bucket* buckets_ = nullptr;
  FlowEntry* entries_ = nullptr;
  FlowDetail* details_ = nullptr;
  FlowIndex free_head_ = kNoFlow;  // chained through `newer`
  FlowIndex high_water_ = 0;       // entries never used lie behind it
  FlowIndex evictable_oldest_ = kNoFlow;
  FlowIndex evictable_newest_ = kNoFlow;
  FlowIndex cursor_ = 0;
  size_t size_ = 0;
  uint64_t evicted_ = 0, refused_ = 0;
};

inline uint32_t FlowTable::SlotsWithTag(const Bucket& bucket, uint16_t tag) noexcept {
#if defined(__SSE2__)
  __m128i tags;
  __builtin_memcpy(&tags, bucket.tags, sizeof(tags));
  const __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<int16_t>(tag)));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
#else
  uint32_t slots = 0;
  for (size_t i = 0; i < kSlots; ++i) slots |= static_cast<uint32_t>(bucket.tags[i] == tag) << i;
  return slots;
#endif
}

inline FlowIndex FlowTable::Candidate(uint64_t hash) const noexcept {
  const uint16_t tag = TagOf(hash);
  const Bucket* bucket = &buckets_[FirstBucket(hash)];
  uint32_t slots = SlotsWithTag(*bucket, tag);
  if (slots == 0 && bucket->displaced != 0) {
    bucket = &buckets_[SecondBucket(hash)];
    slots = SlotsWithTag(*bucket, tag);
  }
  return slots == 0 ? kNoFlow : bucket->flows[std::countr_zero(slots)];
}

template <typename F>
FlowIndex FlowTable::FindIn(const Bucket& bucket, uint16_t tag, const FlowWords& words,
                            F&& is_it) const noexcept {
  for (uint32_t slots = SlotsWithTag(bucket, tag); slots != 0; slots &= slots - 1) {
    const FlowIndex flow = bucket.flows[std::countr_zero(slots)];
    if (entries_[flow].words == words && is_it(flow)) return flow;
  }
  return kNoFlow;
}

template <typename F>
FlowIndex FlowTable::FindWords(const FlowWords& words, uint64_t hash, F&& is_it) const noexcept {
  const uint16_t tag = TagOf(hash);
  const Bucket& first = buckets_[FirstBucket(hash)];
  const FlowIndex flow = FindIn(first, tag, words, is_it);
  if (flow != kNoFlow || first.displaced == 0) [[likely]]
    return flow;
  return FindIn(buckets_[SecondBucket(hash)], tag, words, is_it);
}

inline FlowIndex FlowTable::FindV4(const FlowWords& words, uint64_t hash) const noexcept {
  return FindWords(words, hash, [](FlowIndex) { return true; });
}

inline FlowIndex FlowTable::FindV6(const FlowWords& words, uint64_t hash, const IpAddress& device,
                                   const IpAddress& peer) const noexcept {
  return FindWords(words, hash, [&](FlowIndex flow) {
    return details_[flow].device_ip == device && details_[flow].peer_ip == peer;
  });
}

}  // namespace cordon::dp

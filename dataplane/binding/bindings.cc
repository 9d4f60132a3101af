// SPDX-License-Identifier: Apache-2.0
#include "dataplane/binding/bindings.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace cordon::dp {
namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr uint32_t kForEver = 0xffffffff;
constexpr int kSweptPerRequest = 8;

constexpr uint64_t Mix(uint64_t x) {
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
  return x ^ x >> 32;
}

uint64_t Place(uint16_t pair, VlanTags vlan) {
  return uint64_t{pair} << 32 | uint64_t{vlan.outer} << 16 | vlan.inner;
}

uint64_t HashOf(const LeaseHolder& device) {
  return Mix(Mix(Place(device.pair, device.vlan)) ^ device.mac.value);
}

uint64_t HashOf(uint16_t pair, VlanTags vlan, const IpAddress& ip) {
  return Mix(Mix(Mix(Place(pair, vlan)) ^ ip.hi) ^ ip.lo);
}

}  // namespace

Bindings::Places::Places(size_t capacity) : slots_(std::bit_ceil(capacity * 2 + 2), kNone) {}

template <typename IsIt>
Bindings::Index Bindings::Places::Find(uint64_t hash, IsIt is_it) const noexcept {
  for (size_t at = hash & (slots_.size() - 1); slots_[at] != kNone; at = Next(at)) {
    if (is_it(slots_[at])) return slots_[at];
  }
  return kNone;
}

void Bindings::Places::Put(uint64_t hash, Index value) noexcept {
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at] != kNone) at = Next(at);
  slots_[at] = value;
}

// Moves back what was put behind `value` only because its place was taken, so that no gap hides it.
template <typename HashOf>
void Bindings::Places::Erase(uint64_t hash, Index value, HashOf hash_of) noexcept {
  const size_t mask = slots_.size() - 1;
  size_t gap = hash & mask;
  while (slots_[gap] != value) gap = Next(gap);
  for (size_t at = Next(gap); slots_[at] != kNone; at = Next(at)) {
    const size_t home = hash_of(slots_[at]) & mask;
    const bool reaches_gap = ((at - home) & mask) >= ((at - gap) & mask);
    if (!reaches_gap) continue;
    slots_[gap] = slots_[at];
    gap = at;
  }
  slots_[gap] = kNone;
}

Bindings::Bindings(size_t capacity)
    : entries_(capacity), by_device_(capacity), by_ip_(capacity * 2) {
  free_.reserve(capacity);
  for (size_t i = capacity; i > 0; --i) free_.push_back(static_cast<Index>(i - 1));
}

bool Bindings::NoteRequest(const LeaseHolder& device, LeaseFamily family, uint32_t transaction,
                           uint64_t now) noexcept {
  const Index entry = Take(device, now);
  if (entry == kNone) return false;
  Lease& lease = entries_[entry].leases[static_cast<size_t>(family)];
  lease.transaction = transaction;
  lease.asked_at = now;
  lease.has_asked = true;
  return true;
}

bool Bindings::AwaitsAnswer(const LeaseHolder& device, LeaseFamily family, uint32_t transaction,
                            uint64_t now) const noexcept {
  const Index entry = Find(device);
  if (entry == kNone) return false;
  const Lease& lease = entries_[entry].leases[static_cast<size_t>(family)];
  return lease.has_asked && lease.transaction == transaction &&
         now - lease.asked_at < kAnswerTimeNs;
}

Bindings::Outcome Bindings::Learn(const LeaseHolder& device, const IpAddress& ip,
                                  uint32_t lease_seconds, uint64_t now) noexcept {
  const Index taken = FindIp(device.pair, device.vlan, ip);
  const bool is_anothers = taken != kNone && !(entries_[taken / 2].device == device);
  if (is_anothers && now < LeaseAt(taken).until) return Outcome::kHeldByAnother;
  if (is_anothers) End(taken);
  const Index entry = Take(device, now);
  if (entry == kNone) return Outcome::kFull;
  const LeaseFamily family = FamilyOf(ip);
  const Index number = NumberOf(entry, family);
  Lease& lease = entries_[entry].leases[static_cast<size_t>(family)];
  const bool renews = lease.held() && lease.ip == ip && lease_seconds != 0;
  if (lease.held() && !renews) End(number);
  if (lease_seconds == 0) return Outcome::kLearned;
  lease.until = lease_seconds == kForEver ? std::numeric_limits<uint64_t>::max()
                                          : now + lease_seconds * kNanosecondsPerSecond;
  if (renews) return Outcome::kLearned;
  lease.ip = ip;
  lease.from = now;
  by_ip_.Put(HashOfLease(number), number);
  ++leases_;
  return Outcome::kLearned;
}

void Bindings::Release(const LeaseHolder& device, LeaseFamily family) noexcept {
  const Index entry = Find(device);
  if (entry == kNone) return;
  if (entries_[entry].leases[static_cast<size_t>(family)].held()) End(NumberOf(entry, family));
}

MacAddress Bindings::HolderOf(uint16_t pair, VlanTags vlan, const IpAddress& ip,
                              uint64_t now) const noexcept {
  if (leases_ == 0) return {};
  const Index lease = FindIp(pair, vlan, ip);
  if (lease == kNone || !LeaseAt(lease).IsLive(now)) return {};
  return entries_[lease / 2].device.mac;
}

bool Bindings::HoldsAny(const LeaseHolder& device, LeaseFamily family,
                        uint64_t now) const noexcept {
  if (leases_ == 0) return false;
  const Index entry = Find(device);
  return entry != kNone && entries_[entry].leases[static_cast<size_t>(family)].IsLive(now);
}

Bindings::Index Bindings::Find(const LeaseHolder& device) const noexcept {
  return by_device_.Find(HashOf(device),
                         [&](Index entry) { return entries_[entry].device == device; });
}

Bindings::Index Bindings::FindIp(uint16_t pair, VlanTags vlan, const IpAddress& ip) const noexcept {
  return by_ip_.Find(HashOf(pair, vlan, ip), [&](Index lease) {
    const LeaseHolder& device = entries_[lease / 2].device;
    return LeaseAt(lease).ip == ip && device.pair == pair && device.vlan == vlan;
  });
}

// The entry of the device, a new one if it has none; kNone if the table is full.
Bindings::Index Bindings::Take(const LeaseHolder& device, uint64_t now) noexcept {
  const Index known = Find(device);
  if (known != kNone) return known;
  Sweep(now);
  if (free_.empty()) return kNone;
  const Index entry = free_.back();
  free_.pop_back();
  entries_[entry] = Entry{device, {}, true};
  by_device_.Put(HashOf(device), entry);
  return entry;
}

uint64_t Bindings::HashOfLease(Index lease) const noexcept {
  const LeaseHolder& device = entries_[lease / 2].device;
  return HashOf(device.pair, device.vlan, LeaseAt(lease).ip);
}

void Bindings::End(Index number) noexcept {
  by_ip_.Erase(HashOfLease(number), number, [this](Index other) { return HashOfLease(other); });
  Lease& lease = entries_[number / 2].leases[number & 1];
  lease.ip = {};
  lease.from = lease.until = 0;
  --leases_;
}

// Looks at a few entries and frees those with nothing to remember. Only requests of new devices
// need room, so they pay.
void Bindings::Sweep(uint64_t now) noexcept {
  const size_t budget = std::min<size_t>(kSweptPerRequest, entries_.size());
  for (size_t i = 0; i < budget; ++i) {
    const Index entry = cursor_;
    cursor_ = static_cast<Index>((cursor_ + 1) % entries_.size());
    const auto is_idle = [now](const Lease& lease) {
      return now >= lease.until && (!lease.has_asked || now - lease.asked_at >= kAnswerTimeNs);
    };
    const Entry& seen = entries_[entry];
    if (seen.in_use && std::ranges::all_of(seen.leases, is_idle)) Free(entry);
  }
}

void Bindings::Free(Index entry) noexcept {
  for (const LeaseFamily family : {LeaseFamily::kV4, LeaseFamily::kV6}) {
    if (entries_[entry].leases[static_cast<size_t>(family)].held()) End(NumberOf(entry, family));
  }
  by_device_.Erase(HashOf(entries_[entry].device), entry,
                   [this](Index other) { return HashOf(entries_[other].device); });
  entries_[entry].in_use = false;
  free_.push_back(entry);
}

}  // namespace cordon::dp

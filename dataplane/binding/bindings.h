// SPDX-License-Identifier: Apache-2.0
// Which address a device holds by DHCP, as the gateway saw it leased. For devices whose addresses
// the inventory does not bind.
//
// One worker owns a table; both ports of a pair belong to one worker, so it sees request and
// answer. A device is known here by (pair, VLAN, MAC), not by its place in a policy table: what was
// learned outlives a policy. Fixed capacity, allocated at once; nothing here allocates on the
// packet path.
//
// Time is an argument, in nanoseconds. A lease counts from the first moment after the frame that
// taught it: all frames of one moment see the same leases, however they fall into bursts.
//
//   if (bindings.AwaitsAnswer(pump, kV4, xid, now)) bindings.Learn(pump, ip, 3600, now);
//   bindings.HolderOf(pair, vlan, ip, now) == pump.mac
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/packet/address.h"

namespace cordon::dp {

struct LeaseHolder {
  MacAddress mac;
  uint16_t pair = 0;
  VlanTags vlan;
  friend bool operator==(const LeaseHolder&, const LeaseHolder&) = default;
};

enum class LeaseFamily : uint8_t { kV4 = 0, kV6 = 1 };
constexpr LeaseFamily FamilyOf(const IpAddress& ip) {
  return ip.IsV4() ? LeaseFamily::kV4 : LeaseFamily::kV6;
}

class Bindings {
 public:
  // How long an answer may take. Clients give up earlier (RFC 2131 4.1: 64 s; RFC 8415 7.6: 30 s).
  static constexpr uint64_t kAnswerTimeNs = 120'000'000'000;

  enum class Outcome : uint8_t {
    kLearned,
    kHeldByAnother,  // the lease of another device lives: the first one keeps the address
    kFull,
  };

  // `capacity`: devices held at most.
  explicit Bindings(size_t capacity);

  // --- what frames teach
  // The device asked; only the answer to its latest question teaches. False if the table is full.
  bool NoteRequest(const LeaseHolder& device, LeaseFamily family, uint32_t transaction,
                   uint64_t now) noexcept;
  bool AwaitsAnswer(const LeaseHolder& device, LeaseFamily family, uint32_t transaction,
                    uint64_t now) const noexcept;
  // A lease replaces the former one of the same family. `lease_seconds` 0 ends it.
  Outcome Learn(const LeaseHolder& device, const IpAddress& ip, uint32_t lease_seconds,
                uint64_t now) noexcept;
  // The device gave its address of that family back.
  void Release(const LeaseHolder& device, LeaseFamily family) noexcept;

  // --- what was taught
  bool empty() const noexcept { return leases_ == 0; }
  // Whose lease the address is; the zero MAC if nobody's.
  MacAddress HolderOf(uint16_t pair, VlanTags vlan, const IpAddress& ip,
                      uint64_t now) const noexcept;
  // Whether the device holds any address of that family.
  bool HoldsAny(const LeaseHolder& device, LeaseFamily family, uint64_t now) const noexcept;

  size_t leases() const noexcept { return leases_; }  // expired ones that were not yet swept too

 private:
  using Index = uint32_t;
  static constexpr Index kNone = 0xffffffff;

  struct Lease {
    IpAddress ip;
    uint64_t from = 0;
    uint64_t until = 0;  // 0: none
    uint64_t asked_at = 0;
    uint32_t transaction = 0;
    bool has_asked = false;
    bool held() const { return until != 0; }
    bool IsLive(uint64_t now) const { return from < now && now < until; }
  };
  struct Entry {
    LeaseHolder device;
    std::array<Lease, 2> leases;  // by LeaseFamily
    bool in_use = false;
  };

  // Numbers in open addressing with linear probing, at most half full.
  class Places {
   public:
    explicit Places(size_t capacity);
    template <typename IsIt>
    Index Find(uint64_t hash, IsIt is_it) const noexcept;
    void Put(uint64_t hash, Index value) noexcept;
    template <typename HashOf>
    void Erase(uint64_t hash, Index value, HashOf hash_of) noexcept;

   private:
    size_t Next(size_t at) const noexcept { return (at + 1) & (slots_.size() - 1); }
    std::vector<Index> slots_;
  };

  Index Find(const LeaseHolder& device) const noexcept;
  Index FindIp(uint16_t pair, VlanTags vlan, const IpAddress& ip) const noexcept;
  Index Take(const LeaseHolder& device, uint64_t now) noexcept;
  const Lease& LeaseAt(Index lease) const noexcept { return entries_[lease / 2].leases[lease & 1]; }
  static Index NumberOf(Index entry, LeaseFamily family) noexcept {
    return entry * 2 + static_cast<Index>(family);
  }
  uint64_t HashOfLease(Index lease) const noexcept;
  void End(Index lease) noexcept;
  void Sweep(uint64_t now) noexcept;
  void Free(Index entry) noexcept;

  std::vector<Entry> entries_;
  std::vector<Index> free_;  // numbers of entries that are not in use
  Places by_device_;         // entries
  Places by_ip_;             // leases: entry * 2 + family
  Index cursor_ = 0;
  size_t leases_ = 0;
};

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// What the layers of the oracle's parser share. Private to tests/support.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/support/oracle_frame.h"

namespace cordon::dp::testing {

// A copy of some bytes, read as big-endian numbers. Reading past the end throws.
struct Slice {
  Bytes bytes;

  size_t size() const { return bytes.size(); }
  bool empty() const { return bytes.empty(); }
  uint8_t U8(size_t at) const { return bytes.at(at); }
  uint16_t U16(size_t at) const { return static_cast<uint16_t>(U8(at) << 8 | U8(at + 1)); }
  uint32_t U32(size_t at) const { return static_cast<uint32_t>(U16(at)) << 16 | U16(at + 2); }
  uint64_t U64(size_t at) const { return static_cast<uint64_t>(U32(at)) << 32 | U32(at + 4); }
  MacAddress Mac(size_t at) const { return {static_cast<uint64_t>(U16(at)) << 32 | U32(at + 2)}; }
  IpAddress V4(size_t at) const { return IpAddress::V4(U32(at)); }
  IpAddress V6(size_t at) const { return IpAddress::V6(U64(at), U64(at + 8)); }
  Slice From(size_t at) const {
    return {Bytes(bytes.begin() + static_cast<long>(at), bytes.end())};
  }
  Slice First(size_t count) const {
    return {Bytes(bytes.begin(), bytes.begin() + static_cast<long>(count))};
  }
};

// RFC 1071, a word at a time: 0 if the checksum inside holds.
inline uint16_t InternetChecksum(const Slice& data) {
  uint32_t sum = 0;
  for (size_t i = 0; i < data.size(); i += 2) {
    sum += static_cast<uint32_t>(data.U8(i) << 8 | (i + 1 < data.size() ? data.U8(i + 1) : 0));
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

// What lies in front of layer 4. `whole`: no piece of a datagram.
struct Before {
  Slice pseudo_header;  // without the length and the protocol
  bool has_extensions = false;
  bool whole = true;
};

void ReadTransport(const Slice& data, const Before& before, OracleFrame& out);
void ReadControl(const Slice& data, const Before& before, OracleFrame& out);  // ICMP(v6), IGMP
void ReadNeighbour(const Slice& message, const Before& before, OracleFrame& out);

// IPv6 extension headers from `next` on; what follows them.
struct Chain {
  uint8_t protocol = 0;
  Slice rest;
  int headers = 0;
  bool hop_by_hop = false, router_alert = false;
  CheckMask anomalies = 0;
  std::set<Reason> faults;
  bool has_fragment_header = false, more = false;
  uint16_t offset = 0;
  uint32_t id = 0;
  Slice piece;  // behind the fragment header
};
Chain ReadChain(uint8_t next, Slice data);

inline void Note(OracleFrame& out, Check check) { out.facts.anomalies |= MaskOf(check); }

}  // namespace cordon::dp::testing

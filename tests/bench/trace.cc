// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/trace.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>

namespace cordon::bench {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "bench-traffic: " << what << '\n';
  std::exit(1);
}

uint32_t Get32(const uint8_t* at) {
  return static_cast<uint32_t>(at[0]) << 24 | static_cast<uint32_t>(at[1]) << 16 |
         static_cast<uint32_t>(at[2]) << 8 | at[3];
}
void Put32(uint8_t* at, uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}
uint32_t Sum(const uint8_t* bytes, uint32_t size) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i + 1 < size; i += 2)
    sum += static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if (size % 2 != 0) sum += static_cast<uint32_t>(bytes[size - 1] << 8);
  return sum;
}
void PutChecksum(uint8_t* at, uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  sum = ~sum & 0xffff;
  at[0] = static_cast<uint8_t>(sum >> 8);
  at[1] = static_cast<uint8_t>(sum);
}

}  // namespace

uint32_t Trace::TagOf(const uint8_t* frame, uint32_t length) { return Get32(frame + length - 4); }

Trace Trace::Load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  uint32_t header[6];
  if (!file.read(reinterpret_cast<char*>(header), sizeof header) || header[0] != 0xa1b2c3d4) {
    Fail(path + ": not a readable pcap file");
  }
  Trace trace;
  std::vector<uint8_t> raw;
  std::vector<size_t> offsets;
  uint32_t record[4];
  size_t longest = 0;
  while (file.read(reinterpret_cast<char*>(record), sizeof record)) {
    const size_t offset = raw.size();
    raw.resize(offset + record[2]);
    if (!file.read(reinterpret_cast<char*>(&raw[offset]), record[2])) Fail(path + ": truncated");
    offsets.push_back(offset);
    trace.lengths_.push_back(static_cast<uint16_t>(record[2]));
    longest = std::max<size_t>(longest, record[2]);
  }
  trace.stride_ = (longest + 63) & ~size_t{63};
  trace.data_.assign(trace.stride_ * offsets.size() + 64, 0);
  for (size_t i = 0; i < offsets.size(); ++i) {
    std::memcpy(&trace.data_[i * trace.stride_], &raw[offsets[i]], trace.lengths_[i]);
  }
  return trace;
}

void MakeTcpSegment(uint8_t* frame, uint8_t flags) {
  constexpr uint8_t kSyn = 2, kAck = 0x10;
  uint8_t* const ip = frame + 14;
  uint8_t* const tcp = ip + 20;
  if (ip[9] != 6) return;
  tcp[13] = flags;
  if ((flags & kSyn) != 0) {
    Put32(tcp + 4, Get32(tcp + 4) - 1);
    if ((flags & kAck) == 0) Put32(tcp + 8, 0);
    ip[2] = 0;
    ip[3] = 40;
  }
  const uint32_t tcp_size = static_cast<uint32_t>(ip[2] << 8 | ip[3]) - 20;
  tcp[16] = tcp[17] = 0;
  PutChecksum(tcp + 16, Sum(ip + 12, 8) + 6 + tcp_size + Sum(tcp, tcp_size));
  ip[10] = ip[11] = 0;
  PutChecksum(ip + 10, Sum(ip, 20));
}

}  // namespace cordon::bench

// SPDX-License-Identifier: Apache-2.0
// A capture held in memory for sending, and the tag that tells what each frame should meet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cordon::bench {

inline constexpr uint32_t kDenyBit = 0x80000000u;

class Trace {
 public:
  // Reads a classic pcap file in host byte order. Exits with a message if it cannot.
  static Trace Load(const std::string& path);

  uint32_t count() const { return static_cast<uint32_t>(lengths_.size()); }
  const uint8_t* frame(uint32_t i) const { return data_.data() + i * stride_; }
  uint16_t length(uint32_t i) const { return lengths_[i]; }
  uint32_t tag(uint32_t i) const { return TagOf(frame(i), length(i)); }
  static uint32_t TagOf(const uint8_t* frame, uint32_t length);

 private:
  std::vector<uint16_t> lengths_;
  std::vector<uint8_t> data_;
  size_t stride_ = 64;
};

// Turns an IPv4 TCP frame of a trace into the segment with these flags that opens its flow: SYN and
// SYN+ACK lose their payload and count back their sequence number. Other frames stay as they are.
void MakeTcpSegment(uint8_t* frame, uint8_t flags);

}  // namespace cordon::bench

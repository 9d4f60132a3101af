// SPDX-License-Identifier: Apache-2.0
// The sockets of an af_packet port. DPDK's driver opens and reads them, but it loses two facts:
// which kind of VLAN tag the kernel took out of a frame (it puts 0x8100 back), and that a frame did
// not fit its ring. A filter on the socket keeps them: frames that cannot be handed over bit for
// bit are cut to a length no frame has, and Receive knows them by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cordon::dp {

// What is left of such a frame: shorter than an Ethernet header, yet both MAC addresses.
inline constexpr uint32_t kFilteredTagLost = 13;
inline constexpr uint32_t kFilteredTooLong = 12;

class PacketSocket {
 public:
  // Attaches the filter to all packet sockets of this process on an interface. `capacity`: longest
  // frame that its ring takes whole. Frames that the machine itself sends there are left out.
  // False, with `error`, if there is none or it refuses.
  bool Attach(int interface_index, size_t capacity, std::string& error);
  // Frames the kernel dropped since Attach because the ring was full. One thread at a time.
  uint64_t DroppedFrames();

 private:
  std::vector<int> sockets_;  // borrowed: the driver closes them
  uint64_t dropped_ = 0;
};

}  // namespace cordon::dp

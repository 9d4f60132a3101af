// SPDX-License-Identifier: Apache-2.0
// The sockets of an af_packet port. DPDK's driver opens them and works their rings, but a socket as
// it makes them does not hand frames over as they came:
// - it sits in a fanout group in which the kernel puts IPv4 fragments together,
// - the driver loses which kind of VLAN tag the kernel took out of a frame (it puts 0x8100 back),
// - and that a frame did not fit the ring.
// So each socket is replaced by one of ours under the driver's feet: same rings at the same place,
// no reassembly, and a filter that keeps the lost facts: frames that cannot be handed over bit for
// bit are cut to a length no frame has, and Receive knows them by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/packet/packet.h"

namespace cordon::dp {

// What is left of such a frame: shorter than an Ethernet header, yet both MAC addresses.
inline constexpr uint32_t kFilteredTagLost = 13;
inline constexpr uint32_t kFilteredTooLong = 12;

// The rings that the driver was told to make, one for each direction of a queue.
struct PacketRing {
  uint32_t block_bytes = 0;
  uint32_t frame_bytes = 0;  // a power of two; a block holds a whole number
  uint32_t frames = 0;

  // Longest frame a slot takes whole: the kernel keeps at most kSlotOverhead bytes of it for itself
  // (tpacket2 header, address, alignment).
  static constexpr uint32_t kSlotOverhead = 96;
  uint32_t capacity() const { return frame_bytes - kSlotOverhead; }
};

class PacketSocket {
 public:
  // Replaces all packet sockets of this process on an interface; frames that came before are gone.
  // Frames that the machine itself sends there are left out. With several sockets, queue by queue
  // in order of creation, the kernel deals the frames out by the MAC address of the device, which
  // stands at the source of what comes in from `side` kDevice and at the destination otherwise:
  // all that one device sends and gets meets in the queues of one number. False, with `error`, if
  // there is no socket or the kernel refuses.
  bool Replace(int interface_index, Side side, const PacketRing& ring, std::string& error);
  // Frames the kernel dropped since then because the ring was full. One thread at a time.
  uint64_t DroppedFrames();
  // Forgets that the interface was down, which the next frame to be sent would be told. Any thread.
  void ForgetErrors();

 private:
  std::vector<int> sockets_;  // borrowed: the driver closes them
  uint64_t dropped_ = 0;
};

}  // namespace cordon::dp

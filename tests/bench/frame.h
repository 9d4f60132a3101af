// SPDX-License-Identifier: Apache-2.0
// Frames of a model's flows, with right checksums and sequence numbers. The last four bytes of
// every frame are a tag, so that a receiver knows what the frame should have met.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/bench/model.h"

namespace cordon::bench {

// Tag: the flow's number, and what becomes of it.
inline constexpr uint32_t kRefusedBit = 0x80000000u;  // by every policy in use: must not arrive
inline constexpr uint32_t kEitherBit = 0x40000000u;   // one of two policies allows it
inline constexpr uint32_t kFlowMask = 0x3fffffffu;

enum class FrameShape { kIpv4, kIpv4Vlan, kIpv6 };
enum class Segment { kData, kSyn, kSynAck, kAck };  // of a TCP flow; UDP frames are all alike

inline constexpr uint16_t kBenchVlan = 30;
inline constexpr size_t kMaxFrame = 1514 + 4;

// The smallest frame of this shape that has room for the tag, without FCS: 60, 64 and 78 bytes.
size_t SmallestFrame(FrameShape shape);

uint32_t TagOf(const ModelFlow& flow, uint32_t number);

struct FrameRequest {
  FrameShape shape = FrameShape::kIpv4;
  Segment segment = Segment::kData;
  bool from_device = true;
  size_t size = 60;  // a VLAN tag comes on top of it if it is more than the smallest
  uint32_t tag = 0;
};

// Writes the frame and returns its length; `out` has room for kMaxFrame bytes. Data is the same
// segment again and again: to a TCP state machine a retransmission inside the window.
size_t BuildFrame(const FrameRequest& request, const ModelDevice& device, const ModelFlow& flow,
                  uint8_t* out);

}  // namespace cordon::bench

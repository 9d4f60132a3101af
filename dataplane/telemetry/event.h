// SPDX-License-Identifier: Apache-2.0
// What a worker tells the agent about flows: refused, audited, admitted, ended. Fixed size, through
// a bounded ring with one producer and one consumer; when it is full the event is counted as lost.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/packet/packet.h"

namespace cordon::dp {

enum class EventKind : uint8_t {
  kRefused,   // a frame was dropped
  kAudited,   // a frame was forwarded though the policy would drop it
  kAdmitted,  // a flow was opened
  kAnswered,  // its responder answered for the first time, other than by a RST: frames[1] is 1.
              // Told at once, since a flow may stay open for days
  kLive,      // a flow at the moment of a question; counts are those so far
  kEnded      // a flow expired, closed or was revoked; counts are final, less what kAnswered told
};

struct FlowEvent {
  EventKind kind = EventKind::kRefused;
  Side side = Side::kDevice;  // the frame came from (refused, audited) / the initiator's side
  Reason reason = Reason::kUndecided;
  uint8_t protocol = 0;
  uint16_t pair = 0;
  Verdict verdict = Verdict::kDrop;  // of the frame, or of the frames of the flow
  uint16_t device_port = 0;          // L4 ports; for ICMP device_port is the type
  uint16_t peer_port = 0;
  uint16_t ethertype = 0;
  uint32_t stamp = 0;  // policy stamp that device and rule index into
  uint32_t device = 0;
  uint32_t rule = 0;
  VlanTags vlan;
  MacAddress device_mac;
  MacAddress peer_mac;  // refused and audited frames only
  IpAddress device_ip;
  IpAddress peer_ip;
  uint64_t first_seen_ns = 0;  // gateway time
  uint64_t last_seen_ns = 0;
  // By FlowSide: initiator, responder. Refused and audited frames are all counted as the
  // initiator's; equal ones within a second share one event, so the next event may stand for many.
  uint64_t frames[2] = {0, 0};
  uint64_t bytes[2] = {0, 0};
};

// Single producer (a worker), single consumer (the agent). Push and Pop never block; both say false
// if they can do nothing (full, empty).
class EventRing {
 public:
  explicit EventRing(size_t capacity);  // rounded up to a power of two
  bool Push(const FlowEvent& event) noexcept;
  bool Pop(FlowEvent& event) noexcept;

 private:
  std::unique_ptr<FlowEvent[]> slots_;
  size_t mask_;
  alignas(64) std::atomic<size_t> head_{0};  // written by the producer
  alignas(64) std::atomic<size_t> tail_{0};  // written by the consumer
};

}  // namespace cordon::dp

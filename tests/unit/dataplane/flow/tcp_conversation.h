// SPDX-License-Identifier: Apache-2.0
// Two ends of a TCP connection that a track is fed with, segment by segment. Numbers are relative
// to each end's initial sequence number, so that tests read as in a textbook and yet wrap around.
#pragma once

#include "dataplane/flow/tcp_track.h"

namespace cordon::dp::testing {

inline constexpr FlowSide kI = FlowSide::kInitiator, kR = FlowSide::kResponder;
// Close to the wrap-around: 16 bytes of data pass it.
inline constexpr uint32_t kIsn[2] = {0xfffffff0, 0x7ffffff8};

// A segment of one end; `sequence` and `acknowledgment` count from the initial ones of the two.
struct Segment {
  FlowSide from = kI;
  uint8_t flags = tcp_flag::kAck;
  uint32_t sequence = 1;
  uint32_t acknowledgment = 1;
  uint32_t length = 0;
  uint16_t window = 1000;
  uint8_t scale = kNoWindowScale;

  TcpSegment Raw() const {
    const auto side = static_cast<size_t>(from);
    const bool has_ack = (flags & tcp_flag::kAck) != 0;
    return {.sequence = kIsn[side] + sequence,
            .acknowledgment = has_ack ? kIsn[1 - side] + acknowledgment : 0,
            .payload_length = length,
            .window = window,
            .flags = flags,
            .window_scale = scale};
  }
};

class Conversation {
 public:
  // Starts with a SYN of the initiator.
  explicit Conversation(uint8_t scale = kNoWindowScale, uint16_t window = 1000, uint32_t length = 0)
      : track_(OpenTrack(Segment{kI, tcp_flag::kSyn, 0, 0, length, window, scale}.Raw())) {}
  explicit Conversation(const TcpTrack& track) : track_(track) {}

  TcpOutcome Feed(const Segment& segment) {
    // As the pipeline does it.
    if (TrackEstablished(track_, segment.from, segment.Raw())) return {};
    return Track(track_, segment.from, segment.Raw());
  }
  bool Fits(const Segment& segment) { return Feed(segment).fits(); }
  Reason ReasonOf(const Segment& segment) { return Feed(segment).reason; }
  Conversation& Pass(const Segment& segment) {
    if (!Fits(segment)) broken_ = true;
    return *this;
  }
  TcpState state() const { return broken_ ? TcpState::kNone : track_.state; }
  const TcpTrack& track() const { return track_; }

 private:
  TcpTrack track_;
  bool broken_ = false;  // a segment that had to pass did not
};

// Both with windows of 1000 bytes, no scaling.
inline Conversation Established() {
  return Conversation()
      .Pass({kR, tcp_flag::kSyn | tcp_flag::kAck, 0, 1})
      .Pass({kI, tcp_flag::kAck, 1, 1});
}

// Both FINs seen and acknowledged; no data was sent.
inline Conversation Closed() {
  return Established()
      .Pass({kI, tcp_flag::kFin | tcp_flag::kAck, 1, 1})
      .Pass({kR, tcp_flag::kFin | tcp_flag::kAck, 1, 2})
      .Pass({kI, tcp_flag::kAck, 2, 2});
}

}  // namespace cordon::dp::testing

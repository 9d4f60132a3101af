// SPDX-License-Identifier: Apache-2.0
// One TCP connection as the gateway in the middle sees it: which segments can belong to it, and
// whether it is half open, established or closing. Names follow RFC 9293.
//
// A segment fits if its data lies in the window that the other end has granted and if it
// acknowledges what the other end has sent (Guido van Rooij, "Real Stateful TCP Packet Filtering in
// IP Filter"). A RST counts only at the exact sequence number that the receiver waits for (RFC 5961
// 3); every other one is refused and changes nothing, so ends that do not know RFC 5961 are covered
// too. Time stamps are not looked at. Numbers are never rewritten and no segment is ever made.
//
//   TcpTrack track = OpenTrack(syn);           // or AdoptTrack(from, segment)
//   if (!TrackEstablished(track, from, segment)) {
//     const TcpOutcome outcome = Track(track, from, segment);  // fits, refused, or reopens
//   }
//
// Pure: no clock, no allocation. TrackEstablished takes about a dozen compares; Track some dozens.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/packet/packet.h"
#include "dataplane/packet/reason.h"

namespace cordon::dp {

enum class TcpState : uint8_t {
  kNone,         // not TCP, or not yet opened
  kSynSent,      // the initiator's SYN was forwarded
  kSynReceived,  // the responder's SYN was forwarded, with or without ACK
  kEstablished,  // each end has acknowledged the other's SYN, or the flow was adopted mid-stream
  kClosing,      // at least one FIN was forwarded
  kClosed        // both FINs acknowledged, or a RST: a new SYN may reopen the tuple
};

enum class FlowSide : uint8_t { kInitiator = 0, kResponder = 1 };
constexpr FlowSide OtherSide(FlowSide side) {
  return side == FlowSide::kInitiator ? FlowSide::kResponder : FlowSide::kInitiator;
}

// What the tracker needs of a segment.
struct TcpSegment {
  uint32_t sequence = 0;
  uint32_t acknowledgment = 0;  // only if flags has ACK
  uint32_t payload_length = 0;
  uint16_t window = 0;                    // as in the header
  uint8_t flags = 0;                      // tcp_flag
  uint8_t window_scale = kNoWindowScale;  // the option of a SYN
  // The first fragment of a segment whose length is not known: it may reach as far as the window.
  bool is_partial = false;
};

inline TcpSegment SegmentOf(const Packet& packet) noexcept {
  return {.sequence = packet.tcp_sequence,
          .acknowledgment = packet.tcp_acknowledgment,
          .payload_length = packet.payload_length,
          .window = packet.tcp_window,
          .flags = packet.tcp_flags,
          .window_scale = packet.tcp_window_scale,
          .is_partial = packet.is_fragment};
}

// Sequence numbers wrap; all compares are by distance.
struct TcpTrack {
  struct Side {
    uint32_t end = 0;      // behind the last it has sent; SYN and FIN count one each
    uint32_t acked = 0;    // the last acknowledgment of the other end; before the first: its ISN
    uint32_t max_end = 0;  // behind the last that the other end has ever allowed it to send
  };
  std::array<Side, 2> sides;  // by FlowSide
  // Scale of its window (low four bits), and how large it has been at most: 2 << high bits, scaled.
  std::array<uint8_t, 2> windows{};
  TcpState state = TcpState::kNone;
  uint8_t marks = 0;

  // marks; those of a side are shifted by FlowSide
  static constexpr uint8_t kFin = 1, kSynAcked = 4, kFastOpen = 16, kAdopted = 32, kChallenged = 64,
                           kScaleOffered = 128;
  static constexpr uint8_t kBothFins = 3 * kFin, kBothSynAcked = 3 * kSynAcked;

  bool Has(uint8_t mark, FlowSide side) const {
    return (marks & mark << static_cast<unsigned>(side)) != 0;
  }
  Side& At(FlowSide side) { return sides[static_cast<size_t>(side)]; }
  const Side& At(FlowSide side) const { return sides[static_cast<size_t>(side)]; }
  uint8_t WindowOf(FlowSide side) const { return windows[static_cast<size_t>(side)]; }
  // Whether it may make room for others: half open, or over.
  bool evictable() const {
    return state == TcpState::kSynSent || state == TcpState::kSynReceived ||
           state == TcpState::kClosed;
  }
  bool half_open() const { return state == TcpState::kSynSent || state == TcpState::kSynReceived; }
};
static_assert(sizeof(TcpTrack) == 28);

struct TcpOutcome {
  // kUndecided: the segment fits. Else why it must be dropped (tcp_state, tcp_window, tcp_reset);
  // the track is as it was.
  Reason reason = Reason::kUndecided;
  // A SYN after the end of the connection: decide it as a new flow. The track is as it was.
  bool reopens = false;
  bool fits() const { return reason == Reason::kUndecided && !reopens; }
};

// The track after the initiator's SYN.
TcpTrack OpenTrack(const TcpSegment& syn) noexcept;

// Whether a connection can be taken up at this segment: it must acknowledge something.
bool CanAdopt(const TcpSegment& segment) noexcept;
// The track of a running connection, after its first segment seen (for which CanAdopt holds). The
// scales of its windows are not known, so both are taken to be the largest; RSTs stay exact.
TcpTrack AdoptTrack(FlowSide from, const TcpSegment& segment) noexcept;

// What one segment of an open track does to it.
TcpOutcome Track(TcpTrack& track, FlowSide from, const TcpSegment& segment) noexcept;

// The hot path: data and acknowledgments in order on an established connection. True: it fits, and
// the track is as Track would have left it. False: nothing was done, ask Track.
inline bool TrackEstablished(TcpTrack& track, FlowSide from, const TcpSegment& segment) noexcept {
  constexpr uint8_t kControl = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst | tcp_flag::kAck;
  TcpTrack::Side& own = track.At(from);
  TcpTrack::Side& other = track.At(OtherSide(from));
  const uint8_t window = track.WindowOf(from);
  const uint32_t granted = own.max_end - own.acked;
  const uint32_t offset = segment.sequence - own.acked;
  const uint32_t newly_acked = segment.acknowledgment - other.acked;
  const bool fits = track.state == TcpState::kEstablished &&
                    (segment.flags & kControl) == tcp_flag::kAck && !segment.is_partial &&
                    offset <= granted && segment.payload_length <= granted - offset &&
                    newly_acked <= other.end - other.acked &&
                    segment.window >> 1 >> (window >> 4) == 0;  // not larger than ever before
  if (!fits) [[unlikely]]
    return false;
  const uint32_t end = segment.sequence + segment.payload_length;
  if (static_cast<int32_t>(end - own.end) > 0) own.end = end;
  other.acked = segment.acknowledgment;
  const uint32_t edge =
      segment.acknowledgment + (static_cast<uint32_t>(segment.window) << (window & 15));
  if (static_cast<int32_t>(edge - other.max_end) > 0) other.max_end = edge;
  return true;
}

}  // namespace cordon::dp

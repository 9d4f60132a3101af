// SPDX-License-Identifier: Apache-2.0
// The states, by what was forwarded. I: initiator, R: responder.
//
//   SynSent      I SYN again: the latest counts. R SYN+ACK that acknowledges it, or R SYN (the
//                simultaneous open, and the split handshakes of 4 and 5 segments): SynReceived.
//                R ACK without data passes: the challenge of an end that still holds an older
//                connection of this tuple (RFC 5961 4), which I answers with a RST at that number.
//   SynReceived  Established as soon as each end has acknowledged the other's SYN. Data of R
//                only after I has acknowledged R's SYN, or if R acknowledged data on I's SYN
//                (TCP fast open, RFC 7413).
//   Established  I SYN outside the window passes and changes nothing: a device that was switched
//   off
//                and on may use its L4 port again, gets the challenge ACK of R, and resets the
//                connection with the number in it. Inside the window it is refused: older ends
//                would reset the connection.
//   Closing      as Established; who has sent a FIN sends nothing new. Both FINs seen: a SYN
//                reopens (TIME-WAIT, RFC 6191). Both acknowledged: Closed.
//   Closed       what fits the windows still passes, so that late retransmissions find an end; a
//                SYN of either side reopens.
#include "dataplane/flow/tcp_track.h"

#include <algorithm>
#include <bit>

namespace cordon::dp {
namespace {

using namespace tcp_flag;
using enum TcpState;
using Side = TcpTrack::Side;

constexpr FlowSide kInitiator = FlowSide::kInitiator, kResponder = FlowSide::kResponder;
constexpr uint8_t kMaxScale = 14;  // RFC 7323 2.3
constexpr uint8_t kLargestWindow = 15 << 4 | kMaxScale;
constexpr uint32_t kMaxPayload = 65'535;  // of an IP packet

constexpr TcpOutcome kFits{};
constexpr TcpOutcome Refused(Reason reason) { return {reason, false}; }
constexpr TcpOutcome kReopens{Reason::kUndecided, true};

constexpr bool IsAfter(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) > 0; }
constexpr uint32_t Later(uint32_t a, uint32_t b) { return IsAfter(a, b) ? a : b; }
constexpr uint32_t Earlier(uint32_t a, uint32_t b) { return IsAfter(a, b) ? b : a; }

uint8_t MarkOf(uint8_t mark, FlowSide side) {
  return static_cast<uint8_t>(mark << static_cast<unsigned>(side));
}

uint8_t ScaleIn(const TcpSegment& syn) { return std::min(syn.window_scale, kMaxScale); }

// A window that was at most `bytes` large, rounded up to a power of two that is larger.
uint8_t PackWindow(uint8_t scale, uint32_t bytes) {
  const int size = std::max(static_cast<int>(std::bit_width(bytes)) - scale, 1) - 1;
  return static_cast<uint8_t>(size << 4 | scale);
}
constexpr uint8_t ScaleOf(uint8_t window) { return window & 15; }
constexpr uint32_t LargestOf(uint8_t window) { return 2u << ((window >> 4) + ScaleOf(window)); }

// Behind the segment's data, its SYN included; a FIN comes behind that.
uint32_t DataEnd(const TcpSegment& segment) {
  return segment.sequence + segment.payload_length + ((segment.flags & kSyn) != 0 ? 1 : 0);
}

// Behind all that the segment may hold, `limit` being the end of the window.
uint32_t EndOf(const TcpSegment& segment, uint32_t limit) {
  const uint32_t end = DataEnd(segment) + ((segment.flags & tcp_flag::kFin) != 0 ? 1 : 0);
  return segment.is_partial ? Later(end, Earlier(segment.sequence + kMaxPayload, limit)) : end;
}

// Upper bound: what the other end has allowed, and one byte that probes a closed window (RFC 9293
// 3.8.6.1); a FIN may come behind that. Lower bound: who has at most a window in flight retransmits
// nothing that ends before that, and probes or keeps alive with the byte before.
bool FitsSequence(const TcpTrack& track, FlowSide from, const TcpSegment& segment) {
  const Side& own = track.At(from);
  const uint32_t data_end = DataEnd(segment);
  const uint32_t behind = own.end - data_end;
  const bool is_old = static_cast<int32_t>(behind) >= 0;
  if (is_old && behind > LargestOf(track.WindowOf(OtherSide(from))) + 1) return false;
  const uint32_t limit = track.Has(TcpTrack::kFin, from) ? own.end : own.max_end + 1;
  return !IsAfter(data_end, limit);
}

// Upper bound: nobody acknowledges what was not sent; of an adopted connection it may have been
// sent before. Lower bound: RFC 5961 5.2, where SND.UNA itself may be a window behind.
bool FitsAcknowledgment(const TcpTrack& track, FlowSide from, const TcpSegment& segment) {
  const Side& other = track.At(OtherSide(from));
  const uint32_t behind = other.end - segment.acknowledgment;
  if (static_cast<int32_t>(behind) >= 0) return behind <= 2 * LargestOf(track.WindowOf(from));
  return (track.marks & TcpTrack::kAdopted) != 0 &&
         !IsAfter(segment.acknowledgment, other.max_end + 1);
}

uint32_t InitialSequence(const TcpTrack& track, FlowSide side) {
  return track.At(side).acked - (track.Has(TcpTrack::kSynAcked, side) ? 1 : 0);
}

// Whether `acknowledgment` covers the SYN that `side` has sent, and nothing that it has not.
bool CoversSyn(const TcpTrack& track, FlowSide side, uint32_t acknowledgment) {
  const uint32_t initial = InitialSequence(track, side);
  return acknowledgment != initial && acknowledgment - initial <= track.At(side).end - initial;
}

// Takes over what a segment that fits says.
void Accept(TcpTrack& track, FlowSide from, const TcpSegment& segment) {
  Side& own = track.At(from);
  Side& other = track.At(OtherSide(from));
  uint8_t& window = track.windows[static_cast<size_t>(from)];
  const uint8_t scale = (segment.flags & kSyn) != 0 ? 0 : ScaleOf(window);
  const uint32_t bytes = static_cast<uint32_t>(segment.window) << scale;
  own.end = Later(own.end, EndOf(segment, own.max_end));
  other.end = Later(other.end, segment.acknowledgment);
  other.acked = Later(other.acked, segment.acknowledgment);
  other.max_end = Later(other.max_end, segment.acknowledgment + bytes);
  if (bytes >= LargestOf(window)) window = PackWindow(ScaleOf(window), bytes);
  track.marks |= MarkOf(TcpTrack::kSynAcked, OtherSide(from));
  if ((segment.flags & tcp_flag::kFin) != 0) track.marks |= MarkOf(TcpTrack::kFin, from);
}

// After Accept: the state that follows from the marks.
void Advance(TcpTrack& track) {
  const Side& a = track.sides[0];
  const Side& b = track.sides[1];
  const uint8_t fins = track.marks & TcpTrack::kBothFins;
  if (track.state == kSynReceived &&
      (track.marks & TcpTrack::kBothSynAcked) == TcpTrack::kBothSynAcked) {
    track.state = kEstablished;
  }
  if (track.state == kEstablished && fins != 0) track.state = kClosing;
  if (fins == TcpTrack::kBothFins && a.acked == a.end && b.acked == b.end) track.state = kClosed;
}

// The responder's first SYN, with or without ACK, or another one in its place. Until it comes,
// max_end of the responder holds the window of the initiator's SYN.
void TakeResponderSyn(TcpTrack& track, const TcpSegment& syn) {
  Side& initiator = track.At(kInitiator);
  Side& responder = track.At(kResponder);
  const uint32_t granted =
      track.state == kSynSent ? responder.max_end : responder.max_end - responder.acked - 1;
  const bool scales =
      (track.marks & TcpTrack::kScaleOffered) != 0 && syn.window_scale != kNoWindowScale;
  track.windows[0] = PackWindow(scales ? ScaleOf(track.windows[0]) : 0, granted);
  // What a fast open has sent was bounded by no window, and may have to be sent again.
  const uint32_t early = initiator.end - InitialSequence(track, kInitiator);
  track.windows[1] = PackWindow(scales ? ScaleIn(syn) : 0, std::max<uint32_t>(syn.window, early));
  responder = {
      .end = syn.sequence + 1, .acked = syn.sequence, .max_end = syn.sequence + 1 + granted};
  initiator.max_end = Later(initiator.end, InitialSequence(track, kInitiator) + 1 + syn.window);
  track.marks &= static_cast<uint8_t>(~MarkOf(TcpTrack::kSynAcked, kResponder));
  track.state = kSynReceived;
}

TcpOutcome OnInitiatorSyn(TcpTrack& track, const TcpSegment& syn) {
  const Side& own = track.At(kInitiator);
  if (track.state == kSynSent) {
    // Some stacks leave options and data out when they send it again, and either may be answered.
    const bool is_again = syn.sequence == own.acked;
    const TcpTrack before = track;
    track = OpenTrack(syn);
    if (!is_again) return kFits;
    if ((track.marks & TcpTrack::kScaleOffered) == 0) track.windows = before.windows;
    track.marks |= before.marks;
    track.At(kInitiator).end = Later(own.end, before.At(kInitiator).end);
    track.At(kResponder).acked = before.At(kResponder).acked;
    return kFits;
  }
  const bool is_again =
      track.state == kSynReceived && syn.sequence == InitialSequence(track, kInitiator);
  const bool is_in_window = syn.sequence - own.acked <= own.max_end - own.acked;
  const bool is_adopted = (track.marks & TcpTrack::kAdopted) != 0;
  return is_again || is_adopted || !is_in_window ? kFits : Refused(Reason::kTcpWindow);
}

TcpOutcome OnSyn(TcpTrack& track, FlowSide from, const TcpSegment& syn) {
  const bool is_over =
      track.state == kClosed || (track.marks & TcpTrack::kBothFins) == TcpTrack::kBothFins;
  if (is_over) return kReopens;
  if (track.state == kNone) return Refused(Reason::kTcpState);
  if (from == kInitiator) return OnInitiatorSyn(track, syn);
  if (track.state == kSynSent && DataEnd(syn) == syn.sequence + 1) {
    TakeResponderSyn(track, syn);
    return kFits;
  }
  const bool is_again =
      track.state == kSynReceived && syn.sequence == InitialSequence(track, kResponder);
  return is_again ? kFits : Refused(Reason::kTcpState);
}

// The responder's, while the connection opens. One that differs from an earlier takes its place, as
// long as the initiator has not answered: cookies change, and servers restart.
TcpOutcome OnResponderSynAck(TcpTrack& track, const TcpSegment& segment) {
  if (!CoversSyn(track, kInitiator, segment.acknowledgment)) return Refused(Reason::kTcpWindow);
  const bool accepts_data = (track.marks & TcpTrack::kFastOpen) != 0 ||
                            segment.acknowledgment - InitialSequence(track, kInitiator) > 1;
  if (segment.payload_length != 0 && !accepts_data) return Refused(Reason::kTcpState);
  const bool is_again =
      track.state == kSynReceived && segment.sequence == InitialSequence(track, kResponder);
  if (!is_again) {
    if (track.Has(TcpTrack::kSynAcked, kResponder)) return Refused(Reason::kTcpWindow);
    TakeResponderSyn(track, segment);
  }
  if (accepts_data) track.marks |= TcpTrack::kFastOpen;
  Accept(track, kResponder, segment);
  Advance(track);
  return kFits;
}

TcpOutcome OnSynAck(TcpTrack& track, FlowSide from, const TcpSegment& segment) {
  switch (track.state) {
    case kNone:
      return Refused(Reason::kTcpState);
    case kClosed: {
      // Of a server that does not know yet that the initiator has reset.
      const Side& own = track.At(from);
      const bool is_again = from == kResponder && !track.Has(TcpTrack::kSynAcked, kResponder) &&
                            own.end != own.acked && segment.sequence == own.acked &&
                            CoversSyn(track, kInitiator, segment.acknowledgment);
      return is_again ? kFits : Refused(Reason::kTcpState);
    }
    case kSynSent:
      return from == kResponder ? OnResponderSynAck(track, segment) : Refused(Reason::kTcpState);
    case kSynReceived: {
      if (from == kResponder) return OnResponderSynAck(track, segment);
      const bool answers = segment.sequence == InitialSequence(track, kInitiator) &&
                           CoversSyn(track, kResponder, segment.acknowledgment);
      if (!answers || segment.payload_length != 0) return Refused(Reason::kTcpState);
      Accept(track, kInitiator, segment);
      Advance(track);
      return kFits;
    }
    case kEstablished:
    case kClosing:
      break;
  }
  // Sent again by an end that has not seen the answer: it lies before what was acknowledged, or, if
  // that is not known, before what was sent.
  const Side& own = track.At(from);
  const uint32_t limit = (track.marks & TcpTrack::kAdopted) != 0 ? own.end : own.acked;
  const bool is_old = IsAfter(limit, segment.sequence) && FitsSequence(track, from, segment) &&
                      FitsAcknowledgment(track, from, segment);
  return is_old ? kFits : Refused(Reason::kTcpWindow);
}

// Only an end that holds another connection of the tuple, or that follows RFC 5961 in other ways,
// sends an ACK without SYN before it has sent its SYN.
TcpOutcome OnChallenge(TcpTrack& track, FlowSide from, const TcpSegment& segment) {
  const bool is_bare =
      segment.payload_length == 0 && !segment.is_partial && (segment.flags & tcp_flag::kFin) == 0;
  if (from != kResponder || !is_bare) return Refused(Reason::kTcpState);
  track.At(kResponder).acked = segment.acknowledgment;
  track.marks |= TcpTrack::kChallenged;
  return kFits;
}

// Segments without SYN and RST; RFC 9293 has them all carry ACK.
TcpOutcome OnAck(TcpTrack& track, FlowSide from, const TcpSegment& segment) {
  if (track.state == kNone) return Refused(Reason::kTcpState);
  if (track.state == kSynSent) return OnChallenge(track, from, segment);
  if (track.state == kSynReceived) {
    const bool has_more =
        segment.payload_length != 0 || segment.is_partial || (segment.flags & tcp_flag::kFin) != 0;
    const bool may_talk = from == kInitiator || (track.marks & TcpTrack::kFastOpen) != 0 ||
                          track.Has(TcpTrack::kSynAcked, kResponder);
    if (has_more && !may_talk) return Refused(Reason::kTcpState);
    if (!CoversSyn(track, OtherSide(from), segment.acknowledgment)) {
      return Refused(Reason::kTcpWindow);
    }
  }
  if (!FitsSequence(track, from, segment) || !FitsAcknowledgment(track, from, segment)) {
    return Refused(Reason::kTcpWindow);
  }
  Accept(track, from, segment);
  Advance(track);
  return kFits;
}

// Before the responder's SYN: RFC 9293 3.10.7.3 has the answer to a SYN acknowledge it; the
// initiator answers a challenge with the number in it and goes on opening.
TcpOutcome OnEarlyReset(TcpTrack& track, FlowSide from, const TcpSegment& reset) {
  const Side& initiator = track.At(kInitiator);
  const uint32_t number = from == kInitiator ? reset.sequence : reset.acknowledgment;
  const bool is_exact = number == initiator.acked + 1 || number == initiator.end;
  const bool answers_challenge = from == kInitiator && (track.marks & TcpTrack::kChallenged) != 0 &&
                                 number == track.At(kResponder).acked;
  const bool may_close = from == kInitiator || (reset.flags & kAck) != 0;
  if (is_exact && may_close) {
    track.state = kClosed;
    return kFits;
  }
  return answers_challenge ? kFits : Refused(Reason::kTcpReset);
}

TcpOutcome OnReset(TcpTrack& track, FlowSide from, const TcpSegment& reset) {
  if (track.state == kNone) return Refused(Reason::kTcpState);
  if (track.state == kSynSent) return OnEarlyReset(track, from, reset);
  const Side& own = track.At(from);
  const Side& other = track.At(OtherSide(from));
  const bool has_ack = (reset.flags & kAck) != 0;
  // The answer to a SYN sent again, of a server that has restarted in between.
  const bool answers_syn =
      track.state == kSynReceived && from == kResponder && has_ack && reset.sequence == 0 &&
      (reset.acknowledgment == other.acked || reset.acknowledgment == other.end);
  const bool is_exact = (reset.sequence == own.end || reset.sequence == own.acked) &&
                        (!has_ack || FitsAcknowledgment(track, from, reset));
  if (!answers_syn && !is_exact) return Refused(Reason::kTcpReset);
  track.state = kClosed;
  return kFits;
}

}  // namespace

TcpTrack OpenTrack(const TcpSegment& syn) noexcept {
  TcpTrack track;
  const bool offers_scale = syn.window_scale != kNoWindowScale;
  const uint32_t end = EndOf(syn, syn.sequence + kMaxPayload);
  track.At(kInitiator) = {.end = end, .acked = syn.sequence, .max_end = end};
  track.At(kResponder).max_end = syn.window;  // see TakeResponderSyn
  track.windows[0] = offers_scale ? ScaleIn(syn) : 0;
  track.marks = offers_scale ? TcpTrack::kScaleOffered : 0;
  track.state = kSynSent;
  return track;
}

bool CanAdopt(const TcpSegment& segment) noexcept {
  return (segment.flags & (kAck | kRst)) == kAck;
}

TcpTrack AdoptTrack(FlowSide from, const TcpSegment& segment) noexcept {
  TcpTrack track;
  // What the other end has acknowledged is not known: half of the largest window in both
  // directions.
  const uint32_t reach = LargestOf(kLargestWindow) / 2;
  const uint32_t end = EndOf(segment, segment.sequence + kMaxPayload);
  const uint32_t acknowledged = segment.acknowledgment;
  track.At(from) = {
      .end = end, .acked = segment.sequence - reach, .max_end = segment.sequence + reach};
  track.At(OtherSide(from)) = {
      .end = acknowledged, .acked = acknowledged, .max_end = acknowledged + reach};
  track.windows = {kLargestWindow, kLargestWindow};
  const bool has_fin = (segment.flags & tcp_flag::kFin) != 0;
  track.marks = static_cast<uint8_t>(TcpTrack::kAdopted | TcpTrack::kBothSynAcked |
                                     (has_fin ? MarkOf(TcpTrack::kFin, from) : 0));
  track.state = has_fin ? kClosing : kEstablished;
  return track;
}

TcpOutcome Track(TcpTrack& track, FlowSide from, const TcpSegment& segment) noexcept {
  if ((segment.flags & kRst) != 0) return OnReset(track, from, segment);
  if ((segment.flags & kSyn) != 0) {
    return (segment.flags & kAck) != 0 ? OnSynAck(track, from, segment)
                                       : OnSyn(track, from, segment);
  }
  if ((segment.flags & kAck) == 0) return Refused(Reason::kTcpState);
  return OnAck(track, from, segment);
}

}  // namespace cordon::dp

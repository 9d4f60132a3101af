// SPDX-License-Identifier: Apache-2.0
// One end of a TCP connection after RFC 9293, small and obviously legal: it sends, retransmits,
// probes, keeps alive, closes and aborts at random. It counts bytes from its own SYN in 64 bits and
// knows nothing of the tracker.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>

#include "dataplane/flow/tcp_track.h"

namespace cordon::dp::testing {

using Random = std::mt19937;
inline bool Chance(Random& random, int percent) {
  return static_cast<int>(random() % 100) < percent;
}

struct TcpEndpointOptions {
  bool opens = false;
  bool splits = false;  // answers a SYN with a SYN of its own and nothing else
  bool accepts_fast_open = false;
  bool aborts = false;
  uint32_t fast_open_bytes = 0;
  uint32_t isn = 0;
  uint8_t scale = kNoWindowScale;
  uint32_t buffer = 1000;
  uint32_t mss = 100;
  int64_t to_send = 1000;
};

class TcpEndpoint {
 public:
  explicit TcpEndpoint(const TcpEndpointOptions& options)
      : options_(options), phase_(options.opens ? Phase::kSynSent : Phase::kListen) {}

  // What it sends next, if anything.
  std::optional<TcpSegment> Poll(Random& random);
  void Receive(const TcpSegment& segment);
  // Whether the segment, received now, would tell it anything.
  bool HasUseFor(const TcpSegment& segment) const;
  // Everything sent, acknowledged, received and closed; or reset.
  bool done() const { return is_gone() || (una_ == fin_at() + 1 && peer_closed_); }
  bool is_gone() const { return phase_ == Phase::kGone; }
  int64_t received() const { return next_; }

 private:
  enum class Phase { kListen, kSynSent, kSplit, kSynReceived, kEstablished, kGone };

  // Bytes count from 1, the SYN being 0.
  int64_t fin_at() const { return options_.to_send + 1; }
  static int64_t Unwrap(uint32_t wire, uint32_t isn, int64_t near) {
    return near + static_cast<int32_t>(wire - isn - static_cast<uint32_t>(near));
  }
  int64_t SequenceOf(const TcpSegment& s) const { return Unwrap(s.sequence, peer_isn_, next_); }
  int64_t AckOf(const TcpSegment& s) const { return Unwrap(s.acknowledgment, options_.isn, una_); }
  int64_t granted() const { return read_ + 1 + options_.buffer; }  // to the peer
  uint8_t own_scale() const { return scales_ ? options_.scale : 0; }
  TcpSegment Make(int64_t sequence, uint8_t flags, uint32_t length = 0) const;
  TcpSegment DataAt(int64_t sequence, uint32_t limit) const;
  TcpSegment PollEstablished(Random& random);
  void TakeSyn(const TcpSegment& syn);
  void TakeAck(const TcpSegment& segment);
  void TakeData(const TcpSegment& segment);

  TcpEndpointOptions options_;
  Phase phase_;
  bool scales_ = false;
  uint8_t peer_scale_ = 0;
  uint32_t peer_isn_ = 0;
  int64_t una_ = 0, nxt_ = 0, edge_ = 0;  // acknowledged, sent, allowed
  int64_t next_ = 0, read_ = 0;           // received in order, read by the application
  bool peer_closed_ = false;
  std::deque<TcpSegment> answers_;
};

inline TcpSegment TcpEndpoint::Make(int64_t sequence, uint8_t flags, uint32_t length) const {
  const bool is_syn = (flags & tcp_flag::kSyn) != 0;
  const bool has_ack = (flags & tcp_flag::kAck) != 0;
  const bool offers = is_syn && (!has_ack || scales_);
  const auto window = static_cast<uint64_t>(std::max<int64_t>(granted() - next_, 0));
  return {.sequence = options_.isn + static_cast<uint32_t>(sequence),
          .acknowledgment = has_ack ? peer_isn_ + static_cast<uint32_t>(next_) : 0,
          .payload_length = length,
          .window = static_cast<uint16_t>(
              std::min<uint64_t>(window >> (is_syn ? 0 : own_scale()), 65535)),
          .flags = flags,
          .window_scale = offers ? options_.scale : kNoWindowScale};
}

// Data that was sent before or may be sent, at most `limit` bytes of it, with the FIN if it is
// next.
inline TcpSegment TcpEndpoint::DataAt(int64_t sequence, uint32_t limit) const {
  const int64_t data = std::min<int64_t>(limit, fin_at() - sequence);
  const bool fin = sequence + data == fin_at() && nxt_ > fin_at();
  return Make(sequence, static_cast<uint8_t>(tcp_flag::kAck | (fin ? tcp_flag::kFin : 0)),
              static_cast<uint32_t>(std::max<int64_t>(data, 0)));
}

inline std::optional<TcpSegment> TcpEndpoint::Poll(Random& random) {
  using namespace tcp_flag;
  if (!answers_.empty()) {
    const TcpSegment answer = answers_.front();
    answers_.pop_front();
    return answer;
  }
  if (!Chance(random, 40)) return std::nullopt;
  switch (phase_) {
    case Phase::kListen:
    case Phase::kGone:
      return std::nullopt;
    case Phase::kSynSent: {
      const uint32_t early = nxt_ == 0 ? options_.fast_open_bytes : 0;
      nxt_ = std::max<int64_t>(nxt_, 1 + early);
      return Make(0, kSyn, early);
    }
    case Phase::kSplit:
      nxt_ = std::max<int64_t>(nxt_, 1);
      return Chance(random, 20) ? Make(0, kAck) : Make(0, kSyn);
    case Phase::kSynReceived:
      if (options_.accepts_fast_open && next_ > 1 && nxt_ > 0 && Chance(random, 50)) break;
      nxt_ = std::max<int64_t>(nxt_, 1);
      return Make(0, kSyn | kAck);
    case Phase::kEstablished:
      break;
  }
  return PollEstablished(random);
}

inline TcpSegment TcpEndpoint::PollEstablished(Random& random) {
  using namespace tcp_flag;
  read_ +=
      static_cast<int64_t>(random() % static_cast<uint64_t>(std::max<int64_t>(next_ - read_, 1)));
  if (options_.aborts && phase_ == Phase::kEstablished && Chance(random, 1)) {
    phase_ = Phase::kGone;
    return Make(nxt_, Chance(random, 50) ? kRst : kRst | kAck);
  }
  const int64_t oldest = std::max<int64_t>(una_, 1);
  if (nxt_ > oldest && Chance(random, 30)) {  // retransmits
    const int64_t from = Chance(random, 60) ? oldest : oldest + random() % (nxt_ - oldest);
    const auto sent = static_cast<uint32_t>(std::min(nxt_, fin_at()) - std::min(from, fin_at()));
    return DataAt(from, std::min(options_.mss, sent));
  }
  if (nxt_ == fin_at()) {
    ++nxt_;
    return DataAt(fin_at(), 0);
  }
  const int64_t room = std::min(edge_, fin_at()) - nxt_;
  if (room > 0 && nxt_ < fin_at() && Chance(random, 70)) {
    const auto length = static_cast<uint32_t>(std::min<int64_t>(room, options_.mss));
    nxt_ += length;
    return Make(nxt_ - length, kAck | kPsh, length);
  }
  if (nxt_ < fin_at() && nxt_ == edge_ && nxt_ == una_ && Chance(random, 30)) {
    ++nxt_;  // probes the closed window
    return Make(nxt_ - 1, kAck, 1);
  }
  // Keeps alive, probes as Linux does, or says what it has received.
  if (Chance(random, 20)) return Make(oldest - 1, kAck, nxt_ == una_ && Chance(random, 50) ? 1 : 0);
  return Make(nxt_, kAck);
}

inline void TcpEndpoint::TakeSyn(const TcpSegment& syn) {
  peer_isn_ = syn.sequence;
  next_ = 1;
  scales_ = syn.window_scale != kNoWindowScale && options_.scale != kNoWindowScale;
  peer_scale_ = scales_ ? syn.window_scale : 0;
  edge_ = 1 + syn.window;
  if ((syn.flags & tcp_flag::kAck) == 0 && options_.accepts_fast_open && !options_.opens) {
    next_ += std::min(syn.payload_length, options_.buffer);
  }
}

inline void TcpEndpoint::TakeAck(const TcpSegment& segment) {
  const int64_t acknowledged = AckOf(segment);
  if ((segment.flags & tcp_flag::kAck) == 0 || acknowledged > nxt_) return;
  const int scale = (segment.flags & tcp_flag::kSyn) != 0 ? 0 : peer_scale_;
  una_ = std::max(una_, acknowledged);
  edge_ = std::max(edge_, acknowledged + (int64_t{segment.window} << scale));
}

inline void TcpEndpoint::TakeData(const TcpSegment& segment) {
  const int64_t begin = SequenceOf(segment);
  const int64_t end = begin + segment.payload_length;
  const bool fin = (segment.flags & tcp_flag::kFin) != 0;
  if (begin > next_) return;  // what comes too early is to be sent again
  if (!peer_closed_) next_ = std::max(next_, std::min(end, granted()));
  if (fin && next_ == end && !peer_closed_) {
    peer_closed_ = true;
    ++next_;
  }
}

inline void TcpEndpoint::Receive(const TcpSegment& segment) {
  using namespace tcp_flag;
  const bool has_ack = (segment.flags & kAck) != 0;
  const bool is_syn = (segment.flags & kSyn) != 0;
  const bool is_reset = (segment.flags & kRst) != 0;
  bool opened_now = false;
  if (phase_ == Phase::kGone) {
    if (is_reset || !has_ack) return;
    answers_.push_back({.sequence = segment.acknowledgment, .flags = kRst});
    return;
  }
  if (phase_ == Phase::kListen || phase_ == Phase::kSynSent) {
    if (!is_syn || has_ack != (phase_ == Phase::kSynSent && has_ack)) return;
    if (has_ack && (AckOf(segment) < 1 || AckOf(segment) > nxt_)) return;
    opened_now = has_ack;
    TakeSyn(segment);
    if (opened_now) nxt_ = AckOf(segment);  // what was sent early and not taken is sent again
    phase_ = opened_now                                    ? Phase::kEstablished
             : phase_ == Phase::kListen && options_.splits ? Phase::kSplit
                                                           : Phase::kSynReceived;
    if (!opened_now) return;
  }
  if (is_reset) {
    if (SequenceOf(segment) == next_) phase_ = Phase::kGone;
    return;
  }
  if (is_syn && !opened_now && phase_ == Phase::kEstablished) {
    answers_.push_back(Make(nxt_, kAck));  // RFC 5961 4
    return;
  }
  if (has_ack && AckOf(segment) >= 1 && AckOf(segment) <= nxt_) {
    if (phase_ == Phase::kSplit || phase_ == Phase::kSynReceived) phase_ = Phase::kEstablished;
  }
  TakeAck(segment);
  if (is_syn || segment.payload_length != 0 || (segment.flags & kFin) != 0) {
    if (!is_syn && phase_ == Phase::kEstablished) TakeData(segment);
    if (phase_ == Phase::kEstablished) answers_.push_back(Make(nxt_, kAck));
  }
}

inline bool TcpEndpoint::HasUseFor(const TcpSegment& segment) const {
  using namespace tcp_flag;
  const bool has_ack = (segment.flags & kAck) != 0;
  const bool is_syn = (segment.flags & kSyn) != 0;
  switch (phase_) {
    case Phase::kGone:
      return false;
    case Phase::kListen:
      return is_syn && !has_ack;
    case Phase::kSynSent:
      return is_syn && (!has_ack || (AckOf(segment) >= 1 && AckOf(segment) <= nxt_));
    case Phase::kSplit:
    case Phase::kSynReceived:
    case Phase::kEstablished:
      break;
  }
  const int64_t begin = SequenceOf(segment);
  if ((segment.flags & kRst) != 0) return begin == next_;
  if (is_syn) return phase_ != Phase::kEstablished && has_ack;
  const int64_t end = begin + segment.payload_length + ((segment.flags & kFin) != 0 ? 1 : 0);
  const int64_t acknowledged = AckOf(segment);
  const int64_t edge = acknowledged + (int64_t{segment.window} << peer_scale_);
  const bool is_in_window = begin <= granted() && (end > next_ || begin >= next_);
  const bool is_new = end > next_ || acknowledged > una_ || edge > edge_;
  return is_in_window && acknowledged <= nxt_ && is_new;
}

}  // namespace cordon::dp::testing

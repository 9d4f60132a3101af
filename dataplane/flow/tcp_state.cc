// SPDX-License-Identifier: Apache-2.0
// TCP as seen from the middle. I: initiator, R: responder; "-" : does not fit; "=" : fits, state
// stays. A RST of either side fits in every state but None and leads to Closed.
//
//   state        I SYN       R SYN        I SYN+ACK    R SYN+ACK    I ACK/data   R ACK/data  FIN
//   None         SynSent     -            -            -            -            -           -
//   SynSent      =           SynReceived  -            SynReceived  -            -           -
//   SynReceived  =           =            Established  =            Established  -           I:
//   Closing Established  -           -            =            =            =            = Closing
//   Closing      - (1)       - (1)        =            =            = (2)        = (2)       =
//   Closed       reopens     reopens      -            -            =            =           =
//
// Notes: a SYN of the responder in SynSent is the simultaneous open of RFC 9293 3.5, whose SYN+ACK
// of the initiator then establishes. A SYN in Established changes nothing and is dropped: the
// connection survives stale and forged SYNs. The responder may not send data before the initiator
// has answered its SYN+ACK; SYNs may carry data (TCP fast open), that is the rule's matter. In
// Closed late retransmissions still pass, until the short timeout of that state.
// (1) reopens if both FINs were seen: the tuple is in TIME-WAIT, a client may reuse it (RFC 6191).
// (2) Closed if both FINs were seen: this is the acknowledgement of the last one.
#include "dataplane/flow/tcp_state.h"

#include "dataplane/packet/packet.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kBothFins = 3;

constexpr TcpTransition Misfit(TcpState state) { return {state, false, false}; }
constexpr TcpTransition Fits(TcpState next) { return {next, true, false}; }
constexpr TcpTransition Reopens() { return {TcpState::kSynSent, true, true}; }

TcpTransition OnSyn(TcpState state, FlowSide from, uint8_t fins) {
  const bool initiator = from == FlowSide::kInitiator;
  switch (state) {
    case TcpState::kNone:
      return initiator ? Fits(TcpState::kSynSent) : Misfit(state);
    case TcpState::kSynSent:
      return Fits(initiator ? TcpState::kSynSent : TcpState::kSynReceived);
    case TcpState::kSynReceived:
      return Fits(state);
    case TcpState::kEstablished:
      return Misfit(state);
    case TcpState::kClosing:
      return fins == kBothFins ? Reopens() : Misfit(state);
    case TcpState::kClosed:
      return Reopens();
  }
  return Misfit(state);
}

TcpTransition OnSynAck(TcpState state, FlowSide from) {
  const bool initiator = from == FlowSide::kInitiator;
  switch (state) {
    case TcpState::kSynSent:
      return initiator ? Misfit(state) : Fits(TcpState::kSynReceived);
    case TcpState::kSynReceived:
      return Fits(initiator ? TcpState::kEstablished : state);
    case TcpState::kEstablished:
    case TcpState::kClosing:
      return Fits(state);
    case TcpState::kNone:
    case TcpState::kClosed:
      return Misfit(state);
  }
  return Misfit(state);
}

// Segments without SYN and RST; RFC 9293 has them all carry ACK.
TcpTransition OnAck(TcpState state, FlowSide from, bool fin, uint8_t& fins) {
  switch (state) {
    case TcpState::kNone:
    case TcpState::kSynSent:
      return Misfit(state);
    case TcpState::kSynReceived:
      if (from == FlowSide::kResponder) return Misfit(state);
      break;
    case TcpState::kEstablished:
      break;
    case TcpState::kClosing:
      if (!fin && fins == kBothFins) return Fits(TcpState::kClosed);
      break;
    case TcpState::kClosed:
      return Fits(state);
  }
  if (!fin) return Fits(state == TcpState::kClosing ? state : TcpState::kEstablished);
  fins |= static_cast<uint8_t>(1u << static_cast<unsigned>(from));
  return Fits(TcpState::kClosing);
}

}  // namespace

TcpTransition NextTcpState(TcpState state, FlowSide from, uint8_t tcp_flags,
                           uint8_t& fins) noexcept {
  if ((tcp_flags & tcp_flag::kRst) != 0) {
    return state == TcpState::kNone ? Misfit(state) : Fits(TcpState::kClosed);
  }
  if ((tcp_flags & tcp_flag::kSyn) != 0) {
    const bool ack = (tcp_flags & tcp_flag::kAck) != 0;
    const TcpTransition transition = ack ? OnSynAck(state, from) : OnSyn(state, from, fins);
    if (transition.reopens) fins = 0;
    return transition;
  }
  if ((tcp_flags & tcp_flag::kAck) == 0) return Misfit(state);
  return OnAck(state, from, (tcp_flags & tcp_flag::kFin) != 0, fins);
}

}  // namespace cordon::dp

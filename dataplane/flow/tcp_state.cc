// SPDX-License-Identifier: Apache-2.0
// TCP as seen from the middle. I: initiator, R: responder; "-" : does not fit; "=" : fits, state
// stays. A RST of either side fits in every state but None and leads to Closed.
//
//   state        I SYN       R SYN        I SYN+ACK    R SYN+ACK    I ACK/data   R ACK/data  FIN
//   None         SynSent     -            -            -            -            -           -
//   SynSent      =           SynReceived  -            SynReceived  -            = (3)       -
//   SynReceived  =           =            Established  =            Established  = (5) Closing
//   Established  = (4)       -            =            =            =            = Closing Closing
//   = (1) (4)   - (1)        =            =            = (2)        = (2)       = Closed reopens
//   reopens      -            -            =            =           =
//
// Notes: a SYN of the responder in SynSent is the simultaneous open of RFC 9293 3.5, whose SYN+ACK
// of the initiator then establishes. SYNs may carry data (TCP fast open), that is the rule's
// matter. In Closed late retransmissions still pass, until the short timeout of that state.
// (1) reopens if both FINs were seen: the tuple is in TIME-WAIT, a client may reuse it (RFC 6191).
// (2) Closed if both FINs were seen: this is the acknowledgement of the last one.
// (3) Without data: the challenge ACK of a responder that still holds an older connection of this
//     tuple (RFC 5961 4). The initiator answers with a RST and may then open again.
// (4) A device that was switched off and on may use the same L4 port again. Its SYN passes and
//     changes nothing here, so the connection survives stale and forged SYNs; the responder's
//     challenge ACK makes the initiator reset the old connection, which frees the tuple.
// (5) With fast open the responder answers the data of the SYN before the initiator has answered
//     its SYN+ACK (RFC 7413 4.2.1). Only the initiator's answer establishes.
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
      return initiator ? Fits(state) : Misfit(state);
    case TcpState::kClosing:
      if (fins == kBothFins) return Reopens();
      return initiator ? Fits(state) : Misfit(state);
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
TcpTransition OnAck(TcpState state, FlowSide from, bool fin, uint32_t payload_length,
                    uint8_t& fins) {
  switch (state) {
    case TcpState::kNone:
      return Misfit(state);
    case TcpState::kSynSent: {
      const bool is_challenge = from == FlowSide::kResponder && !fin && payload_length == 0;
      return is_challenge ? Fits(state) : Misfit(state);
    }
    case TcpState::kSynReceived:
      if (from == FlowSide::kResponder && !fin) return Fits(state);
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
                           uint32_t payload_length, uint8_t& fins) noexcept {
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
  return OnAck(state, from, (tcp_flags & tcp_flag::kFin) != 0, payload_length, fins);
}

}  // namespace cordon::dp

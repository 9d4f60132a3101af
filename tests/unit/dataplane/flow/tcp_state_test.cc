// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow/tcp_state.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "dataplane/packet/packet.h"

namespace cordon::dp {
namespace {

using namespace tcp_flag;
using enum TcpState;

constexpr uint8_t kSynAck = kSyn | kAck, kFinAck = kFin | kAck, kRstAck = kRst | kAck;
constexpr FlowSide kI = FlowSide::kInitiator, kR = FlowSide::kResponder;

// A flow that segments are fed to, as the pipeline does it.
struct Connection {
  TcpState state = kNone;
  uint8_t fins = 0;
  TcpTransition last;

  // A PSH stands for data in the segment.
  Connection& Feed(FlowSide from, uint8_t flags) {
    last = NextTcpState(state, from, flags, (flags & kPsh) != 0 ? 100 : 0, fins);
    if (last.fits) state = last.next;
    return *this;
  }
  bool Fits(FlowSide from, uint8_t flags) { return Feed(from, flags).last.fits; }
};

Connection Established() { return Connection().Feed(kI, kSyn).Feed(kR, kSynAck).Feed(kI, kAck); }
Connection Closed() { return Established().Feed(kI, kFinAck).Feed(kR, kFinAck).Feed(kI, kAck); }

TEST(TcpState, FollowsHandshakeAndOrderlyClose) {
  Connection c;
  EXPECT_EQ(c.Feed(kI, kSyn).state, kSynSent);
  EXPECT_EQ(c.Feed(kR, kSynAck).state, kSynReceived);
  EXPECT_EQ(c.Feed(kI, kAck).state, kEstablished);
  EXPECT_EQ(c.Feed(kR, kAck | kPsh).state, kEstablished);
  EXPECT_EQ(c.Feed(kI, kFinAck).state, kClosing);
  EXPECT_EQ(c.Feed(kR, kAck).state, kClosing);
  EXPECT_EQ(c.Feed(kR, kFinAck).state, kClosing);
  EXPECT_EQ(c.Feed(kI, kAck).state, kClosed);
}

TEST(TcpState, OnlyTheInitiatorsSynOpens) {
  for (const uint8_t flags : {kSynAck, kAck, kFinAck, kRst, kRstAck}) {
    EXPECT_FALSE(Connection().Fits(kI, flags));
    EXPECT_FALSE(Connection().Fits(kR, flags));
  }
  EXPECT_FALSE(Connection().Fits(kR, kSyn));
  EXPECT_TRUE(Connection().Fits(kI, kSyn));
}

TEST(TcpState, ToleratesRetransmittedSynAndSynAck) {
  Connection c;
  c.Feed(kI, kSyn);
  EXPECT_TRUE(c.Fits(kI, kSyn));
  EXPECT_EQ(c.state, kSynSent);
  c.Feed(kR, kSynAck);
  EXPECT_TRUE(c.Fits(kI, kSyn));
  EXPECT_TRUE(c.Fits(kR, kSynAck));
  EXPECT_EQ(c.state, kSynReceived);
  c.Feed(kI, kAck);
  EXPECT_TRUE(c.Fits(kR, kSynAck));
  EXPECT_EQ(c.state, kEstablished);
}

TEST(TcpState, FollowsSimultaneousOpen) {
  Connection c;
  EXPECT_EQ(c.Feed(kI, kSyn).Feed(kR, kSyn).state, kSynReceived);
  EXPECT_EQ(c.Feed(kI, kSynAck).state, kEstablished);
  EXPECT_TRUE(c.Fits(kR, kSynAck));
  EXPECT_EQ(c.state, kEstablished);
}

TEST(TcpState, ResponderMaySendNothingBeforeItsSynAck) {
  Connection c;
  c.Feed(kI, kSyn);
  EXPECT_FALSE(c.Fits(kR, kAck | kPsh));
  EXPECT_FALSE(c.Fits(kR, kFinAck));
  EXPECT_EQ(c.state, kSynSent);
}

TEST(TcpState, ResponderMayAnswerDataOfTheSynAtOnce) {
  Connection c;
  c.Feed(kI, kSyn).Feed(kR, kSynAck);
  EXPECT_TRUE(c.Fits(kR, kAck | kPsh));
  EXPECT_EQ(c.state, kSynReceived) << "still half open: only the initiator's answer establishes";
  EXPECT_TRUE(c.Fits(kR, kFinAck));
  EXPECT_EQ(c.Feed(kI, kAck).state, kClosing);
}

TEST(TcpState, InitiatorMaySendNothingButSynBeforeSynAck) {
  Connection c;
  c.Feed(kI, kSyn);
  EXPECT_FALSE(c.Fits(kI, kAck));
  EXPECT_FALSE(c.Fits(kI, kFinAck));
  EXPECT_FALSE(c.Fits(kI, kSynAck));
  EXPECT_EQ(c.state, kSynSent);
}

TEST(TcpState, DataWithTheThirdSegmentEstablishes) {
  EXPECT_EQ(Connection().Feed(kI, kSyn).Feed(kR, kSynAck).Feed(kI, kAck | kPsh).state,
            kEstablished);
}

TEST(TcpState, InitiatorsFinMayCompleteTheHandshake) {
  Connection c;
  c.Feed(kI, kSyn).Feed(kR, kSynAck).Feed(kI, kFinAck);
  EXPECT_EQ(c.state, kClosing);
  EXPECT_EQ(c.fins, 1);
}

TEST(TcpState, SynOnEstablishedFlowPassesFromTheInitiatorAndChangesNothing) {
  Connection c = Established();
  EXPECT_TRUE(c.Fits(kI, kSyn));
  EXPECT_EQ(c.state, kEstablished);
  EXPECT_FALSE(c.Fits(kR, kSyn));
  EXPECT_FALSE(c.last.reopens);
  EXPECT_EQ(c.state, kEstablished);
}

TEST(TcpState, ResetOfEitherSideClosesEveryOpenState) {
  for (const FlowSide side : {kI, kR}) {
    for (const TcpState state : {kSynSent, kSynReceived, kEstablished, kClosing, kClosed}) {
      Connection c{state, 0, {}};
      EXPECT_TRUE(c.Fits(side, kRstAck));
      EXPECT_EQ(c.state, kClosed);
    }
  }
}

TEST(TcpState, HalfClosedConnectionStillCarriesData) {
  Connection c = Established().Feed(kI, kFinAck);
  EXPECT_TRUE(c.Fits(kR, kAck | kPsh));
  EXPECT_TRUE(c.Fits(kI, kAck));
  EXPECT_TRUE(c.Fits(kI, kFinAck));  // retransmitted
  EXPECT_EQ(c.state, kClosing);
  EXPECT_EQ(c.fins, 1);
}

TEST(TcpState, ClosedFlowTakesLateRetransmissions) {
  Connection c = Closed();
  EXPECT_TRUE(c.Fits(kR, kFinAck));
  EXPECT_TRUE(c.Fits(kI, kAck));
  EXPECT_FALSE(c.Fits(kR, kSynAck));
  EXPECT_EQ(c.state, kClosed);
}

TEST(TcpState, SynReopensClosedFlowFromEitherSide) {
  for (const FlowSide side : {kI, kR}) {
    Connection c = Closed();
    EXPECT_TRUE(c.Feed(side, kSyn).last.reopens);
    EXPECT_TRUE(c.last.fits);
    EXPECT_EQ(c.state, kSynSent);
    EXPECT_EQ(c.fins, 0);
  }
}

TEST(TcpState, RebootedInitiatorFreesItsTupleThroughAChallengeAck) {
  Connection known = Established();
  EXPECT_TRUE(known.Fits(kI, kSyn));
  EXPECT_TRUE(known.Fits(kR, kAck));
  EXPECT_TRUE(known.Fits(kI, kRst));
  EXPECT_TRUE(known.Feed(kI, kSyn).last.reopens);
  Connection forgotten;  // the gateway forgot the connection, the responder did not
  EXPECT_TRUE(forgotten.Fits(kI, kSyn));
  EXPECT_TRUE(forgotten.Fits(kR, kAck));
  EXPECT_EQ(forgotten.state, kSynSent);
  EXPECT_TRUE(forgotten.Fits(kI, kRst));
  EXPECT_TRUE(forgotten.Feed(kI, kSyn).last.reopens);
}

TEST(TcpState, SynReopensOnlyAfterBothFins) {
  Connection half = Established().Feed(kI, kFinAck);
  EXPECT_FALSE(half.Feed(kI, kSyn).last.reopens);
  Connection both = Established().Feed(kI, kFinAck).Feed(kR, kFinAck);
  EXPECT_TRUE(both.Feed(kI, kSyn).last.reopens);
}

TEST(TcpState, NothingEverFitsWithoutSynAckOrRst) {
  for (const TcpState state : {kNone, kSynSent, kSynReceived, kEstablished, kClosing, kClosed}) {
    Connection c{state, 0, {}};
    EXPECT_FALSE(c.Fits(kI, kPsh));
    EXPECT_FALSE(c.Fits(kR, 0));
    EXPECT_EQ(c.state, state);
  }
}

}  // namespace
}  // namespace cordon::dp

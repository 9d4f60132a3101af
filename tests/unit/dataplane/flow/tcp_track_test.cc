// SPDX-License-Identifier: Apache-2.0
// Opening, resetting and closing; windows are in tcp_window_test.cc.
#include "dataplane/flow/tcp_track.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/unit/dataplane/flow/tcp_conversation.h"

namespace cordon::dp {
namespace {

using namespace tcp_flag;
using namespace testing;
using enum TcpState;

constexpr uint8_t kSynAck = kSyn | kAck, kFinAck = kFin | kAck, kRstAck = kRst | kAck;

TEST(TcpTrack, FollowsHandshakeAndOrderlyClose) {
  // R070, R081
  Conversation c;
  EXPECT_EQ(c.state(), kSynSent);
  EXPECT_EQ(c.Pass({kR, kSynAck, 0, 1}).state(), kSynReceived);
  EXPECT_EQ(c.Pass({kI, kAck, 1, 1}).state(), kEstablished);
  EXPECT_EQ(c.Pass({kI, kAck | kPsh, 1, 1, 100}).state(), kEstablished);
  EXPECT_EQ(c.Pass({kI, kFinAck, 101, 1}).state(), kClosing);
  EXPECT_EQ(c.Pass({kR, kAck, 1, 102}).state(), kClosing);
  EXPECT_EQ(c.Pass({kR, kFinAck, 1, 102}).state(), kClosing);
  EXPECT_EQ(c.Pass({kI, kAck, 102, 2}).state(), kClosed);
}

TEST(TcpTrack, ToleratesRetransmittedSynAndSynAck) {
  Conversation c;
  EXPECT_TRUE(c.Fits({kI, kSyn, 0}));
  c.Pass({kR, kSynAck, 0, 1});
  EXPECT_TRUE(c.Fits({kI, kSyn, 0}));
  EXPECT_TRUE(c.Fits({kR, kSynAck, 0, 1}));
  EXPECT_EQ(c.Pass({kI, kAck, 1, 1}).state(), kEstablished);
  EXPECT_TRUE(c.Fits({kR, kSynAck, 0, 1})) << "the ACK was lost behind the gateway";
  EXPECT_EQ(c.state(), kEstablished);
}

TEST(TcpTrack, FollowsSimultaneousOpen) {
  // R070
  Conversation c;
  EXPECT_EQ(c.Pass({kR, kSyn, 0}).state(), kSynReceived);
  EXPECT_EQ(c.Pass({kI, kSynAck, 0, 1}).state(), kSynReceived);
  EXPECT_EQ(c.Pass({kR, kSynAck, 0, 1}).state(), kEstablished);
  EXPECT_TRUE(c.Fits({kR, kAck, 1, 1, 100}));
  EXPECT_TRUE(c.Fits({kI, kAck, 1, 101, 100}));
}

TEST(TcpTrack, FollowsSplitHandshakesOfFourAndFiveSegments) {
  // R070: the server sends SYN and ACK apart, the client answers with SYN+ACK. Who opened stays
  // who opened: the roles are the caller's, no segment changes them.
  for (const bool sends_ack_first : {false, true}) {
    Conversation c;
    if (sends_ack_first) c.Pass({kR, kAck, 0, 1});
    EXPECT_EQ(c.Pass({kR, kSyn, 0}).state(), kSynReceived);
    EXPECT_EQ(c.Pass({kI, kSynAck, 0, 1}).state(), kSynReceived);
    EXPECT_EQ(c.Pass({kR, kAck, 1, 1}).state(), kEstablished);
  }
}

TEST(TcpTrack, RefusesSynAckThatDoesNotAcknowledgeTheSyn) {
  Conversation c;
  for (const uint32_t acknowledgment : {0u, 2u, 0x80000000u}) {
    EXPECT_EQ(c.ReasonOf({kR, kSynAck, 0, acknowledgment}), Reason::kTcpWindow);
  }
  EXPECT_EQ(c.ReasonOf({kI, kSynAck, 0, 1}), Reason::kTcpState) << "nothing to answer yet";
  EXPECT_EQ(c.state(), kSynSent);
}

TEST(TcpTrack, AcceptsAnotherSynAckUntilTheInitiatorAnswers) {
  // A server whose SYN cookie changed, and whose first SYN+ACK was lost.
  Conversation c;
  c.Pass({kR, kSynAck, 0, 1});
  EXPECT_TRUE(c.Fits({kR, kSynAck, 5000, 1}));
  EXPECT_EQ(c.Pass({kI, kAck, 1, 5001}).state(), kEstablished);
  EXPECT_EQ(c.ReasonOf({kR, kSynAck, 6000, 1}), Reason::kTcpWindow);
}

TEST(TcpTrack, RefusesDataOfTheServerBeforeTheHandshake) {
  // R076
  Conversation c;
  EXPECT_EQ(c.ReasonOf({kR, kAck | kPsh, 1, 1, 100}), Reason::kTcpState);
  EXPECT_EQ(c.ReasonOf({kR, kSyn, 0, 0, 100}), Reason::kTcpState);
  EXPECT_EQ(c.ReasonOf({kR, kSynAck, 0, 1, 100}), Reason::kTcpState);
  c.Pass({kR, kSynAck, 0, 1});
  EXPECT_EQ(c.ReasonOf({kR, kAck | kPsh, 1, 1, 100}), Reason::kTcpState);
  EXPECT_EQ(c.ReasonOf({kR, kFinAck, 1, 1}), Reason::kTcpState);
  c.Pass({kI, kAck, 1, 1});
  EXPECT_TRUE(c.Fits({kR, kAck | kPsh, 1, 1, 100}));
}

TEST(TcpTrack, RefusesDataOfTheInitiatorBeforeTheServerAnswers) {
  Conversation c;
  EXPECT_EQ(c.ReasonOf({kI, kAck | kPsh, 1, 1, 100}), Reason::kTcpState);
  EXPECT_EQ(c.ReasonOf({kI, kFinAck, 1, 1}), Reason::kTcpState);
  c.Pass({kR, kSynAck, 0, 1});
  EXPECT_EQ(c.ReasonOf({kI, kAck, 1, 0}), Reason::kTcpWindow) << "does not answer the SYN+ACK";
  EXPECT_EQ(c.Pass({kI, kAck | kPsh, 1, 1, 100}).state(), kEstablished);
}

TEST(TcpTrack, FollowsFastOpenWithDataOnSynAndSynAck) {
  // R077
  Conversation c(kNoWindowScale, 1000, 300);
  EXPECT_TRUE(c.Fits({kR, kSynAck, 0, 301, 200}));
  EXPECT_TRUE(c.Fits({kR, kSynAck, 0, 301, 200})) << "sent again";
  EXPECT_TRUE(c.Fits({kR, kAck | kPsh, 201, 301, 500})) << "answers before the handshake is over";
  EXPECT_EQ(c.ReasonOf({kR, kAck | kPsh, 701, 301, 500}), Reason::kTcpWindow);
  EXPECT_EQ(c.Pass({kI, kAck, 301, 701}).state(), kEstablished);
}

TEST(TcpTrack, FallsBackWhenTheServerRefusesFastOpen) {
  // R077
  Conversation c(kNoWindowScale, 1000, 300);
  EXPECT_TRUE(c.Fits({kI, kSyn, 0})) << "again, without the data";
  EXPECT_EQ(c.Pass({kR, kSynAck, 0, 1}).state(), kSynReceived);
  EXPECT_EQ(c.ReasonOf({kR, kAck | kPsh, 1, 1, 100}), Reason::kTcpState);
  EXPECT_EQ(c.Pass({kI, kAck | kPsh, 1, 1, 300}).state(), kEstablished);
}

TEST(TcpTrack, RefusedFastOpenMayHaveSentMoreThanTheWindow) {
  // R077
  Conversation c(kNoWindowScale, 1000, 1400);
  c.Pass({kR, kSynAck, 0, 1, 0, 200});
  EXPECT_TRUE(c.Fits({kI, kAck | kPsh, 1, 1, 200}));
  EXPECT_TRUE(c.Pass({kR, kAck, 1, 201, 0, 200}).Fits({kI, kAck | kPsh, 201, 1, 200}));
}

TEST(TcpTrack, KeepsTheScaleOfASynThatIsSentAgainWithoutOptions) {
  Conversation c(7, 1000);
  c.Pass({.from = kI, .flags = kSyn, .sequence = 0}).Pass({kR, kSynAck, 0, 1, 0, 1000, 7});
  c.Pass({kI, kAck, 1, 1, 0, 1000});
  EXPECT_TRUE(c.Fits({kR, kAck, 1, 1, 100'000}));
}

TEST(TcpTrack, ResetOfTheServerMustAcknowledgeTheSyn) {
  // R073, RFC 9293 3.10.7.3
  Conversation c;
  EXPECT_EQ(c.ReasonOf({kR, kRst, 0}), Reason::kTcpReset);
  EXPECT_EQ(c.ReasonOf({kR, kRstAck, 0, 0}), Reason::kTcpReset);
  EXPECT_EQ(c.ReasonOf({kR, kRstAck, 0, 2}), Reason::kTcpReset);
  TcpSegment without_ack = Segment{kR, kRstAck, 0, 1}.Raw();
  without_ack.flags = kRst;
  TcpTrack track = c.track();
  EXPECT_EQ(Track(track, kR, without_ack).reason, Reason::kTcpReset);
  EXPECT_EQ(c.state(), kSynSent);
  EXPECT_EQ(c.Pass({kR, kRstAck, 0u - kIsn[1], 1}).state(), kClosed);
}

TEST(TcpTrack, ResetWithAcknowledgmentZeroIsNoWayAround) {
  // R073: some filters take a RST+ACK that acknowledges nothing for that of an old stack.
  const uint32_t zero = 0u - kIsn[0];
  Conversation opening;
  EXPECT_EQ(opening.ReasonOf({kR, kRstAck, 1, zero}), Reason::kTcpReset);
  Conversation running = Established();
  running.Pass({kI, kAck, 1, 1, 500}).Pass({kI, kAck, 501, 1, 500}).Pass({kR, kAck, 1, 1001});
  running.Pass({kI, kAck, 1001, 1, 1000}).Pass({kR, kAck, 1, 2001}).Pass({kI, kAck, 2001, 1, 999});
  running.Pass({kR, kAck, 1, 3000});
  EXPECT_EQ(running.ReasonOf({kR, kRstAck, 1, zero}), Reason::kTcpReset);
  EXPECT_EQ(running.state(), kEstablished);
}

TEST(TcpTrack, ResetClosesOnlyAtTheExactNumber) {
  // R073, RFC 5961 3
  Conversation c = Established();
  c.Pass({kI, kAck, 1, 1, 300}).Pass({kR, kAck, 1, 101});  // 200 bytes are under way
  for (const uint32_t sequence : {0u, 100u, 102u, 300u, 302u, 600u, 1101u, 0x80000000u}) {
    EXPECT_EQ(c.ReasonOf({kI, kRst, sequence}), Reason::kTcpReset) << sequence;
    EXPECT_EQ(c.ReasonOf({kI, kRstAck, sequence, 1}), Reason::kTcpReset) << sequence;
  }
  EXPECT_EQ(c.state(), kEstablished);
  EXPECT_EQ(Conversation(c).Pass({kI, kRst, 301}).state(), kClosed) << "behind all it has sent";
  EXPECT_EQ(Conversation(c).Pass({kI, kRst, 101}).state(), kClosed) << "as last acknowledged";
}

TEST(TcpTrack, ResetThatAcknowledgesWhatWasNotSentIsRefused) {
  // R073
  Conversation c = Established();
  EXPECT_EQ(c.ReasonOf({kI, kRstAck, 1, 2}), Reason::kTcpReset);
  EXPECT_EQ(c.Pass({kI, kRstAck, 1, 1}).state(), kClosed);
}

TEST(TcpTrack, SynScanIsFollowedToItsEnd) {
  Conversation c;
  EXPECT_EQ(c.Pass({kR, kSynAck, 0, 1}).Pass({kI, kRst, 1}).state(), kClosed);
  EXPECT_TRUE(c.Fits({kR, kSynAck, 0, 1})) << "the RST was lost: the server asks again";
  EXPECT_TRUE(c.Fits({kI, kRst, 1}));
  EXPECT_EQ(c.ReasonOf({kR, kSynAck, 1, 1}), Reason::kTcpState);
}

TEST(TcpTrack, SynOnAnEstablishedConnectionChangesNothing) {
  // R074
  Conversation c = Established();
  const TcpTrack before = c.track();
  EXPECT_TRUE(c.Fits({kI, kSyn, 0x40000000}));
  EXPECT_EQ(std::memcmp(&before, &c.track(), sizeof(before)), 0);
  EXPECT_EQ(c.ReasonOf({kI, kSyn, 500}), Reason::kTcpWindow) << "would reset an older stack";
  EXPECT_EQ(c.ReasonOf({kR, kSyn, 0x40000000}), Reason::kTcpState);
  EXPECT_EQ(c.ReasonOf({kR, kSynAck, 500, 1}), Reason::kTcpWindow);
  EXPECT_TRUE(c.Fits({kR, kAck | kPsh, 1, 1, 100}));
}

TEST(TcpTrack, RestartedDeviceGetsThroughByTheChallengeAck) {
  // R074, R075, RFC 5961 4: the peer still holds the connection of before.
  Conversation c = Established();
  c.Pass({kI, kAck | kPsh, 1, 1, 100}).Pass({kR, kAck, 1, 101});
  EXPECT_TRUE(c.Fits({kI, kSyn, 0x40000000}));
  EXPECT_TRUE(c.Fits({kR, kAck, 1, 101})) << "the challenge";
  EXPECT_EQ(c.Pass({kI, kRst, 101}).state(), kClosed);
  EXPECT_TRUE(c.Feed({kI, kSyn, 0x40000000}).reopens);
}

TEST(TcpTrack, ChallengePassesAlsoWhenTheGatewayForgotTheOldConnection) {
  // R075
  Conversation c;
  EXPECT_EQ(c.ReasonOf({kI, kRst, 0x30000000}), Reason::kTcpReset) << "nobody has asked";
  EXPECT_TRUE(c.Fits({kR, kAck, 0x20000000, 0x30000000}));
  EXPECT_EQ(c.Pass({kI, kRst, 0x30000000}).state(), kSynSent) << "goes on opening";
  EXPECT_EQ(c.Pass({kI, kSyn, 0}).Pass({kR, kSynAck, 0, 1}).state(), kSynReceived);
}

TEST(TcpTrack, TupleReopensAfterCloseAndAfterReset) {
  // R075
  EXPECT_TRUE(Closed().Feed({kI, kSyn, 0x10000}).reopens);
  EXPECT_TRUE(Closed().Feed({kR, kSyn, 0x10000}).reopens) << "decided as a flow of its own";
  EXPECT_TRUE(Established().Pass({kR, kRst, 1}).Feed({kI, kSyn, 0x10000}).reopens);
  Conversation time_wait = Established().Pass({kI, kFinAck, 1, 1}).Pass({kR, kFinAck, 1, 2});
  EXPECT_TRUE(time_wait.Feed({kI, kSyn, 0x10000}).reopens) << "the last ACK may be lost";
  EXPECT_FALSE(Established().Pass({kI, kFinAck, 1, 1}).Feed({kI, kSyn, 0x10000}).reopens);
}

TEST(TcpTrack, LatestSynOfTheInitiatorCounts) {
  // R075: it gave up and tries again from the same L4 port.
  Conversation c(7, 1000);
  c.Pass({kI, kSyn, 5'000});
  EXPECT_EQ(c.ReasonOf({kR, kSynAck, 0, 1}), Reason::kTcpWindow);
  c.Pass({kR, kSynAck, 0, 5'001, 0, 1000, 7}).Pass({kI, kAck, 5'001, 1});
  EXPECT_EQ(c.state(), kEstablished);
  EXPECT_EQ(c.ReasonOf({kR, kAck | kPsh, 1, 5'001, 2'000}), Reason::kTcpWindow) << "no scale now";
}

TEST(TcpTrack, ServerCannotChangeItsNumberOnceTheInitiatorHasAcknowledgedIt) {
  // R070
  Conversation c;
  c.Pass({kR, kSyn, 0}).Pass({kI, kSynAck, 0, 1});
  EXPECT_EQ(c.ReasonOf({kR, kSynAck, 9'000, 1}), Reason::kTcpWindow);
  EXPECT_EQ(c.Pass({kR, kSynAck, 0, 1}).state(), kEstablished);
}

TEST(TcpTrack, StraySynAckOpensNothing) {
  // R075
  Conversation c = Closed();
  EXPECT_EQ(c.ReasonOf({kR, kSynAck, 0, 1}), Reason::kTcpState);
  EXPECT_EQ(c.state(), kClosed);
}

TEST(TcpTrack, HalfClosedConnectionGoesOnInTheOtherDirection) {
  Conversation c = Established();
  c.Pass({kI, kFinAck, 1, 1});
  for (uint32_t sequence = 1; sequence < 5000; sequence += 500) {
    EXPECT_TRUE(c.Fits({kR, kAck | kPsh, sequence, 2, 500}));
    EXPECT_TRUE(c.Fits({kI, kAck, 2, sequence + 500}));
  }
  EXPECT_EQ(c.state(), kClosing);
  EXPECT_EQ(c.ReasonOf({kI, kAck | kPsh, 2, 5001, 10}), Reason::kTcpWindow) << "it said FIN";
}

TEST(TcpTrack, RetransmittedFinsAndLastAcksFindTheirWay) {
  Conversation c = Established();
  c.Pass({kI, kFinAck, 1, 1}).Pass({kI, kFinAck, 1, 1}).Pass({kR, kFinAck, 1, 2});
  EXPECT_EQ(c.Pass({kR, kFinAck, 1, 2}).state(), kClosing);
  EXPECT_EQ(c.Pass({kI, kAck, 2, 2}).state(), kClosed);
  EXPECT_EQ(c.Pass({kR, kFinAck, 1, 2}).Pass({kI, kAck, 2, 2}).state(), kClosed);
}

TEST(TcpTrack, CloseIsCompleteOnlyWhenBothFinsAreAcknowledged) {
  // R081
  Conversation c = Established();
  c.Pass({kI, kFinAck, 1, 1}).Pass({kR, kAck | kPsh, 1, 2, 200}).Pass({kR, kFinAck, 201, 2});
  EXPECT_EQ(c.Pass({kI, kAck, 2, 201}).state(), kClosing) << "the FIN itself is still under way";
  EXPECT_EQ(c.Pass({kI, kAck, 2, 202}).state(), kClosed);
}

TEST(TcpTrack, SegmentsWithoutAckFitNowhere) {
  for (const uint8_t flags : {uint8_t{0}, kFin, kPsh, uint8_t{kFin | kPsh | kUrg}}) {
    EXPECT_EQ(Conversation().ReasonOf({kI, flags, 1}), Reason::kTcpState);
    EXPECT_EQ(Established().ReasonOf({kI, flags, 1}), Reason::kTcpState);
    EXPECT_EQ(Established().ReasonOf({kR, flags, 1}), Reason::kTcpState);
  }
}

TEST(TcpTrack, NothingFitsAFlowThatIsNotTcp) {
  Conversation c{TcpTrack()};
  for (const uint8_t flags : {kSyn, kSynAck, kAck, kFinAck, kRst}) {
    EXPECT_EQ(c.ReasonOf({kI, flags}), Reason::kTcpState);
  }
}

}  // namespace
}  // namespace cordon::dp

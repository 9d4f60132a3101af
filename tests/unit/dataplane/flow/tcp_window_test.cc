// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/unit/dataplane/flow/tcp_conversation.h"

namespace cordon::dp {
namespace {

using namespace tcp_flag;
using namespace testing;
using enum TcpState;

constexpr uint8_t kSynAck = kSyn | kAck, kFinAck = kFin | kAck, kData = kAck | kPsh;

bool Equal(const TcpTrack& a, const TcpTrack& b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

Conversation EstablishedWithScales(uint8_t initiator, uint8_t responder, uint16_t window) {
  return Conversation(initiator, window)
      .Pass({kR, kSynAck, 0, 1, 0, window, responder})
      .Pass({kI, kAck, 1, 1, 0, window});
}

TEST(TcpWindow, DataPassesUpToTheWindowAndNotBehindIt) {
  // R072
  Conversation c = Established();
  const TcpTrack before = c.track();
  EXPECT_EQ(c.ReasonOf({kI, kData, 1, 1, 1002}), Reason::kTcpWindow);
  EXPECT_EQ(c.ReasonOf({kI, kData, 1003, 1, 0}), Reason::kTcpWindow);
  EXPECT_EQ(c.ReasonOf({kI, kData, 0x80000001, 1, 10}), Reason::kTcpWindow);
  EXPECT_TRUE(Equal(before, c.track())) << "a refused segment changes nothing";
  EXPECT_TRUE(c.Fits({kI, kData, 1, 1, 1000}));
}

TEST(TcpWindow, DataOlderThanAWindowIsRefused) {
  // R072
  Conversation c = Established();
  for (uint32_t sent = 1; sent < 10'000; sent += 500) {
    c.Pass({kI, kData, sent, 1, 500}).Pass({kR, kAck, 1, sent + 500});
  }
  EXPECT_TRUE(c.Fits({kI, kData, 10'001 - 1000, 1, 500})) << "retransmitted";
  EXPECT_EQ(c.ReasonOf({kI, kData, 10'001 - 1530, 1, 500}), Reason::kTcpWindow);
}

TEST(TcpWindow, AcknowledgmentOfWhatWasNotSentIsRefused) {
  // R072
  Conversation c = Established();
  EXPECT_EQ(c.ReasonOf({kR, kAck, 1, 2}), Reason::kTcpWindow);
  c.Pass({kI, kData, 1, 1, 100});
  EXPECT_EQ(c.ReasonOf({kR, kData, 1, 102, 50}), Reason::kTcpWindow);
  EXPECT_TRUE(c.Fits({kR, kData, 1, 101, 50}));
}

TEST(TcpWindow, AcknowledgmentFarInThePastIsRefused) {
  // R072, RFC 5961 5
  Conversation c = Established();
  for (uint32_t sent = 1; sent < 10'000; sent += 500) {
    c.Pass({kI, kData, sent, 1, 500}).Pass({kR, kAck, 1, sent + 500});
  }
  EXPECT_TRUE(c.Fits({kR, kData, 1, 9'001, 10})) << "a late one";
  EXPECT_EQ(c.ReasonOf({kR, kData, 11, 7'901, 10}), Reason::kTcpWindow);
}

TEST(TcpWindow, ScaleOfBothSynsIsHonoured) {
  // R072, RFC 7323 2
  Conversation c = EstablishedWithScales(2, 7, 1000);
  EXPECT_FALSE(Conversation(c).Fits({kI, kData, 1, 1, 1100})) << "that of the SYN is not scaled";
  c.Pass({kR, kAck, 1, 1, 0, 1000});
  EXPECT_FALSE(Conversation(c).Fits({kI, kData, 1, 1, 128'002}));
  EXPECT_TRUE(Conversation(c).Fits({kI, kData, 1, 1, 128'000}));
  EXPECT_TRUE(Conversation(c).Fits({kR, kData, 1, 1, 4'000})) << "2 of the other";
  EXPECT_FALSE(Conversation(c).Fits({kR, kData, 1, 1, 4'002}));
}

TEST(TcpWindow, ScaleCountsOnlyIfBothSynsHaveIt) {
  // R072, RFC 7323 2.2
  for (const auto& [initiator, responder] : {std::pair<uint8_t, uint8_t>{7, kNoWindowScale},
                                             std::pair<uint8_t, uint8_t>{kNoWindowScale, 7}}) {
    Conversation c = EstablishedWithScales(initiator, responder, 1000);
    c.Pass({kR, kAck, 1, 1, 0, 1000});
    EXPECT_FALSE(c.Fits({kI, kData, 1, 1, 1'002}));
    EXPECT_FALSE(c.Fits({kR, kData, 1, 1, 1'002}));
  }
}

TEST(TcpWindow, ScaleAboveFourteenIsTakenAsFourteen) {
  // RFC 7323 2.3
  Conversation c = EstablishedWithScales(200, 15, 1);
  c.Pass({kR, kAck, 1, 1, 0, 1});
  EXPECT_TRUE(Conversation(c).Fits({kI, kData, 1, 1, 1u << 14}));
  EXPECT_FALSE(Conversation(c).Fits({kI, kData, 1, 1, (1u << 14) + 2}));
}

TEST(TcpWindow, ClosedWindowLetsProbesThrough) {
  // RFC 9293 3.8.6.1: one byte of new data, or (Linux) the byte before the window.
  Conversation c = Established();
  c.Pass({kI, kData, 1, 1, 1000}).Pass({kR, kAck, 1, 1001, 0, 0});
  EXPECT_TRUE(c.Fits({kI, kAck, 1000, 1, 0}));
  EXPECT_TRUE(c.Fits({kI, kData, 1001, 1, 1}));
  EXPECT_FALSE(c.Fits({kI, kData, 1001, 1, 2}));
  EXPECT_TRUE(c.Fits({kR, kAck, 1, 1001, 0, 0}));
  EXPECT_TRUE(c.Fits({kI, kFinAck, 1002, 1, 0})) << "a FIN needs no window";
}

TEST(TcpWindow, WindowOpensAgain) {
  Conversation c = Established();
  c.Pass({kI, kData, 1, 1, 1000}).Pass({kR, kAck, 1, 1001, 0, 0});
  EXPECT_FALSE(c.Fits({kI, kData, 1001, 1, 500}));
  EXPECT_TRUE(c.Pass({kR, kAck, 1, 1001, 0, 500}).Fits({kI, kData, 1001, 1, 500}));
}

TEST(TcpWindow, ShrunkWindowDoesNotCutOffDataUnderWay) {
  // RFC 9293 3.8.6: a sender must be prepared for it, data sent before is still legal.
  Conversation c = Established();
  c.Pass({kR, kAck, 1, 1, 0, 300});
  EXPECT_TRUE(c.Fits({kI, kData, 1, 1, 1000}));
}

TEST(TcpWindow, KeepAlivesPassWithNoneOrOneByte) {
  // RFC 9293 3.8.4
  Conversation c = Established();
  c.Pass({kI, kData, 1, 1, 100}).Pass({kR, kAck, 1, 101});
  EXPECT_TRUE(c.Fits({kI, kAck, 100, 1, 0}));
  EXPECT_TRUE(c.Fits({kI, kAck, 100, 1, 1}));
  EXPECT_TRUE(c.Fits({kR, kAck, 0, 101, 1}));
  EXPECT_EQ(c.state(), kEstablished);
}

TEST(TcpWindow, ConnectionSurvivesTheWrapAroundOfItsNumbers) {
  // R072
  Conversation c = Established();
  for (uint32_t sent = 1; sent < 3'000; sent += 7) {
    ASSERT_TRUE(c.Fits({kI, kData, sent, sent, 7})) << sent;
    ASSERT_TRUE(c.Fits({kR, kData, sent, sent + 7, 7})) << sent;
  }
  EXPECT_EQ(c.ReasonOf({kI, kRst, 0x80000000}), Reason::kTcpReset);
}

TEST(TcpWindow, TimeStampsDecideNothing) {
  // R079: the tracker is not even told of them. A retransmission, whose stamp is older or newer
  // than its neighbours', fits like the first.
  Conversation c = Established();
  c.Pass({kI, kData, 1, 1, 500}).Pass({kI, kData, 501, 1, 500});
  EXPECT_TRUE(c.Fits({kI, kData, 1, 1, 500}));
  EXPECT_TRUE(c.Fits({kI, kData, 501, 1, 500}));
}

TEST(TcpWindow, SegmentInFragmentsMayReachAsFarAsTheWindow) {
  Conversation c = Established();
  TcpTrack track = c.track();
  TcpSegment first = Segment{kI, kData, 1, 1, 512}.Raw();
  first.is_partial = true;
  EXPECT_FALSE(TrackEstablished(track, kI, first));
  EXPECT_TRUE(Track(track, kI, first).fits());
  EXPECT_TRUE(Track(track, kR, Segment{kR, kAck, 1, 1001}.Raw()).fits());
  EXPECT_FALSE(Track(track, kR, Segment{kR, kAck, 1, 1002}.Raw()).fits());
}

TEST(TcpAdopt, TakesUpAConnectionFromEitherSide) {
  // R071: whether it may is for the policy to say.
  for (const FlowSide from : {kI, kR}) {
    const FlowSide to = OtherSide(from);
    Conversation c(AdoptTrack(from, Segment{from, kData, 50'000, 70'000, 100}.Raw()));
    EXPECT_EQ(c.state(), kEstablished);
    EXPECT_TRUE(c.Fits({to, kData, 70'000, 50'100, 1'000}));
    EXPECT_TRUE(c.Fits({from, kData, 50'100, 71'000, 60'000})) << "scale unknown: any will do";
    EXPECT_TRUE(c.Fits({to, kAck, 71'000, 60'100}));
    EXPECT_EQ(c.ReasonOf({to, kData, 0x90000000, 60'100, 1}), Reason::kTcpWindow);
  }
}

TEST(TcpAdopt, ToleratesAcknowledgmentsOfWhatWasSentBefore) {
  // The first segment seen is a retransmission; others had been sent behind it.
  Conversation c(AdoptTrack(kI, Segment{kI, kData, 1'000, 1, 500}.Raw()));
  EXPECT_TRUE(c.Fits({kR, kAck, 1, 1'500}));
  EXPECT_TRUE(c.Fits({kR, kAck, 1, 9'000}));
  EXPECT_TRUE(c.Fits({kI, kData, 9'000, 1, 500}));
}

TEST(TcpAdopt, LearnsWhatWasAcknowledgedFromTheOtherEnd) {
  // R073: segments before the first one seen were lost, and the sender is gone meanwhile.
  Conversation c(AdoptTrack(kI, Segment{kI, kData, 1'000, 1, 500}.Raw()));
  EXPECT_TRUE(c.Fits({kR, kAck, 1, 400}));
  EXPECT_EQ(c.ReasonOf({kI, kRst, 401}), Reason::kTcpReset);
  EXPECT_EQ(c.Pass({kI, kRst, 400}).state(), kClosed);
}

TEST(TcpAdopt, ResetsStayExact) {
  // R073
  Conversation c(AdoptTrack(kI, Segment{kI, kData, 1'000, 1, 500}.Raw()));
  EXPECT_EQ(c.ReasonOf({kI, kRst, 1'501}), Reason::kTcpReset);
  EXPECT_EQ(c.ReasonOf({kR, kRst, 2}), Reason::kTcpReset);
  EXPECT_EQ(Conversation(c).Pass({kR, kRst, 1}).state(), kClosed);
  EXPECT_EQ(Conversation(c).Pass({kI, kRst, 1'500}).state(), kClosed);
}

TEST(TcpAdopt, OnlySegmentsThatAcknowledgeCanBeTakenUp) {
  // R071
  for (const uint8_t flags : {uint8_t{0}, kSyn, kFin, kRst, uint8_t{kRst | kAck}}) {
    EXPECT_FALSE(CanAdopt(Segment{kI, flags}.Raw()));
  }
  for (const uint8_t flags : {kAck, kData, kFinAck, kSynAck}) {
    EXPECT_TRUE(CanAdopt(Segment{kI, flags}.Raw()));
  }
}

TEST(TcpAdopt, SynAckOfAWatchedConnectionLeadsToItsHandshake) {
  Conversation c(AdoptTrack(kR, Segment{kR, kSynAck, 0, 1}.Raw()));
  EXPECT_TRUE(c.Fits({kR, kSynAck, 0, 1}));
  EXPECT_TRUE(c.Fits({kI, kAck, 1, 1}));
  EXPECT_TRUE(c.Fits({kR, kData, 1, 1, 500}));
}

// A segment near what the track expects, most often a legal one.
TcpSegment NearbySegment(std::mt19937& random, const TcpTrack& track, FlowSide from) {
  const auto any = [&random](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  const auto jitter = [&] { return any(4) == 0 ? any(7) - 3 : 0; };
  const TcpTrack::Side& own = track.At(from);
  const TcpTrack::Side& other = track.At(OtherSide(from));
  const uint32_t sequences[] = {own.end, own.end, own.acked, own.max_end, own.max_end + 1};
  const uint32_t acknowledgments[] = {other.end, other.acked, other.max_end};
  const uint8_t flags[] = {kAck, kData, kAck, kData, kFinAck, kRst, kSyn, kSynAck, 0};
  return {.sequence = sequences[any(5)] + jitter(),
          .acknowledgment = acknowledgments[any(3)] + jitter(),
          .payload_length = any(3) == 0 ? (own.max_end - own.end + jitter()) & 0xffff : any(100),
          .window = static_cast<uint16_t>(any(3) == 0 ? any(4) : any(3000)),
          .flags = flags[any(any(4) == 0 ? 9 : 4)],
          .is_partial = any(20) == 0};
}

TEST(TrackEstablished, AgreesWithTrackWhereverItSaysYes) {
  // R072
  std::mt19937 random(7);
  size_t fast = 0;
  for (int run = 0; run < 2'000; ++run) {
    TcpTrack track = EstablishedWithScales(run % 4, run % 3 == 0 ? kNoWindowScale : 3, 900).track();
    if (run % 5 == 0) track = AdoptTrack(kI, Segment{kI, kData, 1, 1, 100}.Raw());
    for (int i = 0; i < 100; ++i) {
      const FlowSide from = random() % 2 == 0 ? kI : kR;
      const TcpSegment segment = NearbySegment(random, track, from);
      TcpTrack quick = track;
      const bool passed = TrackEstablished(quick, from, segment);
      const TcpTrack before = track;
      const bool fits = Track(track, from, segment).fits();
      fast += passed;
      ASSERT_TRUE(!passed || (fits && Equal(quick, track)));
      ASSERT_TRUE(passed || Equal(quick, before)) << "no means that nothing was done";
      ASSERT_TRUE(fits || Equal(track, before)) << "a refused segment changes nothing";
    }
  }
  EXPECT_GT(fast, 10'000u);
}

}  // namespace
}  // namespace cordon::dp

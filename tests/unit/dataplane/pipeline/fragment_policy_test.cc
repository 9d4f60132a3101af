// SPDX-License-Identifier: Apache-2.0
// Pieces of datagrams under modes and changing policies, and however they fall into bursts.
#include <random>

#include "tests/unit/dataplane/pipeline/fragment_fixture.h"

namespace cordon::dp::testing {
namespace {

std::vector<Bytes> Message(FrameBuilder frame = Out()) {
  return frame.Udp(5000).PayloadSize(150).BuildFragments(64);
}

TEST_F(FragmentTest, WhatIsLeftOfADatagramPassesUnderANewPolicyThatAllowsIt) {
  // R030
  const std::vector<Bytes> message = Message();
  Send(message[0]);
  gateway_.Enforce(FragmentPolicy().Generation(2));
  const size_t n = Send(message[1]);
  EXPECT_TRUE(Forwards(n));
}

TEST_F(FragmentTest, WhatIsLeftOfADatagramEndsWithItsRule) {
  // R030: what was judged under an older policy does not pass under it.
  const std::vector<Bytes> message = Message();
  Send(message[0]);
  gateway_.Enforce(FragmentPolicy(Mode::kEnforce, 6000).Generation(2));
  const size_t n = Send({message[1], message[2]});
  EXPECT_TRUE(Drops(n, Reason::kFlowRevoked));
  EXPECT_TRUE(Drops(n + 1, Reason::kFlowRevoked));
}

TEST_F(FragmentTest, WhatIsHeldIsJudgedUnderThePolicyOfItsFirstPiece) {
  // R030
  const std::vector<Bytes> message = Message();
  const size_t n = Send(message[1]);
  gateway_.Enforce(FragmentPolicy(Mode::kEnforce, 6000).Generation(2));
  Send(message[0]);
  EXPECT_TRUE(Drops(n, Reason::kFragmentRefused));
}

TEST_F(FragmentTest, AnAuditedFirstPieceMakesAuditedPieces) {
  // R030
  gateway_.Enforce(FragmentPolicy(Mode::kAudit).Generation(2));
  const size_t n = Send(Out().Udp(9999).PayloadSize(150).BuildFragments(64));
  for (const size_t frame : {n, n + 1, n + 2}) {
    EXPECT_TRUE(Is(frame, Verdict::kAudit, Reason::kNoRule));
  }
}

TEST_F(FragmentTest, NothingOfAnObservedDeviceIsHeldOrDropped) {
  // R030, R031
  gateway_.Enforce(FragmentPolicy(Mode::kObserve).Generation(2));
  const std::vector<Bytes> message = Message();
  const Bytes forged = Out().Protocol(protocol::kUdp).PayloadSize(64).NextFragment(72).Build();
  const size_t n = Send({message[2], message[0], message[1], message[1], forged, message[1]});
  for (size_t frame = n; frame < n + 6; ++frame) {
    EXPECT_EQ(final_[frame]->verdict, Verdict::kForward) << frame;
  }
}

TEST_F(FragmentTest, AnAuditedDeviceIsToldWhatEnforcementWouldHold) {
  // R030
  gateway_.Enforce(FragmentPolicy(Mode::kAudit).Generation(2));
  const std::vector<Bytes> message = Message();
  const size_t n = Send({message[2], message[0]});
  EXPECT_TRUE(Is(n, Verdict::kAudit, Reason::kFragmentNotFirst));
  EXPECT_TRUE(Forwards(n + 1));
}

TEST_F(FragmentTest, WithoutAPolicyNothingIsHeld) {
  // R030
  TestGateway empty;
  EXPECT_EQ(empty.Send(Side::kDevice, Message()[1]).reason, Reason::kNoPolicy);
  EXPECT_EQ(empty.burst().held, 0u);
}

TEST_F(FragmentTest, PiecesCountForTheFlowOfTheFirst) {
  Send(Message());
  gateway_.Advance(3600 * kSecond);
  gateway_.Send(Side::kDevice, Bytes{});
  for (const FlowEvent& event : gateway_.Events()) {
    if (event.kind != EventKind::kEnded) continue;
    EXPECT_EQ(event.frames[0], 3u);
    return;
  }
  FAIL() << "the flow did not end";
}

// Frames of a few devices, many of them pieces that fit, overlap or lack something.
std::vector<Bytes> RandomFrames(std::mt19937& random, size_t count) {
  const auto below = [&](uint32_t n) { return random() % n; };
  std::vector<Bytes> frames;
  while (frames.size() < count) {
    FrameBuilder base = below(2) != 0 ? Out() : below(2) != 0 ? Out(kCt) : OutV6();
    base.Identification(below(3)).Udp(below(8) != 0 ? 5000 : 9999);
    const auto offset = static_cast<uint16_t>(8 * below(12));
    const size_t size = 8 + 8 * below(4);
    FrameBuilder piece = FrameBuilder(base).Protocol(protocol::kUdp).PayloadSize(size);
    switch (below(6)) {
      case 0:
        frames.push_back(base.PayloadSize(below(20)).Build());
        break;
      case 1:
        frames.push_back(base.PayloadSize(8 * below(3)).FirstFragment().Build());
        break;
      case 2:
        frames.push_back(piece.LastFragment(offset).Build());
        break;
      default:
        frames.push_back(piece.NextFragment(offset).Build());
    }
  }
  return frames;
}

class FragmentBurstTest : public FragmentTest, public ::testing::WithParamInterface<uint32_t> {
 protected:
  FragmentBurstTest()
      : FragmentTest({.datagrams = 8, .datagrams_per_holder = 4, .held = 8, .held_per_holder = 4}) {
  }
};

TEST_P(FragmentBurstTest, TheAnswerDoesNotDependOnHowFramesFallIntoBursts) {
  // R044
  std::mt19937 random(GetParam());
  const std::vector<Bytes> frames = RandomFrames(random, 2000);
  for (const Bytes& frame : frames) Send(frame);
  const auto singly = std::exchange(final_, {});
  waiting_.clear();
  gateway_.Advance(2 * kFragmentTimeout);
  gateway_.Send(Side::kDevice, Bytes{});
  for (size_t at = 0; at < frames.size();) {
    const size_t end = std::min(frames.size(), at + 1 + random() % kMaxBurst);
    Send(std::vector<Bytes>(frames.begin() + static_cast<ptrdiff_t>(at),
                            frames.begin() + static_cast<ptrdiff_t>(end)));
    at = end;
  }
  for (size_t i = 0; i < frames.size(); ++i) {
    ASSERT_EQ(singly[i].has_value(), final_[i].has_value()) << i;
    if (!singly[i]) continue;
    ASSERT_TRUE(Is(i, singly[i]->verdict, singly[i]->reason)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FragmentBurstTest, ::testing::Range(0u, 8u));

}  // namespace
}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replay/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/packet_builder.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp {
namespace {

using testing::Allow;
using testing::Bytes;
using ::testing::ElementsAre;
using testing::FrameBuilder;
using testing::Policy;
using testing::Station;

constexpr uint64_t kSecond = 1'000'000'000, kStart = 1'700'000'000 * kSecond;
const Station kPump = {testing::Mac("02:00:00:00:00:21"), testing::Ip("10.0.0.21"), {}};

// A pump that may open tcp 2575 and udp 53 to 10.0.0.9; replays what is added and keeps the
// results.
class ReplayTest : public ::testing::Test {
 protected:
  void Begin(ReplayOptions options = {}) {
    const PolicySpec policy =
        Policy()
            .Rules({Allow(Initiator::kDevice, RuleProtocol::kTcp, "10.0.0.9").PeerPort(2575),
                    Allow(Initiator::kDevice, RuleProtocol::kUdp, "10.0.0.9").PeerPort(53)})
            .Device("pump", kPump);
    replay_ = std::make_unique<Replay>(Compile(policy).table, options,
                                       [this](const ReplayedFrame& f) { results_.push_back(f); });
  }
  void Add(Side side, uint64_t time_ns, const Bytes& bytes) {
    replay_->Add({side, kStart + time_ns, static_cast<uint32_t>(bytes.size()), bytes});
  }
  std::vector<Reason> Reasons() {
    replay_->Finish();
    std::vector<Reason> reasons;
    for (const ReplayedFrame& frame : results_) reasons.push_back(frame.decision.reason);
    return reasons;
  }
  static FrameBuilder ToServer() { return FrameBuilder().FromDevice(kPump).To("10.0.0.9"); }

  std::unique_ptr<Replay> replay_;
  std::vector<ReplayedFrame> results_;
};

TEST_F(ReplayTest, NamesDeviceAndRule) {
  Begin();
  Add(Side::kDevice, 0, ToServer().Tcp(2575).Build());
  replay_->Finish();
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_EQ(results_[0].device, "pump");
  EXPECT_EQ(results_[0].rule, "test/rule-1");
  EXPECT_EQ(results_[0].decision.verdict, Verdict::kForward);
}

TEST_F(ReplayTest, NumbersFramesFromOneInTheirOrder) {
  Begin();
  for (int i = 0; i < 100; ++i) {
    Add(i % 3 == 0 ? Side::kNetwork : Side::kDevice, i * 1000, ToServer().Udp(53).Build());
  }
  replay_->Finish();
  ASSERT_EQ(results_.size(), 100u);
  for (size_t i = 0; i < results_.size(); ++i) {
    EXPECT_EQ(results_[i].number, i + 1);
    EXPECT_EQ(results_[i].side, i % 3 == 0 ? Side::kNetwork : Side::kDevice);
  }
}

TEST_F(ReplayTest, ReplyPassesOnTheFlowOfItsRequest) {
  Begin();
  const FrameBuilder query = ToServer().Udp(53);
  Add(Side::kNetwork, 0, query.Reversed().Build());
  Add(Side::kDevice, 10, query.Build());
  Add(Side::kNetwork, 20, query.Reversed().Build());
  EXPECT_THAT(Reasons(), ElementsAre(Reason::kNoRule, Reason::kRule, Reason::kRule));
}

TEST_F(ReplayTest, TimeOfTheCaptureEndsIdleFlows) {
  Begin();
  const FrameBuilder query = ToServer().Udp(53);
  Add(Side::kDevice, 0, query.Build());
  Add(Side::kNetwork, 179 * kSecond, query.Reversed().Build());
  Add(Side::kNetwork, (179 + 181) * kSecond, query.Reversed().Build());
  EXPECT_THAT(Reasons(), ElementsAre(Reason::kRule, Reason::kRule, Reason::kNoRule));
}

TEST_F(ReplayTest, TimeThatGoesBackEndsNothing) {
  Begin();
  const FrameBuilder query = ToServer().Udp(53);
  Add(Side::kDevice, 1000 * kSecond, query.Build());
  Add(Side::kNetwork, 0, query.Reversed().Build());
  EXPECT_THAT(Reasons(), ElementsAre(Reason::kRule, Reason::kRule));
}

TEST_F(ReplayTest, ConnectionsAreTakenOverWithinTheGraceOnly) {
  Begin({.adopt_grace_ns = 300 * kSecond});
  Add(Side::kDevice, 0, ToServer().Tcp(40001, 2575, tcp_flag::kAck).Build());
  Add(Side::kDevice, 301 * kSecond, ToServer().Tcp(40002, 2575, tcp_flag::kAck).Build());
  EXPECT_THAT(Reasons(), ElementsAre(Reason::kRule, Reason::kTcpNoFlow));
}

TEST_F(ReplayTest, NothingIsTakenOverWithoutGrace) {
  Begin();
  Add(Side::kDevice, 0, ToServer().Tcp(40001, 2575, tcp_flag::kAck).Build());
  EXPECT_THAT(Reasons(), ElementsAre(Reason::kTcpNoFlow));
}

TEST_F(ReplayTest, FrameCutBySnapLengthIsJudgedByItsHeaders) {
  Begin();
  Bytes bytes = ToServer().Udp(53).PayloadSize(800).Build();
  const auto length = static_cast<uint32_t>(bytes.size());
  bytes.resize(64);
  replay_->Add({Side::kDevice, kStart, length, bytes});
  EXPECT_THAT(Reasons(), ElementsAre(Reason::kRule));
}

TEST_F(ReplayTest, HeldFragmentsAreToldInTheirPlaceWhenTheirFirstHasCome) {
  // R030, R044
  Begin();
  const std::vector<Bytes> pieces = ToServer().Udp(53).PayloadSize(100).BuildFragments(64);
  Add(Side::kDevice, 0, pieces[1]);
  Add(Side::kDevice, kSecond, ToServer().Udp(53).Build());
  EXPECT_THAT(results_, ElementsAre());
  Add(Side::kDevice, 2 * kSecond, pieces[0]);
  EXPECT_THAT(Reasons(), ElementsAre(Reason::kRule, Reason::kRule, Reason::kRule));
  for (size_t i = 0; i < results_.size(); ++i) EXPECT_EQ(results_[i].number, i + 1);
  EXPECT_EQ(results_[0].rule, "test/rule-2");
}

TEST_F(ReplayTest, FragmentsWhoseFirstNeverComesAreDroppedAtTheEnd) {
  // R041
  Begin();
  const std::vector<Bytes> pieces = ToServer().Udp(53).PayloadSize(100).BuildFragments(64);
  Add(Side::kDevice, 0, pieces[1]);
  Add(Side::kDevice, 10, ToServer().Udp(53).Build());
  EXPECT_THAT(Reasons(), ElementsAre(Reason::kFragmentTimeout, Reason::kRule));
  EXPECT_EQ(results_[0].device, "pump");
}

TEST_F(ReplayTest, EmptyFramesAreDecidedToo) {
  Begin();
  Add(Side::kDevice, 0, {});
  EXPECT_THAT(Reasons(), ElementsAre(Reason::kFrameTooShort));
}

TEST_F(ReplayTest, WithoutFramesThereIsNothingToFinish) {
  Begin();
  EXPECT_THAT(Reasons(), ElementsAre());
}

}  // namespace
}  // namespace cordon::dp

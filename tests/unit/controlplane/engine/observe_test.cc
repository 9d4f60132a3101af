// SPDX-License-Identifier: Apache-2.0
#include "controlplane/engine/observe.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace cordon::cp {
namespace {

using std::chrono::days;
using std::chrono::system_clock;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const system_clock::time_point kNow = system_clock::time_point(days(20'000));

FlowRecord Forwarded() {
  FlowRecord record;
  record.device = "ct-2";
  record.protocol = 6;
  record.peer_ip = dp::ParseIp("10.20.0.10");
  record.device_port = 50'000;
  record.peer_port = 104;
  record.verdict = dp::Verdict::kForward;
  record.first_seen = record.last_seen = kNow - days(1);
  return record;
}

TEST(Observe, KeepsTheListeningPortAndForgetsTheEphemeralOne) {
  FlowRecord from_peer = Forwarded();
  from_peer.initiator = dp::Initiator::kPeer;
  const auto seen = Observe({Forwarded(), from_peer}, kNow);
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[0].peer_port, 104);
  EXPECT_EQ(seen[0].device_port, 0);
  EXPECT_EQ(seen[1].peer_port, 0);
  EXPECT_EQ(seen[1].device_port, 50'000);
}

TEST(Observe, RefusedFlowIsNoEvidence) {
  FlowRecord refused = Forwarded();
  refused.verdict = dp::Verdict::kDrop;
  EXPECT_THAT(Observe({refused}, kNow), IsEmpty());
}

TEST(Observe, AuditedFlowIsEvidence) {
  FlowRecord audited = Forwarded();
  audited.verdict = dp::Verdict::kAudit;
  EXPECT_THAT(Observe({audited}, kNow), SizeIs(1));
}

TEST(Observe, FlowOfNoDeviceIsLeftOut) {
  FlowRecord unknown = Forwarded();
  unknown.device.clear();
  EXPECT_THAT(Observe({unknown}, kNow), IsEmpty());
}

TEST(Observe, FlowOverMidnightCountsBothDays) {
  FlowRecord record = Forwarded();
  record.first_seen -= days(1);
  EXPECT_THAT(Observe({record}, kNow)[0].days, ElementsAre(19'998, 19'999));
}

TEST(Observe, TimeOfAGatewayWhoseClockIsAheadIsNow) {
  FlowRecord record = Forwarded();
  record.first_seen = record.last_seen = kNow + days(400);
  const auto seen = Observe({record}, kNow);
  EXPECT_EQ(seen[0].last_seen, kNow);
  EXPECT_THAT(seen[0].days, ElementsAre(20'000));
}

TEST(Observe, OnlyAnAnsweredFlowIsCalledAnswered) {
  FlowRecord answered = Forwarded();
  answered.responder_frames = 1;
  const auto seen = Observe({Forwarded(), answered}, kNow);
  EXPECT_FALSE(seen[0].answered);
  EXPECT_TRUE(seen[1].answered);
}

}  // namespace
}  // namespace cordon::cp

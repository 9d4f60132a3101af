// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/controlplane/rpc/rpc_fixture.h"

namespace cordon::cp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<v1::RolloutState> StatesOf(const std::vector<v1::RolloutUpdate>& updates) {
  std::vector<v1::RolloutState> states;
  for (const auto& update : updates) states.push_back(update.state());
  return states;
}

class GatewayControlTest : public ControllerTest {
 protected:
  // Waits, by watching, until the gateway has answered the generation.
  void AwaitAnswer(uint64_t generation) { WatchRollout(generation); }
  // Waits until the controller has seen the end of the gateway's session.
  void AwaitDisconnect(const std::string& gateway) {
    const auto deadline = In(std::chrono::seconds(20));
    while (engine_->fleet().Find(gateway)->connected) {
      ASSERT_LT(std::chrono::system_clock::now(), deadline) << gateway << " is still connected";
      std::this_thread::yield();
    }
  }
};

TEST_F(GatewayControlTest, GatewayGetsWhatWasAppliedAndRolloutEndsWithItsAck) {
  Apply(kRadiology);
  FakeGateway gateway(channel_);
  const auto set = gateway.ConnectAndTakePush("radiology-1");
  EXPECT_EQ(set.generation(), 1);
  ASSERT_THAT(set.devices(), SizeIs(1));
  EXPECT_EQ(set.devices(0).name(), "ct-2");
  gateway.Ack(1);
  const auto updates = WatchRollout(1);
  EXPECT_EQ(updates.back().state(), v1::ROLLOUT_STATE_ENFORCED);
  EXPECT_TRUE(last_status_.ok());
  EXPECT_EQ(GetGateway("radiology-1").state(), v1::GATEWAY_STATE_ENFORCING);
}

TEST_F(GatewayControlTest, LiveGatewayGetsTheNextGenerationAtOnce) {
  Apply(kRadiology);
  FakeGateway gateway(channel_);
  gateway.ConnectAndTakePush("radiology-1");
  gateway.Ack(1);
  AwaitAnswer(1);
  Apply(ProfileWithPort(4242));
  const auto message = gateway.Read();
  EXPECT_EQ(message.policy_set().generation(), 2);
  EXPECT_EQ(message.policy_set().rulesets(0).rules(0).peer_ports(0).first(), 4242);
}

TEST_F(GatewayControlTest, PushesAreCoalescedWhileOneIsUnanswered) {
  Apply(kRadiology);
  FakeGateway gateway(channel_);
  gateway.ConnectAndTakePush("radiology-1");
  for (int port = 1; port <= 5; ++port) Apply(ProfileWithPort(port));
  gateway.Ack(1);
  EXPECT_EQ(gateway.Read().policy_set().generation(), 6);
}

TEST_F(GatewayControlTest, NackShowsItsFaultsInTheRolloutAndOnTheGateway) {
  Apply(kRadiology);
  FakeGateway gateway(channel_);
  gateway.ConnectAndTakePush("radiology-1");
  gateway.Nack(1, "devices[0].pair", "pair ct-suite is not wired here");
  const auto updates = WatchRollout(1);
  EXPECT_EQ(updates.back().state(), v1::ROLLOUT_STATE_REFUSED);
  ASSERT_THAT(updates.back().faults(), SizeIs(1));
  EXPECT_EQ(updates.back().faults(0).path(), "devices[0].pair");
  EXPECT_EQ(GetGateway("radiology-1").state(), v1::GATEWAY_STATE_REFUSED);
}

TEST_F(GatewayControlTest, EnforcedButNotPersistedIsSaid) {
  Apply(kRadiology);
  FakeGateway gateway(channel_);
  gateway.ConnectAndTakePush("radiology-1");
  gateway.Ack(1, "no space left on device");
  EXPECT_THAT(WatchRollout(1).back().note(), HasSubstr("no space left on device"));
  EXPECT_THAT(GetGateway("radiology-1").note(), HasSubstr("not persisted"));
}

TEST_F(GatewayControlTest, RolloutDoesNotWaitForAGatewayThatIsNotConnected) {
  Apply(kRadiology);
  EXPECT_THAT(StatesOf(WatchRollout(1)), ElementsAre(v1::ROLLOUT_STATE_DISCONNECTED));
  EXPECT_TRUE(last_status_.ok());
}

TEST_F(GatewayControlTest, RolloutStopsWaitingWhenThePendingGatewayGoes) {
  Apply(kRadiology);
  auto gateway = std::make_unique<FakeGateway>(channel_);
  gateway->ConnectAndTakePush("radiology-1");
  std::thread watcher(
      [&] { EXPECT_EQ(StatesOf(WatchRollout(1)).back(), v1::ROLLOUT_STATE_DISCONNECTED); });
  gateway = nullptr;
  watcher.join();
}

TEST_F(GatewayControlTest, RolloutOfAnUnknownGenerationIsNotFound) {
  WatchRollout(12);
  EXPECT_EQ(last_status_.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(GatewayControlTest, UnknownGatewayIsNotFound) {
  FakeGateway gateway(channel_);
  gateway.Hello("radiology-9");
  const auto status = gateway.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("radiology-9"));
}

TEST_F(GatewayControlTest, SecondGatewayWithTheSameNameIsRefusedAndTheFirstStays) {
  Apply(kRadiology);
  FakeGateway first(channel_);
  first.ConnectAndTakePush("radiology-1");
  FakeGateway second(Dial());
  second.Hello("radiology-1", "b");
  const auto status = second.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_THAT(status.error_message(), HasSubstr("must not share a name"));
  first.Ack(1);
  EXPECT_EQ(WatchRollout(1).back().state(), v1::ROLLOUT_STATE_ENFORCED);
}

TEST_F(GatewayControlTest, SameInstanceReplacesItsOwnStaleSession) {
  Apply(kRadiology);
  FakeGateway stale(channel_);
  stale.ConnectAndTakePush("radiology-1");
  FakeGateway fresh(Dial());
  EXPECT_EQ(fresh.ConnectAndTakePush("radiology-1").generation(), 1);
  EXPECT_EQ(stale.Finish().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_TRUE(engine_->fleet().Find("radiology-1")->connected);
}

TEST_F(GatewayControlTest, StreamThatDoesNotBeginWithHelloIsRefused) {
  FakeGateway gateway(channel_);
  gateway.Ack(1);
  EXPECT_EQ(gateway.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GatewayControlTest, HelloWithoutNamesReportsBoth) {
  FakeGateway gateway(channel_);
  gateway.Hello("", "");
  const auto message = gateway.Finish().error_message();
  EXPECT_THAT(message, HasSubstr("hello.gateway is missing"));
  EXPECT_THAT(message, HasSubstr("hello.instance is missing"));
}

TEST_F(GatewayControlTest, GatewayThatAlreadyEnforcesTheGenerationIsNotPushed) {
  Apply(kRadiology);
  FakeGateway gateway(channel_);
  gateway.Hello("radiology-1", "a", 1);
  EXPECT_TRUE(gateway.Read().has_welcome());
  EXPECT_EQ(WatchRollout(1).back().state(), v1::ROLLOUT_STATE_ENFORCED);
}

TEST_F(GatewayControlTest, GatewayThatEnforcesMoreThanIsKnownKeepsItUntilTheNextApply) {
  Apply(kRadiology);
  FakeGateway gateway(channel_);
  gateway.Hello("radiology-1", "a", 57);
  EXPECT_TRUE(gateway.Read().has_welcome());
  const auto view = GetGateway("radiology-1");
  EXPECT_EQ(view.state(), v1::GATEWAY_STATE_REFUSED);
  ASSERT_THAT(view.faults(), SizeIs(1));
  EXPECT_THAT(view.faults(0).message(), HasSubstr("restored or replaced"));
  // The same documents again: nothing differs, but an administrator said what shall hold.
  EXPECT_EQ(Apply(kRadiology).generation(), 58);
  EXPECT_EQ(gateway.Read().policy_set().generation(), 58);
}

TEST_F(GatewayControlTest, SilentGatewayLosesItsSession) {
  StopController();
  options_.gateway_control.report_interval = std::chrono::milliseconds(20);
  StartController();
  Apply(kRadiology);
  FakeGateway gateway(channel_);
  gateway.ConnectAndTakePush("radiology-1");
  EXPECT_EQ(gateway.Read().message_case(), v1::ControllerMessage::MESSAGE_NOT_SET);
  EXPECT_EQ(gateway.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  AwaitDisconnect("radiology-1");
}

TEST_F(GatewayControlTest, ClientThatNeverSaysHelloIsEnded) {
  StopController();
  options_.gateway_control.hello_timeout = std::chrono::milliseconds(50);
  StartController();
  FakeGateway gateway(channel_);
  EXPECT_EQ(gateway.Read().message_case(), v1::ControllerMessage::MESSAGE_NOT_SET);
  EXPECT_EQ(gateway.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(GatewayControlTest, WhatTheGatewayEnforcesSurvivesARestartOfTheController) {
  Apply(kRadiology);
  {
    FakeGateway gateway(channel_);
    gateway.ConnectAndTakePush("radiology-1");
    gateway.Ack(1);
    AwaitAnswer(1);
  }
  AwaitDisconnect("radiology-1");
  StopController();
  StartController();
  const auto view = GetGateway("radiology-1");
  EXPECT_EQ(view.state(), v1::GATEWAY_STATE_DISCONNECTED);
  EXPECT_EQ(view.enforced_generation(), 1);
  EXPECT_EQ(view.software_version(), "test");
}

TEST_F(GatewayControlTest, OnlyGatewaysWhosePolicyDiffersArePushed) {
  Apply(kRadiology);
  Apply("kind: Gateway\nname: icu-1\npairs: [{name: ward}]\n");
  FakeGateway radiology(channel_);
  EXPECT_EQ(radiology.ConnectAndTakePush("radiology-1").generation(), 1);
  FakeGateway icu(channel_);
  EXPECT_EQ(icu.ConnectAndTakePush("icu-1").generation(), 2);
  EXPECT_THAT(GetGateway("radiology-1").faults(), IsEmpty());
  EXPECT_EQ(GetGateway("radiology-1").intended_generation(), 1);
}

}  // namespace
}  // namespace cordon::cp

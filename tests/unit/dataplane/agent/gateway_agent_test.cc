// SPDX-License-Identifier: Apache-2.0
// The whole agent against a real gRPC controller in the same process.
#include "dataplane/agent/gateway_agent.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "cordon/v1/gateway_status.grpc.pb.h"
#include "dataplane/agent/policy_store.h"
#include "tests/unit/dataplane/agent/agent_fixture.h"

namespace cordon::dp {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class GatewayAgentTest : public ::testing::Test {
 protected:
  AgentOptions Options() {
    AgentOptions options;
    options.controller_address = controller_.address();
    options.credentials = grpc::InsecureChannelCredentials();
    options.state_directory = scratch_.path() / "state";
    options.status_socket = (scratch_.path() / "status.sock").string();
    options.backoff_min = 5ms;
    options.backoff_max = 20ms;
    options.drain_interval = 5ms;
    return options;
  }

  void StartAgent(std::optional<AgentOptions> options = {}) {
    agent_ = std::make_unique<GatewayAgent>(gateway_.Runtime(), options.value_or(Options()));
    sentences_ = agent_->PublishStored();
    std::string error;
    ASSERT_TRUE(agent_->Start(error)) << error;
  }

  // Workers, controller and agent run, and there is a session.
  void StartAll() {
    gateway_.StartWorkers();
    controller_.Start();
    StartAgent();
    ASSERT_TRUE(controller_.NextHello().has_value());
    ASSERT_TRUE(Eventually([&] { return Status().controller().connected(); }));
  }

  v1::GatewayStatus Status() {
    const auto stub = StatusStub();
    grpc::ClientContext context;
    v1::GatewayStatus status;
    stub->GetGatewayStatus(&context, {}, &status);
    return status;
  }
  std::unique_ptr<v1::GatewayStatusService::Stub> StatusStub() {
    return v1::GatewayStatusService::NewStub(grpc::CreateChannel(
        "unix:" + (scratch_.path() / "status.sock").string(), grpc::InsecureChannelCredentials()));
  }
  bool HasAlarm(const std::string& text) {
    const v1::GatewayStatus status = Status();
    for (const std::string& alarm : status.alarms()) {
      if (alarm.find(text) != std::string::npos) return true;
    }
    return false;
  }
  // Pushes and waits for the ACK.
  void Enforce(uint64_t generation) {
    controller_.Push(MakePolicySet(generation));
    const auto ack = controller_.NextAck();
    ASSERT_TRUE(ack.has_value());
    ASSERT_EQ(ack->generation(), generation);
  }
  uint64_t StoredGeneration() {
    PolicyStore store(scratch_.path() / "state");
    return store.Load([](const StoredPolicy&) { return std::vector<Fault>(); }).policy.generation;
  }

  ScratchDirectory scratch_;
  TestGateway gateway_{2};
  FakeController controller_{scratch_.path() / "controller.sock"};
  std::unique_ptr<GatewayAgent> agent_;
  std::vector<std::string> sentences_;
};

TEST_F(GatewayAgentTest, SaysHelloWithItsNameAndPairs) {
  gateway_.StartWorkers();
  controller_.Start();
  StartAgent();
  const auto hello = controller_.NextHello();
  ASSERT_TRUE(hello.has_value());
  EXPECT_EQ(hello->gateway(), "gw-1");
  EXPECT_EQ(hello->instance().size(), 16u);
  EXPECT_EQ(hello->enforced_generation(), 0u);
  EXPECT_THAT(hello->pairs(), ElementsAre("ward"));
}

TEST_F(GatewayAgentTest, AcknowledgesOnlyWhatEveryWorkerDecidesUnderAndStoresIt) {
  StartAll();
  Enforce(3);
  EXPECT_TRUE(gateway_.slot().IsEnforced(gateway_.slot().Current()->stamp()));
  EXPECT_EQ(gateway_.slot().Current()->generation(), 3u);
  EXPECT_EQ(StoredGeneration(), 3u);
  const v1::GatewayStatus status = Status();
  EXPECT_EQ(status.enforced_generation(), 3u);
  EXPECT_EQ(status.policy_source(), v1::POLICY_SOURCE_CONTROLLER);
  EXPECT_EQ(status.devices(), 1u);
  EXPECT_THAT(status.alarms(), IsEmpty());
  EXPECT_EQ(agent_->Unhealthy(), std::nullopt);
}

TEST_F(GatewayAgentTest, RefusesABadPushWithAllFaultsAndKeepsThePreviousPolicy) {
  StartAll();
  Enforce(3);
  v1::PolicySet bad = MakePolicySet(4);
  bad.mutable_devices(0)->set_ips(0, "nowhere");
  bad.mutable_devices(0)->set_mode(v1::MODE_UNSPECIFIED);
  controller_.Push(bad);
  const auto nack = controller_.NextNack();
  ASSERT_TRUE(nack.has_value());
  EXPECT_EQ(nack->generation(), 4u);
  ASSERT_THAT(nack->faults(), SizeIs(2));
  EXPECT_EQ(nack->faults(0).path(), "devices[0].ips[0]");
  EXPECT_EQ(gateway_.slot().Current()->generation(), 3u);
  EXPECT_EQ(StoredGeneration(), 3u);
  EXPECT_EQ(Status().refused_generation(), 4u);
}

TEST_F(GatewayAgentTest, RefusesWhatDoesNotCompile) {
  StartAll();
  v1::PolicySet twins = MakePolicySet(1);
  *twins.add_devices() = twins.devices(0);
  controller_.Push(twins);
  const auto nack = controller_.NextNack();
  ASSERT_TRUE(nack.has_value());
  EXPECT_THAT(nack->faults(), ::testing::Not(IsEmpty()));
  EXPECT_EQ(gateway_.slot().Current()->generation(), 0u);
}

TEST_F(GatewayAgentTest, RefusesAnOlderGenerationAndAnotherGatewaysSet) {
  StartAll();
  Enforce(5);
  controller_.Push(MakePolicySet(4));
  EXPECT_THAT(controller_.NextNack()->faults(0).message(), HasSubstr("5 is in force here already"));
  v1::PolicySet other = MakePolicySet(6);
  other.set_gateway("gw-2");
  controller_.Push(other);
  EXPECT_EQ(controller_.NextNack()->faults(0).path(), "gateway");
  EXPECT_EQ(gateway_.slot().Current()->generation(), 5u);
}

TEST_F(GatewayAgentTest, AcknowledgesTheSameGenerationAgainWithoutPublishing) {
  StartAll();
  Enforce(5);
  const uint32_t stamp = gateway_.slot().Current()->stamp();
  Enforce(5);
  EXPECT_EQ(gateway_.slot().Current()->stamp(), stamp);
}

TEST_F(GatewayAgentTest, RefusesOtherContentUnderTheSameGeneration) {
  StartAll();
  Enforce(5);
  v1::PolicySet changed = MakePolicySet(5);
  changed.mutable_devices(0)->set_mode(v1::MODE_OBSERVE);
  controller_.Push(changed);
  EXPECT_THAT(controller_.NextNack()->faults(0).message(), HasSubstr("with other content"));
}

TEST_F(GatewayAgentTest, ReportsAWorkerThatDoesNotTakeOverAndAcknowledgesWhenItDoes) {
  controller_.Start();
  AgentOptions options = Options();
  options.enforce_timeout = 50ms;
  StartAgent(options);
  ASSERT_TRUE(controller_.NextHello().has_value());
  ASSERT_TRUE(Eventually([&] { return Status().controller().connected(); }));
  controller_.Push(MakePolicySet(1));
  EXPECT_THAT(controller_.NextNack()->faults(0).message(),
              HasSubstr("worker 0, worker 1 did not take over generation 1 within 50 ms"));
  EXPECT_TRUE(HasAlarm("did not take over"));
  EXPECT_THAT(agent_->Unhealthy().value_or(""), HasSubstr("did not take over"));
  gateway_.StartWorkers();
  EXPECT_EQ(controller_.NextAck()->generation(), 1u);
  EXPECT_THAT(Status().alarms(), IsEmpty());
  EXPECT_EQ(StoredGeneration(), 1u);
}

TEST_F(GatewayAgentTest, EnforcesAndSaysSoWhenThePolicyCannotBeStored) {
  std::ofstream(scratch_.path() / "state") << "a file where the directory should be";
  StartAll();
  controller_.Push(MakePolicySet(2));
  const auto ack = controller_.NextAck();
  ASSERT_TRUE(ack.has_value());
  EXPECT_THAT(ack->not_persisted(), HasSubstr("not stored"));
  EXPECT_TRUE(HasAlarm("not stored"));
  std::filesystem::remove(scratch_.path() / "state");
  controller_.Push(MakePolicySet(2));  // asked again, it tries again
  EXPECT_EQ(controller_.NextAck()->not_persisted(), "");
  EXPECT_THAT(Status().alarms(), IsEmpty());
}

TEST_F(GatewayAgentTest, EnforcesTheStoredPolicyWithoutAController) {
  StartAll();
  Enforce(8);
  agent_.reset();
  controller_.Stop();
  TestGateway restarted(1);
  agent_ = std::make_unique<GatewayAgent>(restarted.Runtime(), Options());
  EXPECT_THAT(agent_->PublishStored(), ElementsAre("loaded the stored policy of generation 8"));
  EXPECT_EQ(restarted.slot().Current()->generation(), 8u);
  restarted.StartWorkers();
  std::string error;
  ASSERT_TRUE(agent_->Start(error)) << error;
  EXPECT_TRUE(Eventually([&] { return Status().enforced_generation() == 8; }));
  EXPECT_EQ(Status().policy_source(), v1::POLICY_SOURCE_STORED);
  EXPECT_FALSE(Status().controller().last_error().empty() && Status().controller().connected());
  agent_.reset();
}

TEST_F(GatewayAgentTest, SurvivesACorruptStoredPolicyLoudly) {
  StartAll();
  Enforce(1);
  Enforce(2);
  agent_.reset();
  std::ofstream(scratch_.path() / "state" / "policy.last") << "garbage";
  StartAgent();
  EXPECT_THAT(sentences_, ElementsAre(HasSubstr("stored policy is corrupt"),
                                      "loaded the stored policy of generation 1"));
  EXPECT_TRUE(Eventually([&] { return Status().policy_source() == v1::POLICY_SOURCE_PREVIOUS; }));
  EXPECT_TRUE(HasAlarm("corrupt"));
  ASSERT_TRUE(controller_.NextHello().has_value());
  Enforce(3);  // a good one is stored again: the alarm is over
  EXPECT_FALSE(HasAlarm("corrupt"));
}

TEST_F(GatewayAgentTest, DialsAgainWhenTheControllerComesBackAndTellsWhatItEnforces) {
  StartAll();
  Enforce(4);
  controller_.Stop();
  EXPECT_TRUE(Eventually([&] { return !Status().controller().connected(); }));
  EXPECT_THAT(Status().controller().last_error(), ::testing::Not(IsEmpty()));
  EXPECT_EQ(agent_->Unhealthy(), std::nullopt);  // the last good policy is enforced
  controller_.Start();
  const auto hello = controller_.NextHello();
  ASSERT_TRUE(hello.has_value());
  EXPECT_EQ(hello->enforced_generation(), 4u);
}

TEST_F(GatewayAgentTest, ShowsWhyTheControllerRefusesIt) {
  controller_.RefuseWith({grpc::StatusCode::ALREADY_EXISTS, "gw-1 runs on 10.9.9.9"});
  gateway_.StartWorkers();
  controller_.Start();
  StartAgent();
  EXPECT_TRUE(Eventually([&] { return HasAlarm("another gateway with this name has a session"); }));
  EXPECT_THAT(Status().controller().last_error(), HasSubstr("gw-1 runs on 10.9.9.9"));
  controller_.RefuseWith(grpc::Status::OK);
  EXPECT_TRUE(Eventually([&] { return Status().controller().connected(); }));
  EXPECT_THAT(Status().alarms(), IsEmpty());
}

TEST_F(GatewayAgentTest, WarnsThirtyDaysBeforeItsCertificateExpires) {
  AgentOptions options = Options();
  options.certificate_expiry = std::chrono::system_clock::now() + 24h * 40;
  StartAgent(options);
  EXPECT_FALSE(HasAlarm("certificate"));
  agent_.reset();
  options.certificate_expiry = std::chrono::system_clock::now() + 24h * 20 + 1h;
  StartAgent(options);
  EXPECT_TRUE(HasAlarm("certificate expires in 20 days"));
}

TEST_F(GatewayAgentTest, ReportsFlowsAndHeartbeatsToTheController) {
  StartAll();
  Enforce(1);
  FlowEvent event;
  event.reason = Reason::kNoRule;
  event.stamp = gateway_.slot().Current()->stamp();
  event.first_seen_ns = event.last_seen_ns = 1;
  gateway_.ring(1).Push(event);
  const auto report = controller_.NextReport();
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->records(0).device(), "pump-1");
  EXPECT_TRUE(controller_.NextHeartbeat().has_value());
}

TEST_F(GatewayAgentTest, KeepsFlowReportsWhileTheControllerIsGone) {
  gateway_.StartWorkers();
  StartAgent();
  FlowEvent event;
  event.reason = Reason::kUnknownDevice;
  gateway_.ring(0).Push(event);
  ASSERT_TRUE(Eventually([&] {
    return agent_->RenderMetrics().find("cordon_unknown_devices 1") != std::string::npos;
  }));
  controller_.Start();
  const auto report = controller_.NextReport();
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->records(0).reason(), "unknown_device");
}

TEST_F(GatewayAgentTest, StreamsRefusedFlowsToTheLocalSocket) {
  gateway_.StartWorkers();
  StartAgent();
  const auto stub = StatusStub();
  grpc::ClientContext context;
  const auto stream = stub->WatchEvents(&context, {});
  stream->WaitForInitialMetadata();  // from now on nothing is missed
  FlowEvent event;
  event.reason = Reason::kNoPolicy;
  gateway_.ring(0).Push(event);
  v1::WatchGatewayEventsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.records(0).reason(), "no_policy");
  agent_->Stop();  // ends the stream of a watcher that never leaves
  EXPECT_FALSE(stream->Read(&response));
}

TEST_F(GatewayAgentTest, ServesItsSocketToOwnerAndGroupOnly) {
  StartAgent();
  struct stat status {};
  ASSERT_EQ(stat((scratch_.path() / "status.sock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
}

TEST_F(GatewayAgentTest, ReportsAStatusSocketThatCannotBeServed) {
  AgentOptions options = Options();
  options.status_socket = "/nonexistent/status.sock";
  GatewayAgent agent(gateway_.Runtime(), options);
  std::string error;
  EXPECT_FALSE(agent.Start(error));
  EXPECT_THAT(error, HasSubstr("/nonexistent/status.sock: cannot serve"));
  options.status_socket = "/tmp/" + std::string(200, 'x');
  GatewayAgent another(gateway_.Runtime(), options);
  EXPECT_FALSE(another.Start(error));
  EXPECT_THAT(error, HasSubstr("longer than"));
}

TEST_F(GatewayAgentTest, StopsWhileItDials) {
  gateway_.StartWorkers();
  StartAgent();  // nobody listens
  EXPECT_TRUE(Eventually([&] { return !Status().controller().last_error().empty(); }));
  agent_->Stop();
  agent_->Stop();
}

}  // namespace
}  // namespace cordon::dp

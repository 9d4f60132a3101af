// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/controlplane/rpc/rpc_fixture.h"

namespace cordon::cp {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A refused SMB connection of ct-2.
v1::FlowRecord RefusedSmb(uint32_t peer_port = 445) {
  v1::FlowRecord record;
  record.set_pair("ct-suite");
  record.set_device("ct-2");
  record.set_initiator(v1::INITIATOR_DEVICE);
  record.set_protocol(6);
  record.set_device_ip("10.30.0.21");
  record.set_peer_ip("10.99.0.1");
  record.set_device_port(50000);
  record.set_peer_port(peer_port);
  record.set_verdict(v1::VERDICT_DROP);
  record.set_reason("no_rule");
  record.set_count(1);
  record.mutable_first_seen()->set_seconds(1'700'000'000);
  record.mutable_last_seen()->set_seconds(1'700'000'000);
  return record;
}

v1::FlowRecord ForwardedStore() {
  v1::FlowRecord record = RefusedSmb(104);
  record.set_peer_ip("10.20.0.10");
  record.set_verdict(v1::VERDICT_FORWARD);
  record.set_reason("rule");
  record.set_responder_frames(10);
  record.set_responder_bytes(1000);
  return record;
}

class EventServiceTest : public ControllerTest {
 protected:
  void SetUp() override {
    ControllerTest::SetUp();
    Apply(kRadiology);
    events_ = v1::EventService::NewStub(channel_);
    gateway_ = std::make_unique<FakeGateway>(channel_);
    gateway_->ConnectAndTakePush("radiology-1");
  }
  void TearDown() override {
    gateway_ = nullptr;
    ControllerTest::TearDown();
  }
  void Report(const std::vector<v1::FlowRecord>& records) {
    v1::GatewayMessage message;
    for (const auto& record : records) *message.mutable_flow_report()->add_records() = record;
    gateway_->Write(message);
    gateway_->Ack(1);  // messages are handled in order: once this is seen, so is the report
    WatchRollout(1);
  }
  std::vector<v1::FlowRecord> Remembered(const v1::WatchEventsRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(In(std::chrono::seconds(20)));
    auto stream = events_->WatchEvents(&context, request);
    std::vector<v1::FlowRecord> records;
    for (v1::WatchEventsResponse part; stream->Read(&part);) {
      records.insert(records.end(), part.records().begin(), part.records().end());
    }
    last_status_ = stream->Finish();
    return records;
  }

  std::unique_ptr<v1::EventService::Stub> events_;
  std::unique_ptr<FakeGateway> gateway_;
};

TEST_F(EventServiceTest, RefusedFlowIsRememberedWithItsGateway) {
  Report({RefusedSmb()});
  const auto records = Remembered({});
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].gateway(), "radiology-1");
  EXPECT_EQ(records[0].device(), "ct-2");
  EXPECT_EQ(records[0].peer_port(), 445);
  EXPECT_EQ(records[0].reason(), "no_rule");
}

TEST_F(EventServiceTest, ForwardedFlowIsNoEvent) {
  Report({ForwardedStore()});
  EXPECT_THAT(Remembered({}), IsEmpty());
}

TEST_F(EventServiceTest, RecordWithAFaultIsLeftOutAndTheOthersStay) {
  v1::FlowRecord bad = RefusedSmb();
  bad.set_peer_ip("not an address");
  Report({bad, RefusedSmb(139)});
  const auto records = Remembered({});
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].peer_port(), 139);
}

TEST_F(EventServiceTest, RecordOfAnotherGatewaysDeviceLosesTheName) {
  v1::FlowRecord foreign = RefusedSmb();
  foreign.set_device("pump-of-somebody-else");
  Report({foreign});
  ASSERT_THAT(Remembered({}), SizeIs(1));
  EXPECT_EQ(Remembered({})[0].device(), "");
}

TEST_F(EventServiceTest, LastAndDeviceLimitWhatIsRemembered) {
  Report({RefusedSmb(1), RefusedSmb(2), RefusedSmb(3)});
  v1::WatchEventsRequest request;
  request.set_last(2);
  ASSERT_THAT(Remembered(request), SizeIs(2));
  EXPECT_EQ(Remembered(request)[0].peer_port(), 2);
  request.set_device("ct-9");
  EXPECT_THAT(Remembered(request), IsEmpty());
}

TEST_F(EventServiceTest, FollowerGetsWhatHappensAfterTheRemembered) {
  Report({RefusedSmb(1)});
  grpc::ClientContext context;
  context.set_deadline(In(std::chrono::seconds(20)));
  v1::WatchEventsRequest request;
  request.set_follow(true);
  auto stream = events_->WatchEvents(&context, request);
  v1::WatchEventsResponse part;
  ASSERT_TRUE(stream->Read(&part));
  EXPECT_EQ(part.records(0).peer_port(), 1);
  FlowRecord later;
  later.peer_port = 2;
  engine_->RecordFlows("radiology-1", {later});
  ASSERT_TRUE(stream->Read(&part));
  EXPECT_EQ(part.records(0).peer_port(), 2);
  context.TryCancel();
}

TEST_F(EventServiceTest, EndOfAFlowWithACountOfZeroSaysThatItWasAnswered) {
  v1::FlowRecord opened = ForwardedStore(), ended = ForwardedStore();
  opened.clear_responder_frames();
  ended.set_count(0);
  Report({opened, ended});
  auto learn = v1::LearnService::NewStub(channel_);
  v1::ProposeRequest request;
  request.set_device("ct-2");
  const auto proposal = Call(*learn, &v1::LearnService::Stub::Propose, request);
  ASSERT_THAT(proposal.rules(), SizeIs(1));
  EXPECT_EQ(proposal.rules(0).flows(), 1);
}

TEST_F(EventServiceTest, EndOfAnAuditedFlowIsNoEventOfItsOwn) {
  v1::FlowRecord audited = RefusedSmb(), ended = RefusedSmb();
  audited.set_verdict(v1::VERDICT_AUDIT);
  ended.set_verdict(v1::VERDICT_AUDIT);
  ended.set_count(0);
  Report({audited, ended});
  EXPECT_THAT(Remembered({}), SizeIs(1));
}

TEST_F(EventServiceTest, TooManyRememberedRecordsAreAnInvalidArgument) {
  v1::WatchEventsRequest request;
  request.set_last(1'000'000);
  Remembered(request);
  EXPECT_EQ(last_status_.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(last_status_.error_message(), HasSubstr("last is 1000000"));
}

TEST_F(EventServiceTest, ProposalCoversWhatWasForwardedNotWhatWasRefused) {
  Report({ForwardedStore(), RefusedSmb()});
  auto learn = v1::LearnService::NewStub(channel_);
  v1::ProposeRequest request;
  request.set_device("ct-2");
  const auto proposal = Call(*learn, &v1::LearnService::Stub::Propose, request);
  ASSERT_THAT(proposal.rules(), SizeIs(1));
  EXPECT_EQ(proposal.rules(0).rule().peer_ports(0).first(), 104);
  EXPECT_THAT(proposal.yaml(), HasSubstr("kind: Profile"));
}

}  // namespace
}  // namespace cordon::cp

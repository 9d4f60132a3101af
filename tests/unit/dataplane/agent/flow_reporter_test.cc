// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/flow_reporter.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>
#include <chrono>

#include "dataplane/agent/from_proto.h"
#include "tests/unit/dataplane/agent/agent_fixture.h"

namespace cordon::dp {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FlowReporterTest : public ::testing::Test {
 protected:
  FlowReporterTest() {
    const PolicySetResult set = FromProto(MakePolicySet(9), "gw-1", {"ward"});
    CompileResult compiled = Compile(set.spec);
    stamp_ = gateway_.slot().Publish(std::move(compiled.table));
  }

  FlowEvent Event(EventKind kind = EventKind::kRefused) const {
    FlowEvent event;
    event.kind = kind;
    event.reason = kind == EventKind::kRefused ? Reason::kNoRule : Reason::kRule;
    event.verdict = kind == EventKind::kRefused ? Verdict::kDrop : Verdict::kForward;
    event.protocol = protocol::kTcp;
    event.ethertype = 0x0800;
    event.device_port = 40'000;
    event.peer_port = 445;
    event.stamp = stamp_;
    event.rule = kNoRuleIndex;
    event.device_mac = {0x020000001001};
    event.device_ip = *ParseIp("10.30.0.1");
    event.peer_ip = *ParseIp("10.20.0.9");
    event.first_seen_ns = event.last_seen_ns = 4'000'000'000;  // a second ago
    return event;
  }

  void Send(const FlowEvent& event) {
    gateway_.ring(0).Push(event);
    reporter_->Drain();
  }
  v1::FlowReport Take() {
    v1::FlowReport report;
    reporter_->Take(report);
    return report;
  }
  void Make(const ReporterOptions& options) {
    reporter_ = std::make_unique<FlowReporter>(runtime_, options);
  }

  TestGateway gateway_;
  GatewayRuntime runtime_ = gateway_.Runtime();
  std::unique_ptr<FlowReporter> reporter_ =
      std::make_unique<FlowReporter>(runtime_, ReporterOptions{});
  uint32_t stamp_ = 0;
};

TEST_F(FlowReporterTest, NamesDevicePairPeerAndGeneration) {
  Send(Event());
  const v1::FlowReport report = Take();
  ASSERT_THAT(report.records(), SizeIs(1));
  const v1::FlowRecord& record = report.records(0);
  EXPECT_EQ(record.device(), "pump-1");
  EXPECT_EQ(record.pair(), "ward");
  EXPECT_EQ(record.device_mac(), "02:00:00:00:10:01");
  EXPECT_EQ(record.peer_ip(), "10.20.0.9");
  EXPECT_EQ(record.peer_port(), 445u);
  EXPECT_EQ(record.verdict(), v1::VERDICT_DROP);
  EXPECT_EQ(record.reason(), "no_rule");
  EXPECT_EQ(record.generation(), 9u);
  EXPECT_EQ(record.count(), 1u);
}

TEST_F(FlowReporterTest, ConvertsGatewayTimeToTheWallClock) {
  Send(Event());
  const auto seen = TimeUtil::TimestampToMilliseconds(Take().records(0).first_seen());
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  EXPECT_NEAR(static_cast<double>(now - seen), 1000, 900);
}

TEST_F(FlowReporterTest, SumsUpEventsThatDifferOnlyInTheEphemeralPort) {
  for (uint16_t l4_port = 40'000; l4_port < 40'010; ++l4_port) {
    FlowEvent event = Event();
    event.device_port = l4_port;
    Send(event);
  }
  FlowEvent other = Event();
  other.peer_port = 23;
  Send(other);
  const v1::FlowReport report = Take();
  ASSERT_THAT(report.records(), SizeIs(2));
  EXPECT_EQ(report.records(0).count(), 10u);
  EXPECT_THAT(Take().records(), IsEmpty());
}

TEST_F(FlowReporterTest, CountsAFlowWhenItOpensAndItsBytesWhenItEnds) {
  Send(Event(EventKind::kAdmitted));
  EXPECT_EQ(Take().records(0).count(), 1u);
  FlowEvent ended = Event(EventKind::kEnded);
  ended.frames[0] = 3;
  ended.bytes[1] = 500;
  Send(ended);
  const v1::FlowRecord record = Take().records(0);
  EXPECT_EQ(record.verdict(), v1::VERDICT_FORWARD);
  EXPECT_EQ(record.count(), 0u);
  EXPECT_EQ(record.initiator_frames(), 3u);
  EXPECT_EQ(record.responder_bytes(), 500u);
}

TEST_F(FlowReporterTest, CountsTheFramesThatARefusalStandsFor) {
  FlowEvent event = Event();
  event.frames[0] = 40;
  Send(event);
  Send(event);
  EXPECT_EQ(Take().records(0).count(), 80u);
}

TEST_F(FlowReporterTest, ReportsAnIcmpTypeInsteadOfPorts) {
  FlowEvent event = Event();
  event.protocol = protocol::kIcmp;
  event.device_port = 8;
  event.peer_port = 0;
  Send(event);
  const v1::FlowReport report = Take();
  EXPECT_EQ(report.records(0).icmp_type(), 8u);
  EXPECT_EQ(report.records(0).device_port(), 0u);
}

TEST_F(FlowReporterTest, DropsTheOldestRecordAndCountsItWhenTheBacklogIsFull) {
  Make({.backlog = 2});
  for (uint16_t peer_port = 1; peer_port <= 3; ++peer_port) {
    FlowEvent event = Event();
    event.peer_port = peer_port;
    Send(event);
  }
  const v1::FlowReport report = Take();
  ASSERT_THAT(report.records(), SizeIs(2));
  EXPECT_EQ(report.records(0).peer_port(), 2u);
  EXPECT_EQ(report.lost_total(), 1u);
}

TEST_F(FlowReporterTest, ReportsAgainWhatCouldNotBeSent) {
  Send(Event());
  const v1::FlowReport report = Take();
  reporter_->Return(report);
  Send(Event());
  const v1::FlowReport again = Take();
  ASSERT_THAT(again.records(), SizeIs(2));
  EXPECT_EQ(again.records(0).SerializeAsString(), report.records(0).SerializeAsString());
}

TEST_F(FlowReporterTest, CountsDistinctUnknownDevicesWithinItsBound) {
  Make({.unknown_devices = 3});
  for (const uint64_t mac : {1, 2, 2, 3, 4}) {
    FlowEvent event = Event();
    event.reason = Reason::kUnknownDevice;
    event.device = kNoDevice;
    event.device_mac = {0x020000000000 + mac};
    Send(event);
  }
  EXPECT_EQ(reporter_->unknown_devices(), 3u);
}

TEST_F(FlowReporterTest, GivesWatchersRefusedFlowsOfTheirDeviceOnly) {
  const auto all = reporter_->Watch("");
  const auto other = reporter_->Watch("ct-2");
  Send(Event());
  Send(Event(EventKind::kAdmitted));
  std::vector<v1::FlowRecord> records;
  all->Wait(std::chrono::milliseconds(0), records);
  EXPECT_THAT(records, SizeIs(1));
  other->Wait(std::chrono::milliseconds(0), records);
  EXPECT_THAT(records, IsEmpty());
}

TEST_F(FlowReporterTest, TellsASlowWatcherHowManyRecordsItMissed) {
  Make({.watch_queue = 2});
  const auto watch = reporter_->Watch("");
  for (int i = 0; i < 5; ++i) Send(Event());
  std::vector<v1::FlowRecord> records;
  EXPECT_EQ(watch->Wait(std::chrono::milliseconds(0), records), 3u);
  EXPECT_THAT(records, SizeIs(2));
}

}  // namespace
}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// Rules that expire by the gateway's own clock, counts of rules that survive, live flows on demand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "dataplane/agent/flow_query.h"
#include "dataplane/agent/from_proto.h"
#include "dataplane/agent/hit_ledger.h"
#include "dataplane/agent/policy_enforcer.h"
#include "tests/unit/dataplane/agent/agent_fixture.h"

namespace cordon::dp {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

FlowQuestion ToPumpServer() {
  FlowQuestion question;
  question.protocol = protocol::kTcp;
  question.peer = *ParseIp("10.20.0.5");
  question.peer_port = 2575;
  question.device_port = 40000;
  return question;
}
v1::PolicySet ExpiringSet(int64_t expires_at) {
  v1::PolicySet set = MakePolicySet(1);
  set.mutable_rulesets(0)->mutable_rules(0)->mutable_expires_at()->set_seconds(expires_at);
  return set;
}

// An enforcer with a clock of its own.
struct Bench {
  explicit Bench(const std::filesystem::path& directory)
      : runtime(gateway.Runtime()),
        enforcer(runtime,
                 {.state_directory = directory,
                  .limits = {},
                  .unix_seconds = [this] { return now.load(); }},
                 state, [](const v1::GatewayMessage&) {}) {}
  bool Allows() { return bool(gateway.slot().Current()->Match(0, ToPumpServer())); }

  TestGateway gateway;
  const GatewayRuntime runtime;
  AgentState state;
  std::atomic<int64_t> now{1000};
  PolicyEnforcer enforcer;
};

TEST(PolicyEnforcer, LetsARuleExpireUnderTheSameGeneration) {
  const ScratchDirectory scratch;
  Bench bench(scratch.path() / "state");
  bench.gateway.StartWorkers();
  bench.enforcer.Start();
  bench.enforcer.Offer(ExpiringSet(2000));
  ASSERT_TRUE(Eventually([&] { return bench.state.Snapshot().generation == 1; }));
  EXPECT_TRUE(bench.Allows());
  bench.now = 2000;
  EXPECT_TRUE(Eventually([&] { return !bench.Allows(); }));
  EXPECT_EQ(bench.gateway.slot().Current()->generation(), 1u);
  EXPECT_EQ(bench.enforcer.Rules().at(0).expires_at, 2000);
}

TEST(PolicyEnforcer, LetsAStoredRuleExpireAlsoWithoutAController) {
  const ScratchDirectory scratch;
  {
    Bench bench(scratch.path() / "state");
    bench.gateway.StartWorkers();
    bench.enforcer.Start();
    bench.enforcer.Offer(ExpiringSet(2000));
    ASSERT_TRUE(Eventually([&] { return bench.state.Snapshot().generation == 1; }));
  }
  Bench before(scratch.path() / "state"), after(scratch.path() / "state");
  after.now = 2001;
  before.enforcer.PublishStored();
  after.enforcer.PublishStored();
  EXPECT_TRUE(before.Allows());
  EXPECT_FALSE(after.Allows());
}

TEST(PolicyEnforcer, KeepsCountsOfRulesOverGenerationsAndRestarts) {
  const ScratchDirectory scratch;
  {
    Bench bench(scratch.path() / "state");
    bench.gateway.StartWorkers();
    bench.enforcer.Start();
    bench.enforcer.Offer(MakePolicySet(1));
    ASSERT_TRUE(Eventually([&] { return bench.state.Snapshot().generation == 1; }));
    bench.gateway.slot().Current()->CountHit(0, 0, 4);
    bench.enforcer.Offer(MakePolicySet(2));
    ASSERT_TRUE(Eventually([&] { return bench.state.Snapshot().generation == 2; }));
    bench.gateway.slot().Current()->CountHit(0, 0, 5);
    EXPECT_TRUE(Eventually([&] { return bench.enforcer.Rules().at(0).hits == 2; }));
  }
  Bench bench(scratch.path() / "state");
  EXPECT_THAT(bench.enforcer.PublishStored(), SizeIs(1));
  const RuleUseRecord rule = bench.enforcer.Rules().at(0);
  EXPECT_EQ(rule.origin, "pump/hl7");
  EXPECT_EQ(rule.hits, 2u);
  EXPECT_EQ(rule.last_hit, 1000);  // gateway time is 5 s
  EXPECT_EQ(rule.counted_since, 1000);
}

TEST(HitLedger, BeginsAnewAndSaysSoWhenItsFileIsDamaged) {
  const ScratchDirectory scratch;
  PolicySlot slot(1);
  const HitLedger::Clocks clocks{[] { return uint64_t{0}; }, [] { return int64_t{1000}; }};
  HitLedger ledger(slot, scratch.path(), clocks);
  EXPECT_EQ(ledger.Load(), std::nullopt);
  ASSERT_EQ(ledger.Save(), std::nullopt);
  std::ofstream(ledger.file(), std::ios::app) << "x";
  EXPECT_THAT(*HitLedger(slot, scratch.path(), clocks).Load(), HasSubstr("corrupt"));
  EXPECT_TRUE(std::filesystem::exists(ledger.file().string() + ".corrupt"));
}

TEST(HitLedger, SavesOnceAMinuteAtMost) {
  const ScratchDirectory scratch;
  PolicySlot slot(1);
  int64_t now = 1000;
  HitLedger ledger(slot, scratch.path(), {[] { return uint64_t{0}; }, [&] { return now; }});
  ledger.Load();
  now += 59;
  ledger.SaveIfDue();
  EXPECT_FALSE(std::filesystem::exists(ledger.file()));
  now += 1;
  ledger.SaveIfDue();
  EXPECT_TRUE(std::filesystem::exists(ledger.file()));
}

// --- live flows
class LiveFlows : public ::testing::Test {
 protected:
  LiveFlows() : runtime_(gateway_.Runtime()) {
    runtime_.workers[0].flow_mailbox = &mailbox_;
    CompileResult result = Compile(FromProto(MakePolicySet(7), "gw-1", {"ward"}).spec);
    stamp_ = gateway_.slot().Publish(std::move(result.table));
    worker_ = std::thread([this] {
      while (!stop_) {
        if (mailbox_.HasQuestion()) {
          mailbox_.Answer(flows_, [this](uint32_t i, FlowEvent& event) {
            event = FlowEvent{};
            event.kind = EventKind::kLive;
            event.stamp = stamp_;
            event.device = i % 2 == 0 ? 0 : kNoDevice;
            event.rule = i % 2 == 0 ? 0 : kNoRuleIndex;
            event.first_seen_ns = i < 10 ? 1'000'000'000 : 4'900'000'000;
            return true;
          });
        }
        std::this_thread::yield();
      }
    });
  }
  ~LiveFlows() override {
    stop_ = true;
    worker_.join();
  }
  int Count(const v1::ListFlowsRequest& request, bool* truncated = nullptr) {
    FlowQuery query(runtime_);
    int flows = 0;
    const auto outcome = query.Run(request, [&](const v1::ListFlowsResponse& response) {
      flows += response.flows_size();
      if (truncated != nullptr) *truncated = *truncated || response.truncated();
      return true;
    });
    EXPECT_EQ(outcome, FlowQuery::Outcome::kDone);
    return flows;
  }

  TestGateway gateway_;
  GatewayRuntime runtime_;
  FlowMailbox mailbox_;
  uint32_t stamp_ = 0;
  const uint32_t flows_ = 3000;
  std::atomic<bool> stop_{false};
  std::thread worker_;
};

TEST_F(LiveFlows, AreAllThereWithoutAFilter) {
  v1::ListFlowsRequest request;
  request.set_limit(10'000);
  EXPECT_EQ(Count(request), 3000);
}

TEST_F(LiveFlows, AreFilteredByDeviceRuleGenerationAndAge) {
  v1::ListFlowsRequest request;
  request.set_limit(10'000);
  request.set_device("pump-1");
  request.set_rule("pump/hl7");
  request.set_generation(7);
  EXPECT_EQ(Count(request), 1500);
  request.mutable_older_than()->set_seconds(2);  // gateway time is 5 s
  EXPECT_EQ(Count(request), 5);
  request.set_generation(6);
  EXPECT_EQ(Count(request), 0);
}

TEST_F(LiveFlows, AreCutAtTheLimitWhichIsSaid) {
  v1::ListFlowsRequest request;
  request.set_limit(20);
  bool truncated = false;
  EXPECT_EQ(Count(request, &truncated), 20);
  EXPECT_TRUE(truncated);
}

TEST(FlowQuery, GivesUpAWorkerThatDoesNotAnswer) {
  TestGateway gateway;
  GatewayRuntime runtime = gateway.Runtime();
  FlowMailbox mailbox;
  runtime.workers[0].flow_mailbox = &mailbox;
  FlowQuery query(runtime);
  EXPECT_EQ(
      query.Run(
          {}, [](const v1::ListFlowsResponse&) { return true; }, std::chrono::milliseconds(20)),
      FlowQuery::Outcome::kWorkerSilent);
}

}  // namespace
}  // namespace cordon::dp

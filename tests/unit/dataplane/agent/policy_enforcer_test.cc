// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/policy_enforcer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dataplane/agent/agent_fixture.h"

namespace cordon::dp {
namespace {

using ::testing::ElementsAre;

TEST(PolicyEnforcer, AnswersOnlyTheNewestOfPushesThatArriveWhileItIsBusy) {
  const ScratchDirectory scratch;
  TestGateway gateway(2);
  const GatewayRuntime runtime = gateway.Runtime();
  AgentState state;
  std::mutex mutex;
  std::vector<uint64_t> acks;  // guarded by mutex
  PolicyEnforcer enforcer(runtime, {.state_directory = scratch.path() / "state", .limits = {}},
                          state, [&](const v1::GatewayMessage& answer) {
                            const std::lock_guard lock(mutex);
                            acks.push_back(answer.ack().generation());
                          });
  enforcer.Start();
  enforcer.Offer(MakePolicySet(1));  // busy with it until the workers turn over
  ASSERT_TRUE(Eventually([&] { return gateway.slot().Current()->generation() == 1; }));
  for (uint64_t generation = 2; generation <= 50; ++generation) {
    enforcer.Offer(MakePolicySet(generation));
  }
  gateway.StartWorkers();
  ASSERT_TRUE(Eventually([&] { return state.Snapshot().generation == 50; }));
  enforcer.Stop();
  EXPECT_THAT(acks, ElementsAre(1u, 50u));
}

}  // namespace
}  // namespace cordon::dp

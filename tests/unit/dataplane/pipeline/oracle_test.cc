// SPDX-License-Identifier: Apache-2.0
// The fast path against the oracle: random policies, conversations, broken frames and bursts. More
// of the same: bin/differential --frames 10000000, and fuzz_pipeline.
#include "tests/support/oracle.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/differential.h"

namespace cordon::dp::testing {
namespace {

void Agree(uint64_t seed, int bursts, const Differential::Options& options, Tally& tally) {
  Differential run(Dice(seed), options, tally);
  for (int burst = 0; burst < bursts && run.difference().empty(); ++burst) run.Step();
  ASSERT_EQ(run.difference(), "") << "seed " << seed;
}

// R105: the compiled policy decides as a linear scan of the rules
// R104: policies are swapped between bursts; each frame is judged by one of them
TEST(PipelineOracle, AgreesOnRandomPoliciesAndTraffic) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "one thread: nothing for this sanitizer, and slow under it";
#endif
  Tally tally;
  for (uint64_t seed = 1; seed <= 48 && !HasFatalFailure(); ++seed) Agree(seed, 400, {}, tally);
  EXPECT_GE(tally.frames, 200'000u);
  for (const auto& [reason, count] : tally.reasons) {
    RecordProperty(std::string(ToString(reason)), static_cast<int>(count));
  }
  // The traffic must reach every corner, or agreement means little.
  using enum Reason;
  for (const Reason reason : {kRule,
                              kObserveMode,
                              kArpGuard,
                              kNdGuard,
                              kIcmpErrorOfFlow,
                              kNoPolicy,
                              kUnknownDevice,
                              kSourceNotBound,
                              kDestinationNotBound,
                              kDeviceMacOnNetworkSide,
                              kNoRule,
                              kFlowRevoked,
                              kGroupNoRule,
                              kTcpNoFlow,
                              kTcpState,
                              kIcmpNoFlow,
                              kArpSenderNotBound,
                              kArpTargetNotBound,
                              kNdInvalid,
                              kNdNotBound}) {
    EXPECT_GE(tally.reasons[reason], 50u) << ToString(reason);
  }
}

// R084: new flows are refused, running ones go on
TEST(PipelineOracle, AgreesWhenTheFlowTableIsFull) {
  Tally tally;
  for (uint64_t seed = 100; seed < 115 && !HasFatalFailure(); ++seed) {
    Agree(seed, 4000, {.flow_capacity = 40, .time_passes = false, .burst = 1}, tally);
  }
  EXPECT_GE(tally.reasons[Reason::kFlowTableFull], 50u);
}

}  // namespace
}  // namespace cordon::dp::testing

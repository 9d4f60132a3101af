// SPDX-License-Identifier: Apache-2.0
// The parser against the oracle's reading of the standards, on conversations, oddities and frames
// with broken bytes.
#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "tests/support/parse_check.h"
#include "tests/support/traffic.h"

namespace cordon::dp::testing {
namespace {

// R001-R029: each frame is refused for a reason that applies, or has the facts that the oracle
// reads
TEST(ParseOracle, AgreesOnWhateverComes) {
  std::map<Reason, int> reasons;
  CheckMask failed = 0;
  for (uint64_t seed = 1; seed <= 100 && !HasFailure(); ++seed) {
    Dice dice(seed);
    const PolicySpec spec = RandomPolicy(dice, 1);
    Traffic traffic(dice, spec);
    for (int i = 0; i < 1000; ++i) {
      const Bytes frame = traffic.Next(dice.Percent(50) ? Side::kDevice : Side::kNetwork, 0);
      Packet packet;
      ++reasons[ParseFrame(View(frame), packet)];
      failed |= packet.reason == Reason::kUndecided ? packet.anomalies : 0;
      ASSERT_EQ(DifferenceOf(packet, ReadFrame(frame)), "") << "seed " << seed << " frame " << i;
    }
  }
  EXPECT_GE(reasons.size(), 40u) << "the traffic must reach every corner";
  EXPECT_GE(std::popcount(failed), 17);
}

}  // namespace
}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// The fast path against the oracle, burst by burst, on random policies and traffic:
//
//   Differential run({.seed = 7});
//   for (int i = 0; i < 1000 && run.difference().empty(); ++i) run.Step();
//
// Policies are swapped and the clock moves between bursts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/gateway.h"
#include "tests/support/oracle.h"
#include "tests/support/traffic.h"

namespace cordon::dp::testing {

struct Tally {
  std::map<Reason, uint64_t> reasons;
  std::map<Verdict, uint64_t> verdicts;
  uint64_t frames = 0;
  uint64_t policies = 0;
};

class Differential {
 public:
  struct Options {
    size_t flow_capacity = 4096;
    bool time_passes = true;
    // 1 if the flow table fills up: of two flows that may make room since the same burst, either
    // may go first.
    size_t burst = kMaxBurst;
  };
  Differential(Dice dice, const Options& options, Tally& tally);

  // One burst of frames from one side of one pair.
  void Step();
  // What the two did not agree on; "" as long as there is nothing.
  const std::string& difference() const { return difference_; }
  bool exhausted() const { return dice_.exhausted(); }

 private:
  void MaybeSwapPolicy();
  void Compare(const Bytes& frame, Side side, uint16_t pair, const Decision& decision);

  Dice dice_;
  const Options options_;
  Tally& tally_;
  TestGateway gateway_;
  Oracle oracle_;
  PolicySpec spec_;
  Traffic traffic_;
  TimePoint swept_ = 0;
  uint64_t bursts_ = 0;
  uint64_t generation_ = 0;
  std::string difference_;
};

}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// The whole fast path against the oracle. The fuzzer's bytes are the dice: which policy, which
// conversation goes on, which byte breaks.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/support/differential.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cordon::dp::testing;
  Tally tally;
  Differential run(Dice(std::span(data, size)), {}, tally);
  for (int bursts = 0; bursts < 64 && !run.exhausted(); ++bursts) {
    run.Step();
    if (run.difference().empty()) continue;
    std::fprintf(stderr, "%s\n", run.difference().c_str());
    std::abort();
  }
  return 0;
}

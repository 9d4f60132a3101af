// SPDX-License-Identifier: Apache-2.0
// Random and broken frames through the fast path and the oracle; they must agree on each.
//
//   differential [--frames N] [--seed S]     exit 1 and the frame, if they do not
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "tests/support/differential.h"

using namespace cordon::dp::testing;

namespace {

constexpr uint64_t kBurstsOfARun = 600;

void Print(const Tally& tally) {
  std::cout << tally.frames << " frames, " << tally.policies << " policies, no difference\n";
  for (const auto& [reason, count] : tally.reasons) {
    std::cout << "  " << count << " " << cordon::dp::ToString(reason) << "\n";
  }
}

// False: they do not agree.
bool Run(uint64_t seed, Tally& tally) {
  // Every fourth run fills its flow table; then time stands still, or flows would expire.
  const bool fills = seed % 4 == 3;
  const Differential::Options filling{.flow_capacity = 40, .time_passes = false, .burst = 1};
  Differential run(Dice(seed), fills ? filling : Differential::Options{}, tally);
  for (uint64_t burst = 0; burst < (fills ? 8 : 1) * kBurstsOfARun; ++burst) {
    run.Step();
    if (run.difference().empty()) continue;
    std::cerr << "seed " << seed << " " << run.difference() << "\n";
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t frames = 1'000'000, seed = 1;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    const bool known = option == "--frames" || option == "--seed";
    if (!known || i + 1 == argc) {
      std::cerr << "usage: differential [--frames N] [--seed S]\n";
      return 2;
    }
    (option == "--frames" ? frames : seed) = std::strtoull(argv[i + 1], nullptr, 10);
  }
  Tally tally;
  for (; tally.frames < frames; ++seed) {
    if (!Run(seed, tally)) return 1;
  }
  Print(tally);
  return 0;
}

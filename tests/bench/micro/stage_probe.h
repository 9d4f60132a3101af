// SPDX-License-Identifier: Apache-2.0
// Cycles spent in each stage of the pipeline. bench-pipeline has no probes; bench-stages is the
// same program with every stage function wrapped when linked (make_stage_probes), so that the fast
// path itself carries no trace of being measured.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace cordon::bench {

struct StageProbe {
  std::string_view name;
  uint64_t cycles = 0;
  uint64_t calls = 0;
};

// In order of names; empty without probes.
std::span<StageProbe> StageProbes();

}  // namespace cordon::bench

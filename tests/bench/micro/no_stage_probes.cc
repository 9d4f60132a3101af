// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/micro/stage_probe.h"

namespace cordon::bench {

std::span<StageProbe> StageProbes() { return {}; }

}  // namespace cordon::bench

// SPDX-License-Identifier: Apache-2.0
// A model as the policy set that the gateway compiles.
#pragma once

#include "dataplane/policy/spec.h"
#include "tests/bench/frame.h"
#include "tests/bench/model.h"

namespace cordon::bench {

// One pair "bench", one ruleset a device. The addresses are those of frames of `shape`.
dp::PolicySpec SpecOf(const Model& model, FrameShape shape, WhichRules which = WhichRules::kFirst);

}  // namespace cordon::bench

// SPDX-License-Identifier: Apache-2.0
// Waits until the gateways enforce a generation, and tells what each one says.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "controlplane/cli/context.h"
#include "cordon/v1/policy_service.pb.h"

namespace cordon::cp::cli {

// --no-wait and --require-all of every command that makes a generation.
struct WaitOptions {
  bool no_wait = false;
  bool require_all = false;

  void AddTo(CLI::App& command);
};

// Follows `generation` on the `gateways` whose policy it changes, one progress line as each
// answers. The last word of every gateway is appended to `updates` (may be null).
//   kDone         every connected gateway enforces it; those that are not connected are named
//   kRefused      a gateway refused it; all its faults are on stderr
//   kUnreachable  no answer in time, or with require_all: a gateway is not connected
ExitCode AwaitRollout(Context& context, const WaitOptions& options, uint64_t generation,
                      const std::vector<std::string>& gateways, boost::json::array* updates);

// Shows what a call that changes policy came to, and waits for it. `validated` if nothing was to be
// changed.
enum class Intent { kChange, kValidateOnly };
ExitCode FinishChange(Context& context, const WaitOptions& options, Intent intent,
                      const v1::ApplyResponse& response);

}  // namespace cordon::cp::cli

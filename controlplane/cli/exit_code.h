// SPDX-License-Identifier: Apache-2.0
// What cordonctl ends with. Scripts rely on these numbers.
#pragma once

namespace cordon::cp::cli {

enum class ExitCode : int {
  kDone = 0,           // what was asked for is done; for a change: every gateway enforces it
  kRefused = 1,        // faults, NACK, not found, not permitted
  kUsage = 2,          // the command line, or a file it names, is wrong; nothing was sent
  kUnreachable = 3,    // no answer from the controller or from a gateway that has to answer
  kInterrupted = 130,  // Ctrl-C before the answer, as shells count it
};

}  // namespace cordon::cp::cli

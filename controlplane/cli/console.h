// SPDX-License-Identifier: Apache-2.0
// The streams and the clock a command sees; tests hand in their own.
#pragma once

#include <functional>
#include <istream>
#include <ostream>

#include "controlplane/cli/table.h"
#include "controlplane/cli/text.h"

namespace cordon::cp::cli {

struct Console {
  std::istream& in;
  std::ostream& out;  // what was asked for
  std::ostream& err;  // faults, warnings, what to do next
  Style out_style;
  Style err_style;
  std::function<Clock::time_point()> now;
};

}  // namespace cordon::cp::cli

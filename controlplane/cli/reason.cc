// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/reason.h"

#include <optional>

#include "dataplane/packet/reason.h"

namespace cordon::cp::cli {

std::string ReasonHelp(const std::string& name) {
  const std::optional<dp::Reason> reason = dp::ParseReason(name);
  return reason ? std::string(dp::HelpFor(*reason)) : std::string();
}

std::string FormatReason(const std::string& name) {
  const std::string help = ReasonHelp(name);
  return help.empty() ? name : name + ": " + help;
}

}  // namespace cordon::cp::cli

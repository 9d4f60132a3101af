// SPDX-License-Identifier: Apache-2.0
// All of cordonctl but the process: arguments in, exit code out.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/cli/command.h"
#include "controlplane/cli/console.h"
#include "controlplane/cli/context.h"
#include "controlplane/cli/exit_code.h"
#include "controlplane/cli/interrupt.h"

namespace cordon::cp::cli {

// The parser with every command; `options` and `tree` are filled in by parsing. All three must
// outlive it.
class CommandLine {
 public:
  explicit CommandLine(const std::string& version);

  // Parses, dials and runs. `arguments` without the program's name. Never throws.
  ExitCode Run(const std::vector<std::string>& arguments, Console& console, Interrupt& interrupt);

  const CLI::App& root() const { return root_; }

 private:
  ExitCode ReportUsage(const CLI::ParseError& error, Console& console);

  CLI::App root_;
  CommandTree tree_;
  Options options_;
  std::string timeout_ = "30s";
  std::string output_ = "table";
};

}  // namespace cordon::cp::cli

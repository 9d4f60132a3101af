// SPDX-License-Identifier: Apache-2.0
// Shell completion, generated from the command tree: whatever the parser takes, Tab offers.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace cordon::cp::cli {

// A script to be sourced by bash (4.4 or later, with or without the bash-completion package).
std::string BashCompletion(const CLI::App& root);

// A function for zsh's completion system: a file _cordonctl on fpath, or sourced after compinit.
std::string ZshCompletion(const CLI::App& root);

}  // namespace cordon::cp::cli

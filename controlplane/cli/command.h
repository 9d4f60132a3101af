// SPDX-License-Identifier: Apache-2.0
// The command tree: each noun's file hangs its commands into it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>

#include "controlplane/cli/context.h"

namespace cordon::cp::cli {

using Action = std::function<ExitCode(Context&)>;

// Parsing only remembers what to do; nothing is read, dialled or printed before all of the command
// line is known to be good.
struct CommandTree {
  enum class Target { kController, kControllerOrGateway, kNone };

  CLI::App& root;
  CLI::App* get = nullptr;
  CLI::App* describe = nullptr;
  Action chosen = {};
  Target target = Target::kController;  // of the chosen command

  // `command` runs `action`, which may look at options that the parser has filled in by then.
  void Run(CLI::App* command, Action action, Target where = Target::kController) {
    command->callback([this, action = std::move(action), where] {
      chosen = action;
      target = where;
    });
  }
};

// A command with its sentence and an example; both are what --help teaches.
inline CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& sentence,
                            const std::string& example) {
  CLI::App* command = parent.add_subcommand(name, sentence);
  command->footer("Example:\n" + example);
  return command;
}

void AddApplyCommands(CommandTree& tree);        // apply, diff
void AddDeviceCommands(CommandTree& tree);       // get devices, describe device
void AddProfileCommands(CommandTree& tree);      // get profiles, describe profile
void AddPeerCommands(CommandTree& tree);         // get peers, describe peer
void AddOverlayCommands(CommandTree& tree);      // get overlays, describe overlay
void AddGatewayCommands(CommandTree& tree);      // get gateways, describe gateway, gateways
void AddImportCommands(CommandTree& tree);       // import devices
void AddStatusCommand(CommandTree& tree);        // status, of the controller or of a gateway
void AddGenerationCommands(CommandTree& tree);   // generations, rollback
void AddEventCommand(CommandTree& tree);         // events
void AddGatewayListCommands(CommandTree& tree);  // rules, flows
void AddExplainCommand(CommandTree& tree);       // explain
void AddLearnCommands(CommandTree& tree);        // learn propose
void AddCompletionCommand(CommandTree& tree);    // completion bash|zsh

}  // namespace cordon::cp::cli

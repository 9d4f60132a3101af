// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/command_line.h"

#include <algorithm>
#include <map>

#include "controlplane/cli/text.h"

namespace cordon::cp::cli {
namespace {

constexpr const char* kFooter =
    "Every command explains itself: cordonctl COMMAND --help\n"
    "Exit codes: 0 done, 1 refused, 2 usage, 3 unreachable, 130 interrupted.\n"
    "Examples:\n"
    "  cordonctl status\n"
    "  cordonctl diff -f policy/ && cordonctl apply -f policy/ --comment \"why\"\n"
    "  cordonctl events --follow\n"
    "  cordonctl explain --device ct-2 --to 10.20.0.10:104/tcp\n"
    "On TCP: cordonctl --controller host:port --ca ca.pem --certificate me.pem --key me.key ...";

const std::map<std::string, OutputFormat> kFormats = {
    {"table", OutputFormat::kTable}, {"json", OutputFormat::kJson}, {"yaml", OutputFormat::kYaml}};

std::string CheckTimeout(const std::string& text) {
  return ParseDuration(text) ? "" : "\"" + text + "\" is not a time like 500ms, 30s or 2m";
}

// The command the words on the line have reached, e.g. `get devices`.
const CLI::App& Deepest(const CLI::App& root) {
  const CLI::App* app = &root;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return *app;
}

std::string PathOf(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : PathOf(*parent) + ' ' + app.get_name();
}

std::vector<std::string> NamesOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> OptionsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

// "unknown command "gatways". Did you mean gateways?"
std::string UnknownWord(const CLI::App& reached, const std::string& word) {
  const bool option = word.starts_with('-');
  const bool command = !option && !reached.get_subcommands({}).empty();
  std::string text = (option    ? "unknown option \""
                      : command ? "unknown command \""
                                : "one argument too many: \"") +
                     word + '"';
  const auto known = option    ? OptionsOf(reached)
                     : command ? NamesOf(reached)
                               : std::vector<std::string>();
  const auto closest = ClosestWord(word, known);
  if (closest) return text + ". Did you mean " + *closest + "?";
  return command ? text + ". There are: " + Join(known) : text;
}

}  // namespace

CommandLine::CommandLine(const std::string& version)
    : root_("Administers Cordon: what medical devices may say to whom.", "cordonctl"),
      tree_{root_} {
  root_.fallthrough();  // --output and its like may stand behind the command as well
  root_.require_subcommand(1);
  root_.footer(kFooter);
  root_.get_formatter()->label("SUBCOMMAND", "COMMAND");
  root_.get_formatter()->label("Subcommands", "Commands");
  root_.get_formatter()->column_width(32);
  root_.set_version_flag("--version", "cordonctl " + version);
  root_
      .add_option("--controller", options_.controller,
                  "Controller: unix:PATH, or HOST:PORT with TLS")
      ->envname("CORDON_CONTROLLER")
      ->type_name("ADDRESS")
      ->capture_default_str();
  root_.add_option("--ca", options_.ca, "CA of the controller's certificate (PEM)")
      ->envname("CORDON_CA")
      ->type_name("FILE");
  root_.add_option("--certificate", options_.certificate, "Your certificate (PEM)")
      ->envname("CORDON_CERTIFICATE")
      ->type_name("FILE");
  root_.add_option("--key", options_.key, "Its private key (PEM)")
      ->envname("CORDON_KEY")
      ->type_name("FILE");
  root_
      .add_option("--gateway-socket", options_.gateway_socket,
                  "Talk to the gateway on this machine instead (status, events)")
      ->envname("CORDON_GATEWAY_SOCKET")
      ->type_name("PATH");
  root_.add_option("-o,--output", output_, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  root_.add_option("--timeout", timeout_, "For each call, and for gateways to enforce a change")
      ->check(CheckTimeout)
      ->type_name("TIME")
      ->capture_default_str();
  AddApplyCommands(tree_);
  tree_.get = AddCommand(root_, "get", "List devices, profiles, peers or gateways.",
                         "  cordonctl get devices --class ct")
                  ->require_subcommand(1);
  tree_.describe = AddCommand(root_, "describe", "Show all about one of them.",
                              "  cordonctl describe device ct-2")
                       ->require_subcommand(1);
  AddDeviceCommands(tree_);
  AddProfileCommands(tree_);
  AddPeerCommands(tree_);
  AddOverlayCommands(tree_);
  AddImportCommands(tree_);
  AddStatusCommand(tree_);
  AddGatewayCommands(tree_);
  AddGenerationCommands(tree_);
  AddEventCommand(tree_);
  AddGatewayListCommands(tree_);
  AddExplainCommand(tree_);
  AddLearnCommands(tree_);
  AddCompletionCommand(tree_);
}

ExitCode CommandLine::ReportUsage(const CLI::ParseError& error, Console& console) {
  if (error.get_exit_code() == 0) {  // --help, --version
    root_.exit(error, console.out, console.err);
    return ExitCode::kDone;
  }
  const CLI::App& reached = Deepest(root_);
  const std::vector<std::string> left = root_.remaining(true);
  const bool no_command =
      !reached.get_subcommands({}).empty() && reached.get_subcommands().empty() && left.empty();
  if (no_command) {
    console.err << root_.help();
    return ExitCode::kUsage;
  }
  const std::string what = left.empty() ? error.what() : UnknownWord(reached, left.front());
  console.err << Paint("error:", Tone::kBad, console.err_style) << ' ' << Printable(what) << '\n'
              << "For usage and examples: " << PathOf(reached) << " --help\n";
  return ExitCode::kUsage;
}

ExitCode CommandLine::Run(const std::vector<std::string>& arguments, Console& console,
                          Interrupt& interrupt) {
  try {
    root_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return ReportUsage(error, console);
  }
  options_.timeout = *ParseDuration(timeout_);
  options_.output = kFormats.at(output_);
  if (tree_.target == CommandTree::Target::kController) {
    // The variable may be set for good on a gateway; the option here is a mistake.
    const bool named = std::any_of(
        arguments.begin(), arguments.end(),
        [](const std::string& argument) { return argument.starts_with("--gateway-socket"); });
    if (named) {
      return Context(console, options_, interrupt)
          .Fail(ExitCode::kUsage, "a gateway answers status and events only",
                "Leave --gateway-socket away to ask the controller.");
    }
    options_.gateway_socket.clear();
  }
  Context context(console, options_, interrupt);
  if (tree_.target != CommandTree::Target::kNone) {
    const ExitCode dialled = context.Dial();
    if (dialled != ExitCode::kDone) return dialled;
  }
  return tree_.chosen(context);
}

}  // namespace cordon::cp::cli

// SPDX-License-Identifier: Apache-2.0
// cordonctl apply, cordonctl diff.
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/cli/command.h"
#include "controlplane/cli/files.h"
#include "controlplane/cli/rollout.h"
#include "controlplane/cli/show.h"
#include "controlplane/cli/tree.h"
#include "cordon/v1/policy_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

struct ApplyOptions {
  std::vector<std::string> paths;
  std::string comment;
  bool validate_only = false;
  WaitOptions wait;
};

struct DiffOptions {
  std::vector<std::string> paths;
  bool exit_code = false;
};

CLI::Option* AddFileOption(CLI::App& command, std::vector<std::string>& paths) {
  return command
      .add_option("-f,--file", paths,
                  "YAML documents: a file, a directory (every *.yaml and *.yml below it), or - for "
                  "standard input; may be repeated")
      ->required()
      ->type_name("FILE_OR_DIR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

template <typename Request>
ExitCode AddDocuments(Context& context, const std::vector<std::string>& paths, Request& request) {
  InputFiles input = ReadDocuments(paths, context.in());
  for (const std::string& fault : input.faults) context.Fail(ExitCode::kUsage, fault);
  if (!input.faults.empty()) return ExitCode::kUsage;
  for (InputFile& file : input.files) {
    v1::DocumentFile& document = *request.add_files();
    document.set_file(std::move(file.name));
    document.set_content(std::move(file.content));
  }
  return ExitCode::kDone;
}

ExitCode RunApply(Context& context, const ApplyOptions& options) {
  v1::ApplyRequest request;
  const ExitCode read = AddDocuments(context, options.paths, request);
  if (read != ExitCode::kDone) return read;
  request.set_comment(options.comment);
  request.set_validate_only(options.validate_only);
  const auto stub = v1::PolicyService::NewStub(context.channel());
  v1::ApplyResponse response;
  const ExitCode code = context.Call(&v1::PolicyService::Stub::Apply, *stub, request, &response);
  if (code != ExitCode::kDone) return code;
  return FinishChange(context, options.wait,
                      options.validate_only ? Intent::kValidateOnly : Intent::kChange, response);
}

void PrintDiff(Context& context, const v1::DiffResponse& response) {
  std::ostream& out = context.out();
  if (response.changes_size() == 0) {
    out << "No difference: the configuration is this already.\n";
    return;
  }
  out << "Would change: " << CountChanges(response.changes()) << '\n';
  PrintChanges(response.changes(), std::numeric_limits<size_t>::max(), out, context.style());
  if (response.effects_size() > 0) out << "What that means for flows:\n";
  for (const std::string& effect : response.effects()) out << "  " << Printable(effect) << '\n';
  out << "Gateways: " << Join(ToStrings(response.gateways())) << '\n';
}

ExitCode RunDiff(Context& context, const DiffOptions& options) {
  v1::DiffRequest request;
  const ExitCode read = AddDocuments(context, options.paths, request);
  if (read != ExitCode::kDone) return read;
  const auto stub = v1::PolicyService::NewStub(context.channel());
  v1::DiffResponse response;
  const ExitCode code = context.Call(&v1::PolicyService::Stub::Diff, *stub, request, &response);
  if (code != ExitCode::kDone) return code;
  PrintWarnings(context, response.warnings());
  if (context.structured()) context.Write(response);
  if (response.faults_size() > 0) {
    const auto count = static_cast<uint64_t>(response.faults_size());
    context.Fail(ExitCode::kRefused, "these documents have " + Plural(count, "fault") + ':');
    PrintFaults(context, response.faults());
    return ExitCode::kRefused;
  }
  if (!context.structured()) PrintDiff(context, response);
  const bool differs = response.changes_size() > 0;
  return differs && options.exit_code ? ExitCode::kRefused : ExitCode::kDone;
}

}  // namespace

void AddApplyCommands(CommandTree& tree) {
  auto options = std::make_shared<ApplyOptions>();
  CLI::App* apply = AddCommand(
      tree.root, "apply",
      "Change the configuration with YAML documents and wait until the gateways enforce it.",
      "  cordonctl apply -f policy/ --comment \"CT 2 moves to the new archive\"\n"
      "Exit: 0 enforced, 1 refused (nothing changes), 3 a gateway did not answer in --timeout.");
  AddFileOption(*apply, options->paths);
  apply->add_option("-m,--comment", options->comment, "Why; kept with the generation")
      ->type_name("TEXT");
  apply->add_flag("--validate-only,--dry-run", options->validate_only,
                  "Check everything up to the compiled policy, change nothing");
  options->wait.AddTo(*apply);
  tree.Run(apply, [options](Context& context) { return RunApply(context, *options); });

  auto diff_options = std::make_shared<DiffOptions>();
  CLI::App* diff =
      AddCommand(tree.root, "diff", "Show what apply would change, and what that means for flows.",
                 "  cordonctl diff -f policy/\nExit: 0 shown, 1 the documents have faults.");
  AddFileOption(*diff, diff_options->paths);
  diff->add_flag("--exit-code", diff_options->exit_code, "Exit 1 if there is a difference");
  tree.Run(diff, [diff_options](Context& context) { return RunDiff(context, *diff_options); });
}

}  // namespace cordon::cp::cli

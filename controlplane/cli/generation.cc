// SPDX-License-Identifier: Apache-2.0
// cordonctl generations, cordonctl rollback.
#include <memory>
#include <string>

#include "controlplane/cli/command.h"
#include "controlplane/cli/rollout.h"
#include "controlplane/cli/show.h"
#include "cordon/v1/policy_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

struct RollbackOptions {
  uint64_t to = 0;
  std::string comment;
  bool validate_only = false;
  WaitOptions wait;
};

ExitCode RunGenerations(Context& context, uint32_t limit) {
  v1::ListGenerationsRequest request;
  request.set_limit(limit);
  const auto stub = v1::PolicyService::NewStub(context.channel());
  v1::ListGenerationsResponse response;
  const ExitCode code =
      context.Call(&v1::PolicyService::Stub::ListGenerations, *stub, request, &response);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(response);
    return code;
  }
  Table table({{"GENERATION", Table::Align::kRight},
               {"CREATED"},
               {"AUTHOR"},
               {"ORIGIN"},
               {"CHANGES"},
               {"GATEWAYS"},
               {"COMMENT"}});
  for (const v1::Generation& generation : response.generations()) {
    table.AddRow(
        {std::to_string(generation.generation()),
         Ago(generation, &v1::Generation::has_created, &v1::Generation::created, context.now()),
         generation.author(), generation.origin(), CountChanges(generation.changes()),
         Join(ToStrings(generation.gateways())), generation.comment()});
  }
  if (table.empty()) {
    context.err() << "No generation yet: make the first with cordonctl apply -f FILE_OR_DIR\n";
  }
  table.Print(context.out(), context.style());
  return code;
}

ExitCode RunRollback(Context& context, const RollbackOptions& options) {
  v1::RollbackRequest request;
  request.set_to_generation(options.to);
  request.set_comment(options.comment);
  request.set_validate_only(options.validate_only);
  const auto stub = v1::PolicyService::NewStub(context.channel());
  v1::ApplyResponse response;
  const ExitCode code = context.Call(&v1::PolicyService::Stub::Rollback, *stub, request, &response,
                                     "See: cordonctl generations");
  if (code != ExitCode::kDone) return code;
  return FinishChange(context, options.wait,
                      options.validate_only ? Intent::kValidateOnly : Intent::kChange, response);
}

}  // namespace

void AddGenerationCommands(CommandTree& tree) {
  auto limit = std::make_shared<uint32_t>(20);
  CLI::App* generations =
      AddCommand(tree.root, "generations", "List policy generations, newest first: who and why.",
                 "  cordonctl generations --limit 5");
  generations->add_option("--limit", *limit, "At most so many")
      ->check(CLI::Range(1U, 1000U))
      ->type_name("N")
      ->capture_default_str();
  tree.Run(generations, [limit](Context& context) { return RunGenerations(context, *limit); });

  auto options = std::make_shared<RollbackOptions>();
  CLI::App* rollback =
      AddCommand(tree.root, "rollback",
                 "Make an older configuration current again, as a new generation, and wait for it.",
                 "  cordonctl rollback --to 41 --comment \"archive move postponed\"");
  rollback
      ->add_option("--to", options->to,
                   "Generation whose content comes back (default: the one before)")
      ->type_name("GENERATION");
  rollback->add_option("-m,--comment", options->comment, "Why; kept with the generation")
      ->type_name("TEXT");
  rollback->add_flag("--validate-only,--dry-run", options->validate_only,
                     "Show what would change, change nothing");
  options->wait.AddTo(*rollback);
  tree.Run(rollback, [options](Context& context) { return RunRollback(context, *options); });
}

}  // namespace cordon::cp::cli

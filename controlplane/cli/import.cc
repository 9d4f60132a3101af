// SPDX-License-Identifier: Apache-2.0
// cordonctl import devices.
#include <memory>
#include <string>
#include <vector>

#include "controlplane/cli/command.h"
#include "controlplane/cli/files.h"
#include "controlplane/cli/rollout.h"
#include "controlplane/cli/show.h"
#include "controlplane/cli/tree.h"
#include "cordon/v1/inventory_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

constexpr int kNamesShown = 20;

struct ImportOptions {
  std::string file;
  std::string mapping;
  bool validate_only = false;
  WaitOptions wait;
};

void PrintNames(std::ostream& out, const std::string& mark,
                const google::protobuf::RepeatedPtrField<std::string>& names) {
  for (int i = 0; i < names.size() && i < kNamesShown; ++i) {
    out << "  " << mark << ' ' << Printable(names[i]) << '\n';
  }
  if (names.size() > kNamesShown) {
    out << "  and " << FormatCount(static_cast<uint64_t>(names.size() - kNamesShown)) << " more\n";
  }
}

void PrintSummary(Context& context, const ImportOptions& options,
                  const v1::ImportDevicesResponse& response) {
  std::ostream& out = context.progress();
  const auto count = [](int number) { return FormatCount(static_cast<uint64_t>(number)); };
  out << Printable(options.file) << ": " << Plural(response.rows(), "row") << ": "
      << count(response.added_size()) << " added, " << count(response.changed_size())
      << " changed, " << FormatCount(response.unchanged()) << " unchanged, "
      << count(response.conflicts_size()) << " conflicting, " << count(response.errors_size())
      << " with errors, " << count(response.stale_size()) << " stale\n";
  PrintNames(out, "+", response.added());
  for (int i = 0; i < response.changed_size() && i < kNamesShown; ++i) {
    out << "  ~ " << Printable(response.changed(i).device()) << "  "
        << Printable(response.changed(i).description()) << '\n';
  }
  if (response.changed_size() > kNamesShown) {
    out << "  and " << count(response.changed_size() - kNamesShown) << " more changed\n";
  }
  if (response.stale_size() > 0) out << "No longer in the file (they stay):\n";
  PrintNames(out, "?", response.stale());
}

// Rows that were left out are refusals, although the other rows went in.
ExitCode ReportRefusedRows(Context& context, const v1::ImportDevicesResponse& response) {
  if (response.conflicts_size() > 0) {
    context.Fail(ExitCode::kRefused,
                 Plural(static_cast<uint64_t>(response.conflicts_size()), "conflict") +
                     "; the rows concerned changed nothing:");
    PrintFaults(context, response.conflicts());
  }
  if (response.errors_size() > 0) {
    context.Fail(
        ExitCode::kRefused,
        Plural(static_cast<uint64_t>(response.errors_size()), "error") +
            (response.rows() == 0 ? "; nothing was read:" : "; the rows concerned were left out:"));
    PrintFaults(context, response.errors());
  }
  const bool refused = response.conflicts_size() + response.errors_size() > 0;
  return refused ? ExitCode::kRefused : ExitCode::kDone;
}

ExitCode ReadInput(Context& context, const ImportOptions& options,
                   v1::ImportDevicesRequest& request) {
  InputFiles input = ReadFile(options.file);
  InputFiles mapping;
  if (!options.mapping.empty()) mapping = ReadFile(options.mapping);
  for (const InputFiles* files : {&input, &mapping}) {
    for (const std::string& fault : files->faults) context.Fail(ExitCode::kUsage, fault);
  }
  if (!input.faults.empty() || !mapping.faults.empty()) return ExitCode::kUsage;
  request.set_file(std::move(input.files[0].name));
  request.set_content(std::move(input.files[0].content));
  if (!mapping.files.empty()) {
    request.set_mapping_file(std::move(mapping.files[0].name));
    request.set_mapping(std::move(mapping.files[0].content));
  }
  return ExitCode::kDone;
}

ExitCode RunImport(Context& context, const ImportOptions& options) {
  v1::ImportDevicesRequest request;
  const ExitCode read = ReadInput(context, options, request);
  if (read != ExitCode::kDone) return read;
  request.set_validate_only(options.validate_only);
  const auto stub = v1::DeviceService::NewStub(context.channel());
  v1::ImportDevicesResponse response;
  const ExitCode code =
      context.Call(&v1::DeviceService::Stub::ImportDevices, *stub, request, &response);
  if (code != ExitCode::kDone) return code;
  PrintSummary(context, options, response);
  const ExitCode rows = ReportRefusedRows(context, response);
  ExitCode rollout = ExitCode::kDone;
  boost::json::array updates;
  if (options.validate_only) {
    context.progress() << "Checked only: nothing was changed.\n";
  } else if (response.generation() != 0) {
    rollout = AwaitRollout(context, options.wait, response.generation(),
                           ToStrings(response.gateways()), &updates);
  }
  if (context.structured()) {
    boost::json::object tree = ToTree(response);
    tree["rollout"] = std::move(updates);
    context.Write(tree);
  }
  return rollout != ExitCode::kDone ? rollout : rows;
}

}  // namespace

void AddImportCommands(CommandTree& tree) {
  CLI::App* import = AddCommand(tree.root, "import", "Read an inventory from another system.",
                                "  cordonctl import devices inventory.csv --mapping mapping.yaml")
                         ->require_subcommand(1);
  auto options = std::make_shared<ImportOptions>();
  CLI::App* devices = AddCommand(
      *import, "devices",
      "Merge devices from a CSV file; rows with errors are left out, nothing is ever deleted.",
      "  cordonctl import devices inventory.csv --mapping mapping.yaml --validate-only\n"
      "Exit: 0 all rows, 1 some rows had errors or conflicts (the others are in).");
  devices->alias("device");
  devices->add_option("FILE", options->file, "CSV file, at most 64 MiB")->required();
  devices
      ->add_option("--mapping", options->mapping,
                   "YAML file that says which column holds what (default: common CMMS names)")
      ->type_name("FILE");
  devices->add_flag("--validate-only,--dry-run", options->validate_only,
                    "Report what would happen, change nothing");
  options->wait.AddTo(*devices);
  tree.Run(devices, [options](Context& context) { return RunImport(context, *options); });
}

}  // namespace cordon::cp::cli

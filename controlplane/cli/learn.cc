// SPDX-License-Identifier: Apache-2.0
// cordonctl learn propose.
#include <memory>
#include <string>

#include "controlplane/cli/command.h"
#include "controlplane/cli/text.h"
#include "cordon/v1/policy_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

struct ProposeOptions {
  std::string device;
  std::string profile;
};

ExitCode RunPropose(Context& context, const ProposeOptions& options) {
  v1::ProposeRequest request;
  if (options.device.empty()) {
    request.set_profile(options.profile);
  } else {
    request.set_device(options.device);
  }
  const auto stub = v1::LearnService::NewStub(context.channel());
  v1::ProposeResponse response;
  const ExitCode code = context.Call(
      &v1::LearnService::Stub::Propose, *stub, request, &response,
      options.device.empty() ? "See: cordonctl get profiles" : "See: cordonctl get devices");
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(response);
    return code;
  }
  // The document alone goes to stdout, so that it can be redirected to a file and applied.
  for (const std::string& left_out : response.left_out()) {
    context.err() << "left out: " << Printable(left_out) << '\n';
  }
  if (response.rules().empty()) {
    context.err()
        << "Nothing to propose: no answered flow was seen. Put the device in mode observe "
           "and let it work.\n";
    return code;
  }
  context.out() << response.yaml();
  return code;
}

}  // namespace

void AddLearnCommands(CommandTree& tree) {
  CLI::App* learn = AddCommand(tree.root, "learn", "From what devices were seen to do, to rules.",
                               "  cordonctl learn propose --device ct-2 > ct-2.yaml")
                        ->require_subcommand(1);
  auto options = std::make_shared<ProposeOptions>();
  CLI::App* propose = AddCommand(
      *learn, "propose", "Print the rules that would cover what was seen, each with its evidence.",
      "  cordonctl learn propose --profile ct-scanner > ct-scanner.yaml\n"
      "Read and edit the file, then: cordonctl diff -f ct-scanner.yaml");
  CLI::Option* device =
      propose->add_option("--device", options->device, "What this device did")->type_name("NAME");
  propose->add_option("--profile", options->profile, "What all devices with this profile did")
      ->type_name("NAME")
      ->excludes(device);
  tree.Run(propose, [options](Context& context) { return RunPropose(context, *options); });
  propose->parse_complete_callback([options] {
    if (options->device.empty() && options->profile.empty()) {
      throw CLI::RequiredError("--device or --profile");
    }
  });
}

}  // namespace cordon::cp::cli

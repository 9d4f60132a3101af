// SPDX-License-Identifier: Apache-2.0
// cordonctl status.
#include <string>

#include "controlplane/cli/command.h"
#include "controlplane/cli/gateway.h"
#include "controlplane/cli/gateway_status.h"
#include "controlplane/cli/show.h"
#include "controlplane/cli/tree.h"
#include "cordon/v1/policy_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

std::string FormatNewest(const v1::ListGenerationsResponse& response, Clock::time_point now) {
  if (response.generations().empty()) return "none: no policy was ever applied";
  const v1::Generation& newest = response.generations(0);
  std::string text = std::to_string(newest.generation()) + ", " + newest.origin() + " by " +
                     newest.author() + ' ' +
                     Ago(newest, &v1::Generation::has_created, &v1::Generation::created, now);
  if (!newest.comment().empty()) text += ": " + newest.comment();
  return text;
}

ExitCode RunControllerStatus(Context& context) {
  const auto policy = v1::PolicyService::NewStub(context.channel());
  v1::ListGenerationsRequest request;
  request.set_limit(1);
  v1::ListGenerationsResponse generations;
  v1::ListGatewaysResponse gateways;
  ExitCode code =
      context.Call(&v1::PolicyService::Stub::ListGenerations, *policy, request, &generations);
  if (code == ExitCode::kDone) code = ListGateways(context, &gateways);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    boost::json::object tree;
    tree["controller"] = context.options().controller;
    tree["newest_generation"] = generations.generations().empty()
                                    ? boost::json::value(nullptr)
                                    : boost::json::value(ToTree(generations.generations(0)));
    tree["gateways"] = ToTree(gateways)["gateways"];
    context.Write(tree);
    return code;
  }
  uint64_t enforcing = 0;
  for (const v1::Gateway& gateway : gateways.gateways()) {
    enforcing += gateway.state() == v1::GATEWAY_STATE_ENFORCING ? 1 : 0;
  }
  const auto total = static_cast<uint64_t>(gateways.gateways_size());
  Sheet sheet;
  sheet.Add("Controller", {context.options().controller + ", answers", Tone::kGood});
  sheet.Add("Newest generation", FormatNewest(generations, context.now()));
  sheet.Add("Gateways", Cell(std::to_string(enforcing) + " of " + std::to_string(total) +
                                 " enforce what is intended",
                             enforcing == total ? Tone::kGood : Tone::kWarning));
  sheet.Print(context.out(), context.style());
  context.out() << '\n';
  PrintGateways(context, gateways);
  return code;
}

}  // namespace

void AddStatusCommand(CommandTree& tree) {
  CLI::App* status =
      AddCommand(tree.root, "status",
                 "Whether the controller answers and the gateways enforce; or a gateway itself.",
                 "  cordonctl status\n"
                 "  cordonctl --gateway-socket /run/cordon/gateway.sock status");
  tree.Run(
      status,
      [](Context& context) {
        return context.options().gateway_socket.empty() ? RunControllerStatus(context)
                                                        : RunGatewayStatus(context);
      },
      CommandTree::Target::kControllerOrGateway);
}

}  // namespace cordon::cp::cli

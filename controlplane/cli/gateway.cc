// SPDX-License-Identifier: Apache-2.0
// cordonctl gateways, cordonctl get gateways, cordonctl describe gateway.
#include "controlplane/cli/gateway.h"

#include <memory>
#include <string>

#include "controlplane/cli/command.h"
#include "controlplane/cli/show.h"
#include "cordon/v1/inventory_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

std::string FormatGeneration(uint64_t generation) {
  return generation == 0 ? "none" : std::to_string(generation);
}

ExitCode GetOne(Context& context, const std::string& name, v1::Gateway* gateway) {
  const auto stub = v1::GatewayService::NewStub(context.channel());
  v1::GetGatewayRequest request;
  request.set_name(name);
  return context.Call(&v1::GatewayService::Stub::GetGateway, *stub, request, gateway,
                      "See: cordonctl gateways");
}

ExitCode RunGet(Context& context, const std::string& name) {
  v1::ListGatewaysResponse response;
  const ExitCode code = name.empty() ? ListGateways(context, &response)
                                     : GetOne(context, name, response.add_gateways());
  if (code != ExitCode::kDone) return code;
  if (!context.structured()) {
    PrintGateways(context, response);
  } else if (name.empty()) {
    context.Write(response);
  } else {
    context.Write(response.gateways(0));
  }
  return code;
}

Sheet FactsOf(const v1::Gateway& gateway, Clock::time_point now) {
  const bool connected = gateway.state() == v1::GATEWAY_STATE_PENDING ||
                         gateway.state() == v1::GATEWAY_STATE_REFUSED ||
                         gateway.state() == v1::GATEWAY_STATE_ENFORCING;
  Sheet sheet;
  sheet.Add("Gateway", {gateway.name(), Tone::kStrong});
  sheet.Add("State", GatewayStateCell(gateway.state()));
  sheet.Add(connected ? "Connected" : "Disconnected",
            Ago(gateway, &v1::Gateway::has_since, &v1::Gateway::since, now));
  sheet.Add("Intended", "generation " + FormatGeneration(gateway.intended_generation()));
  sheet.Add("Enforced", "generation " + FormatGeneration(gateway.enforced_generation()));
  sheet.Add("Pairs", Join(ToStrings(gateway.pairs())));
  sheet.Add("Unknown devices",
            gateway.unknown_device() == "deny" || gateway.unknown_device().empty()
                ? "denied"
                : "profile " + gateway.unknown_device());
  sheet.Add("Devices", FormatCount(gateway.devices()));
  if (connected) {
    sheet.Add("Flows",
              FormatCount(gateway.flows()) + " of " + FormatCount(gateway.flow_capacity()));
    sheet.Add("Unknown seen", FormatCount(gateway.unknown_devices()));
  }
  sheet.Add("Software", gateway.software_version());
  return sheet;
}

ExitCode RunDescribe(Context& context, const std::string& name) {
  v1::Gateway gateway;
  const ExitCode code = GetOne(context, name, &gateway);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(gateway);
    return code;
  }
  FactsOf(gateway, context.now()).Print(context.out(), context.style());
  if (!gateway.knobs().empty()) {
    context.out() << "\nFor frames that belong to no device:\n";
    PrintKnobs(gateway.knobs(), context.out(), context.style());
  }
  if (!gateway.guards().empty()) {
    context.out() << "\nGuards of its pairs:\n";
    PrintKnobs(gateway.guards(), context.out(), context.style());
  }
  if (gateway.faults().empty()) return code;
  context.out() << "\nWhy it refused generation " << gateway.intended_generation() << ":\n";
  for (const v1::Fault& fault : gateway.faults()) {
    context.out() << "  " << Printable(fault.path() + ": " + fault.message()) << '\n';
  }
  return code;
}

void AddList(CommandTree& tree, CLI::App& parent, const std::string& sentence) {
  auto one = std::make_shared<std::string>();
  CLI::App* get =
      AddCommand(parent, "gateways", sentence, "  cordonctl gateways")->alias("gateway");
  get->add_option("NAME", *one, "Only this one");
  tree.Run(get, [one](Context& context) { return RunGet(context, *one); });
}

}  // namespace

ExitCode ListGateways(Context& context, v1::ListGatewaysResponse* response) {
  const auto stub = v1::GatewayService::NewStub(context.channel());
  return context.Call(&v1::GatewayService::Stub::ListGateways, *stub, v1::ListGatewaysRequest(),
                      response);
}

void PrintGateways(Context& context, const v1::ListGatewaysResponse& response) {
  if (response.gateways().empty()) {
    context.err()
        << "No gateway yet: apply a document of kind Gateway with cordonctl apply -f FILE\n";
  }
  Table table({{"NAME"},
               {"STATE"},
               {"SINCE"},
               {"INTENDED", Table::Align::kRight},
               {"ENFORCED", Table::Align::kRight},
               {"DEVICES", Table::Align::kRight},
               {"UNKNOWN", Table::Align::kRight},
               {"FLOWS", Table::Align::kRight},
               {"SOFTWARE"}});
  for (const v1::Gateway& gateway : response.gateways()) {
    const bool behind = gateway.enforced_generation() != gateway.intended_generation();
    table.AddRow({gateway.name(), GatewayStateCell(gateway.state()),
                  Ago(gateway, &v1::Gateway::has_since, &v1::Gateway::since, context.now()),
                  FormatGeneration(gateway.intended_generation()),
                  Cell(FormatGeneration(gateway.enforced_generation()),
                       behind ? Tone::kWarning : Tone::kPlain),
                  Cell::Number(gateway.devices()), Cell::Number(gateway.unknown_devices()),
                  Cell::Number(gateway.flows()), gateway.software_version()});
  }
  table.Print(context.out(), context.style());
}

void AddGatewayCommands(CommandTree& tree) {
  const std::string sentence = "Gateways: their state, and which generation each enforces.";
  AddList(tree, *tree.get, sentence);
  AddList(tree, tree.root, sentence);

  auto name = std::make_shared<std::string>();
  CLI::App* describe =
      AddCommand(*tree.describe, "gateway", "A gateway's state, and why it refused a policy.",
                 "  cordonctl describe gateway radiology-1")
          ->alias("gateways");
  describe->add_option("NAME", *name, "Name of the gateway")->required();
  tree.Run(describe, [name](Context& context) { return RunDescribe(context, *name); });
}

}  // namespace cordon::cp::cli

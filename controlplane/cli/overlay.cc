// SPDX-License-Identifier: Apache-2.0
// cordonctl get overlays, cordonctl describe overlay.
#include <memory>
#include <string>

#include "controlplane/cli/command.h"
#include "controlplane/cli/show.h"
#include "cordon/v1/inventory_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

ExitCode GetOne(Context& context, const std::string& name, v1::Overlay* overlay) {
  const auto stub = v1::OverlayService::NewStub(context.channel());
  v1::GetOverlayRequest request;
  request.set_name(name);
  return context.Call(&v1::OverlayService::Stub::GetOverlay, *stub, request, overlay,
                      "See: cordonctl get overlays");
}

void PrintOverlays(Context& context, const v1::ListOverlaysResponse& response) {
  Table table({{"NAME"}, {"DENIES", Table::Align::kRight}, {"CHANGED"}, {"DESCRIPTION"}});
  for (const v1::Overlay& overlay : response.overlays()) {
    table.AddRow({overlay.name(), Cell::Number(static_cast<uint64_t>(overlay.rules_size())),
                  Ago(overlay, &v1::Overlay::has_changed, &v1::Overlay::changed, context.now()),
                  overlay.description()});
  }
  table.Print(context.out(), context.style());
}

ExitCode RunGet(Context& context, const std::string& name) {
  v1::ListOverlaysResponse response;
  if (!name.empty()) {
    const ExitCode code = GetOne(context, name, response.add_overlays());
    if (code != ExitCode::kDone) return code;
    context.structured() ? context.Write(response.overlays(0)) : PrintOverlays(context, response);
    return code;
  }
  const auto stub = v1::OverlayService::NewStub(context.channel());
  const ExitCode code = context.Call(&v1::OverlayService::Stub::ListOverlays, *stub,
                                     v1::ListOverlaysRequest(), &response);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(response);
    return code;
  }
  if (response.overlays().empty()) context.err() << "No overlay: nothing is denied fleet-wide.\n";
  PrintOverlays(context, response);
  return code;
}

ExitCode RunDescribe(Context& context, const std::string& name) {
  v1::Overlay overlay;
  const ExitCode code = GetOne(context, name, &overlay);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(overlay);
    return code;
  }
  Sheet sheet;
  sheet.Add("Overlay", {overlay.name(), Tone::kStrong});
  sheet.Add("Description", overlay.description());
  sheet.Add("Changed",
            Ago(overlay, &v1::Overlay::has_changed, &v1::Overlay::changed, context.now()));
  sheet.Print(context.out(), context.style());
  if (overlay.rules().empty()) {
    context.out() << "\nIt has no rule: nothing is denied.\n";
    return code;
  }
  context.out() << "\nDenied for every device, in every mode, before any rule:\n";
  Table table({{"RULE"}, {"WITH"}, {"SERVICE"}, {"REASON"}});
  for (const v1::OverlayEntry& rule : overlay.rules()) {
    table.AddRow({rule.id(), Join(ToStrings(rule.peer())), FormatService(rule), rule.reason()});
  }
  table.Print(context.out(), context.style());
  return code;
}

}  // namespace

void AddOverlayCommands(CommandTree& tree) {
  auto one = std::make_shared<std::string>();
  CLI::App* get =
      AddCommand(*tree.get, "overlays", "Overlays: what is denied for every device, before rules.",
                 "  cordonctl get overlays")
          ->alias("overlay");
  get->add_option("NAME", *one, "Only this one");
  tree.Run(get, [one](Context& context) { return RunGet(context, *one); });

  auto name = std::make_shared<std::string>();
  CLI::App* describe =
      AddCommand(*tree.describe, "overlay", "An overlay's rules, each with its reason.",
                 "  cordonctl describe overlay no-smb")
          ->alias("overlays");
  describe->add_option("NAME", *name, "Name of the overlay")->required();
  tree.Run(describe, [name](Context& context) { return RunDescribe(context, *name); });
}

}  // namespace cordon::cp::cli

// SPDX-License-Identifier: Apache-2.0
// cordonctl get devices, cordonctl describe device.
#include <algorithm>
#include <memory>
#include <string>

#include "controlplane/cli/command.h"
#include "controlplane/cli/show.h"
#include "controlplane/cli/tree.h"
#include "cordon/v1/inventory_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

constexpr uint32_t kPageSize = 1000;
constexpr std::string_view kHint = "See: cordonctl get devices";

struct GetOptions {
  std::string name;
  std::string gateway;
  std::string device_class;
  std::string profile;
};

ExitCode GetOne(Context& context, const std::string& name, v1::Device* device) {
  const auto stub = v1::DeviceService::NewStub(context.channel());
  v1::GetDeviceRequest request;
  request.set_name(name);
  return context.Call(&v1::DeviceService::Stub::GetDevice, *stub, request, device, kHint);
}

// All pages as one answer.
ExitCode ListAll(Context& context, const GetOptions& options, v1::ListDevicesResponse* all) {
  const auto stub = v1::DeviceService::NewStub(context.channel());
  v1::ListDevicesRequest request;
  request.set_page_size(kPageSize);
  request.set_gateway(options.gateway);
  request.set_device_class(options.device_class);
  request.set_profile(options.profile);
  do {
    v1::ListDevicesResponse page;
    const ExitCode code =
        context.Call(&v1::DeviceService::Stub::ListDevices, *stub, request, &page);
    if (code != ExitCode::kDone) return code;
    request.set_page_token(page.next_page_token());
    page.clear_next_page_token();
    all->MergeFrom(page);
  } while (!request.page_token().empty());
  return ExitCode::kDone;
}

void PrintDevices(Context& context, const v1::ListDevicesResponse& response) {
  Table table({{"NAME"}, {"CLASS"}, {"PROFILE"}, {"MODE"}, {"GATEWAY"}, {"VLAN"}, {"IP"}, {"MAC"}});
  for (const v1::Device& device : response.devices()) {
    table.AddRow({device.name(), device.device_class(), device.effective_profile(),
                  ModeCell(device.mode()), device.gateway(),
                  device.has_vlan() ? FormatVlan(device.vlan()) : "", FirstOf(device.ips()),
                  FirstOf(device.macs())});
  }
  table.Print(context.out(), context.style());
}

ExitCode RunGet(Context& context, const GetOptions& options) {
  v1::ListDevicesResponse response;
  if (!options.name.empty()) {
    const ExitCode code = GetOne(context, options.name, response.add_devices());
    if (code != ExitCode::kDone) return code;
    context.structured() ? context.Write(response.devices(0)) : PrintDevices(context, response);
    return code;
  }
  const ExitCode code = ListAll(context, options, &response);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    boost::json::object tree = ToTree(response);
    tree.erase("next_page_token");
    context.Write(tree);
    return code;
  }
  if (response.devices().empty()) {
    const bool filtered = !(options.gateway + options.device_class + options.profile).empty();
    context.err() << (filtered ? "No device fits these filters.\n"
                               : "No device yet: cordonctl import devices FILE, or apply -f.\n");
  }
  PrintDevices(context, response);
  return code;
}

void PrintFacts(Context& context, const v1::Device& device) {
  Sheet sheet;
  sheet.Add("Device", {device.name(), Tone::kStrong});
  sheet.Add("Mode", ModeCell(device.mode()));
  sheet.Add("Class", device.device_class());
  sheet.Add("Vendor", device.vendor());
  sheet.Add("Model", device.model());
  sheet.Add("Location", device.location());
  sheet.Add("Serial", device.serial());
  sheet.Add("Asset tag", device.asset_tag());
  sheet.Add("MAC", device.macs().empty() ? "none: known by its addresses (behind a router)"
                                         : Join(ToStrings(device.macs())));
  sheet.Add("IP", device.ips().empty() ? "none bound" : Join(ToStrings(device.ips())));
  sheet.Add("VLAN", device.has_vlan() ? FormatVlan(device.vlan()) : "untagged");
  sheet.Add("Gateway",
            device.gateway().empty() ? "none" : device.gateway() + ", pair " + device.pair());
  const bool assigned = device.profile().empty() && !device.effective_profile().empty();
  sheet.Add("Profile", device.effective_profile().empty()
                           ? Cell("none: nothing is allowed", Tone::kBad)
                           : device.effective_profile() +
                                 (assigned ? " (assigned by class, vendor and model)" : ""));
  sheet.Add("Source", device.source());
  sheet.Add("Changed", Ago(device, &v1::Device::has_changed, &v1::Device::changed, context.now()));
  sheet.Print(context.out(), context.style());
  if (device.effective_knobs().empty()) return;
  context.out() << "\nSet for it, by itself or its profile:\n";
  PrintKnobs(device.effective_knobs(), context.out(), context.style());
}

ExitCode RunDescribe(Context& context, const std::string& name) {
  v1::Device device;
  const ExitCode code = GetOne(context, name, &device);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(device);
    return code;
  }
  PrintFacts(context, device);
  if (device.effective_profile().empty()) return code;
  const auto stub = v1::ProfileService::NewStub(context.channel());
  v1::GetProfileRequest request;
  request.set_name(device.effective_profile());
  v1::Profile profile;
  const ExitCode found =
      context.Call(&v1::ProfileService::Stub::GetProfile, *stub, request, &profile);
  if (found != ExitCode::kDone) return found;
  context.out() << "\nMay talk:\n";
  RuleTable(profile).Print(context.out(), context.style());
  return found;
}

}  // namespace

void AddDeviceCommands(CommandTree& tree) {
  auto options = std::make_shared<GetOptions>();
  CLI::App* get = AddCommand(*tree.get, "devices", "Medical devices, and which profile each has.",
                             "  cordonctl get devices --class ct --gateway radiology-1")
                      ->alias("device");
  get->add_option("NAME", options->name, "Only this one");
  get->add_option("--gateway", options->gateway, "Only behind this gateway")->type_name("NAME");
  get->add_option("--class", options->device_class, "Only of this class")->type_name("CLASS");
  get->add_option("--profile", options->profile, "Only with this profile in force")
      ->type_name("NAME");
  tree.Run(get, [options](Context& context) { return RunGet(context, *options); });

  auto name = std::make_shared<std::string>();
  CLI::App* describe =
      AddCommand(*tree.describe, "device", "All that is known of a device, and what it may do.",
                 "  cordonctl describe device ct-2")
          ->alias("devices");
  describe->add_option("NAME", *name, "Name of the device")->required();
  tree.Run(describe, [name](Context& context) { return RunDescribe(context, *name); });
}

}  // namespace cordon::cp::cli

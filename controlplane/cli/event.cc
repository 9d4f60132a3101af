// SPDX-License-Identifier: Apache-2.0
// cordonctl events.
#include <memory>
#include <string>

#include "controlplane/cli/command.h"
#include "controlplane/cli/event_line.h"
#include "controlplane/cli/text.h"
#include "controlplane/cli/tree.h"
#include "cordon/v1/gateway_status.grpc.pb.h"
#include "cordon/v1/policy_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

struct EventOptions {
  std::string device;
  std::string gateway;
  bool follow = false;
  uint32_t last = 100;
};

void WriteRecord(Context& context, const v1::FlowRecord& record) {
  boost::json::object tree = ToTree(record);
  if (record.rule().empty()) tree["rule"] = "default";  // what holds where no rule does
  if (context.options().output == OutputFormat::kJson) {
    WriteJsonLine(tree, context.out());
  } else {
    context.out() << "---\n";
    WriteYaml(tree, context.out());
  }
}

// Prints what the stream brings until it ends, the administrator presses Ctrl-C, or nobody reads
// our output any more. The last two are how a person ends it: both are "done".
template <typename Response>
ExitCode Drain(Context& context, CallScope& scope, grpc::ClientReader<Response>& reader) {
  EventLines lines(context.style());
  bool reader_left = false;
  bool any = false;
  Response response;
  while (!reader_left && reader.Read(&response)) {
    any = any || response.records_size() > 0;
    if (context.structured()) {
      for (const v1::FlowRecord& record : response.records()) WriteRecord(context, record);
    } else {
      lines.Print(response.records(), context.out());
    }
    context.out().flush();
    if (response.lost() > 0) {
      context.Warn(Plural(response.lost(), "record") + " missed: this terminal reads too slowly");
    }
    reader_left = !context.out().good();
  }
  if (reader_left) scope.get()->TryCancel();
  const grpc::Status status = reader.Finish();
  if (reader_left || context.interrupt().triggered()) return ExitCode::kDone;
  if (status.ok() && !any && !context.structured()) context.err() << "No such event.\n";
  return context.Report(status);
}

ExitCode RunControllerEvents(Context& context, const EventOptions& options) {
  v1::WatchEventsRequest request;
  request.set_device(options.device);
  request.set_gateway(options.gateway);
  request.set_follow(options.follow);
  request.set_last(options.last);
  const auto stub = v1::EventService::NewStub(context.channel());
  CallScope scope(context.interrupt(), context.options(),
                  options.follow ? CallScope::Limit::kNone : CallScope::Limit::kTimeout);
  const auto reader = stub->WatchEvents(scope.get(), request);
  return Drain(context, scope, *reader);
}

ExitCode RunGatewayEvents(Context& context, const EventOptions& options) {
  if (!options.follow) {
    return context.Fail(ExitCode::kUsage, "a gateway remembers no events, it only shows new ones",
                        "Add --follow, or ask the controller (without --gateway-socket).");
  }
  v1::WatchGatewayEventsRequest request;
  request.set_device(options.device);
  const auto stub = v1::GatewayStatusService::NewStub(context.channel());
  CallScope scope(context.interrupt(), context.options(), CallScope::Limit::kNone);
  const auto reader = stub->WatchEvents(scope.get(), request);
  return Drain(context, scope, *reader);
}

}  // namespace

void AddEventCommand(CommandTree& tree) {
  auto options = std::make_shared<EventOptions>();
  CLI::App* events =
      AddCommand(tree.root, "events", "Flows that were refused or audited: who, to whom, and why.",
                 "  cordonctl events --follow --device pump-1\n"
                 "  cordonctl events --last 1000 -o json | jq -r .reason | sort | uniq -c\n"
                 "One line an event; -> is opened by the device, <- toward it. With -o json one "
                 "object a line.");
  events->add_flag("--follow", options->follow, "Keep showing what happens, until Ctrl-C");
  events->add_option("--device", options->device, "Only of this device")->type_name("NAME");
  events->add_option("--gateway", options->gateway, "Only from this gateway")->type_name("NAME");
  events->add_option("--last", options->last, "So many remembered events first")
      ->check(CLI::Range(1U, 10'000U))
      ->type_name("N")
      ->capture_default_str();
  tree.Run(
      events,
      [options](Context& context) {
        return context.options().gateway_socket.empty() ? RunControllerEvents(context, *options)
                                                        : RunGatewayEvents(context, *options);
      },
      CommandTree::Target::kControllerOrGateway);
}

}  // namespace cordon::cp::cli

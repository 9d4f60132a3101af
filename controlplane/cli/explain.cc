// SPDX-License-Identifier: Apache-2.0
// cordonctl explain.
#include <memory>
#include <string>
#include <variant>

#include "controlplane/cli/command.h"
#include "controlplane/cli/endpoint.h"
#include "controlplane/cli/show.h"
#include "controlplane/cli/tree.h"
#include "cordon/v1/policy_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

struct ExplainOptions {
  std::string device;
  std::string to;
  std::string from;
  bool exit_code = false;
};

v1::Protocol ToProto(EndpointProtocol protocol) {
  switch (protocol) {
    case EndpointProtocol::kTcp:
      return v1::PROTOCOL_TCP;
    case EndpointProtocol::kUdp:
      return v1::PROTOCOL_UDP;
    case EndpointProtocol::kIcmp:
      return v1::PROTOCOL_ICMP;
    case EndpointProtocol::kIcmpv6:
      return v1::PROTOCOL_ICMPV6;
  }
  return v1::PROTOCOL_UNSPECIFIED;
}

v1::ExplainRequest ToRequest(const ExplainOptions& options, const Endpoint& endpoint) {
  v1::ExplainRequest request;
  request.set_device(options.device);
  request.set_peer_ip(endpoint.ip);
  request.set_protocol(ToProto(endpoint.protocol));
  request.set_icmp_type(endpoint.icmp_type);
  if (options.from.empty()) {
    request.set_initiator(v1::INITIATOR_DEVICE);
    request.set_peer_port(endpoint.l4_port);
  } else {
    request.set_initiator(v1::INITIATOR_PEER);
    request.set_device_port(endpoint.l4_port);
  }
  return request;
}

std::string Question(const v1::ExplainRequest& request) {
  const bool to_device = request.initiator() == v1::INITIATOR_PEER;
  const std::string protocol = '/' + Word(request.protocol());
  const std::string l4_port =
      request.device_port() == 0 ? "" : ":" + std::to_string(request.device_port());
  return to_device ? request.peer_ip() + " -> " + request.device() + l4_port + protocol
                   : request.device() + " -> " +
                         FormatEndpoint(request.peer_ip(), request.peer_port()) + protocol;
}

void PrintAnswer(Context& context, const v1::ExplainRequest& request,
                 const v1::ExplainResponse& answer) {
  std::ostream& out = context.out();
  const Cell verdict = VerdictCell(answer.verdict());
  out << Paint(verdict.text, verdict.tone, context.style()) << "  " << Printable(Question(request))
      << '\n';
  Sheet sheet;
  sheet.Add("  Reason", answer.reason_help().empty()
                            ? answer.reason()
                            : answer.reason() + ": " + answer.reason_help());
  sheet.Add("  Rule", answer.rule());
  sheet.Add("  Needed because", answer.rule_reason());
  sheet.Add("  Profile", answer.profile());
  sheet.Add("  Mode", ModeCell(answer.mode()));
  if (answer.gateway().empty()) {
    sheet.Add("  Gateway", Cell("none: the device stands behind no gateway", Tone::kWarning));
  } else {
    sheet.Add("  Gateway",
              Cell(answer.gateway() + ", generation " + std::to_string(answer.generation()) +
                       (answer.enforced() ? ", enforced" : ", not enforced yet"),
                   answer.enforced() ? Tone::kPlain : Tone::kWarning));
  }
  sheet.Print(out, context.style());
  // The rule that allows it says enough; a refusal is explained by all that do not.
  if (answer.considered().empty() || answer.verdict() == v1::VERDICT_FORWARD) return;
  out << "  Rules looked at:\n";
  for (const std::string& rule : answer.considered()) out << "    " << Printable(rule) << '\n';
}

ExitCode RunExplain(Context& context, const ExplainOptions& options) {
  const bool outward = options.from.empty();
  const auto parsed = ParseEndpoint(outward ? options.to : options.from);
  if (const auto* wrong = std::get_if<std::string>(&parsed)) {
    return context.Fail(ExitCode::kUsage, (outward ? "--to: " : "--from: ") + *wrong);
  }
  const v1::ExplainRequest request = ToRequest(options, std::get<Endpoint>(parsed));
  const auto stub = v1::PolicyService::NewStub(context.channel());
  v1::ExplainResponse answer;
  const ExitCode code = context.Call(&v1::PolicyService::Stub::Explain, *stub, request, &answer,
                                     "See: cordonctl get devices");
  if (code != ExitCode::kDone) return code;
  context.structured() ? context.Write(answer) : PrintAnswer(context, request, answer);
  const bool dropped = answer.verdict() == v1::VERDICT_DROP;
  return dropped && options.exit_code ? ExitCode::kRefused : ExitCode::kDone;
}

}  // namespace

void AddExplainCommand(CommandTree& tree) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* explain =
      AddCommand(tree.root, "explain",
                 "Would this packet pass, and why? Asks the policy that the gateway runs.",
                 "  cordonctl explain --device ct-2 --to 10.20.0.10:104/tcp\n"
                 "  cordonctl explain --device ct-2 --from [fd00:20::10]:3010/tcp   (to the "
                 "device's port 3010)\n"
                 "  cordonctl explain --device ct-2 --to 10.20.0.1/icmp\n"
                 "Exit: 0 answered, whatever the answer; with --exit-code 1 for drop.");
  explain->add_option("--device", options->device, "The device")->required()->type_name("NAME");
  CLI::Option* to =
      explain->add_option("--to", options->to, "The device opens: the peer and its L4 port")
          ->type_name("IP:PORT/PROTOCOL");
  explain->add_option("--from", options->from, "A peer opens: its address and the device's L4 port")
      ->type_name("IP:PORT/PROTOCOL")
      ->excludes(to);
  explain->add_flag("--exit-code", options->exit_code, "Exit 1 if the answer is drop");
  tree.Run(explain, [options](Context& context) { return RunExplain(context, *options); });
  explain->parse_complete_callback([options] {
    if (options->to.empty() && options->from.empty()) {
      throw CLI::RequiredError("--to or --from");
    }
  });
}

}  // namespace cordon::cp::cli

// SPDX-License-Identifier: Apache-2.0
// cordonctl rules, cordonctl flows: asked of one gateway, at its socket.
#include <memory>
#include <string>

#include "controlplane/cli/command.h"
#include "controlplane/cli/event_line.h"
#include "controlplane/cli/show.h"
#include "cordon/v1/gateway_status.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

constexpr std::string_view kSocketHint =
    "Add --gateway-socket /run/cordon/gateway.sock, on the gateway.";

ExitCode NeedsSocket(Context& context, const char* what) {
  return context.Fail(ExitCode::kUsage, std::string("only a gateway knows ") + what, kSocketHint);
}

struct RuleOptions {
  std::string prefix;
  bool unused = false;
};

Cell LastHit(const v1::RuleUse& rule, Clock::time_point now) {
  if (rule.has_last_hit()) {
    return Ago(rule, &v1::RuleUse::has_last_hit, &v1::RuleUse::last_hit, now);
  }
  return {"never", Tone::kWarning};
}

Cell Expiry(const v1::RuleUse& rule, Clock::time_point now) {
  if (!rule.has_expires_at()) return "";
  const std::string when = Ago(rule, &v1::RuleUse::has_expires_at, &v1::RuleUse::expires_at, now);
  return rule.expired() ? Cell("expired " + when, Tone::kBad) : Cell(when);
}

void PrintRules(Context& context, const v1::ListRulesResponse& all) {
  Table table({{"RULE"},
               {"", Table::Align::kLeft},
               {"HITS", Table::Align::kRight},
               {"LAST HIT"},
               {"COUNTED SINCE"},
               {"EXPIRES"}});
  const Clock::time_point now = context.now();
  for (const v1::RuleUse& rule : all.rules()) {
    table.AddRow({rule.origin(), rule.overlay() ? Cell("denies", Tone::kBad) : Cell("allows"),
                  Cell::Number(rule.hits()), LastHit(rule, now),
                  Ago(rule, &v1::RuleUse::has_counted_since, &v1::RuleUse::counted_since, now),
                  Expiry(rule, now)});
  }
  table.Print(context.out(), context.style());
}

ExitCode RunRules(Context& context, const RuleOptions& options) {
  if (context.options().gateway_socket.empty()) return NeedsSocket(context, "how rules are used");
  v1::ListRulesRequest request;
  request.set_origin_prefix(options.prefix);
  request.set_unused(options.unused);
  const auto stub = v1::GatewayStatusService::NewStub(context.channel());
  CallScope scope(context.interrupt(), context.options());
  const auto reader = stub->ListRules(scope.get(), request);
  v1::ListRulesResponse all, part;
  while (reader->Read(&part)) all.MergeFrom(part);
  const ExitCode code = context.Report(reader->Finish());
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(all);
  } else if (all.rules().empty()) {
    context.err() << "No such rule.\n";
  } else {
    PrintRules(context, all);
  }
  return code;
}

struct FlowOptions {
  std::string device;
  std::string rule;
  std::string older_than;
  uint64_t generation = 0;
  uint32_t limit = 1000;
};

std::string RuleOf(const v1::FlowRecord& flow) {
  return flow.rule().empty() ? flow.reason() : flow.rule();
}

void PrintFlows(Context& context, const v1::ListFlowsResponse& all) {
  Table table({{"DEVICE"},
               {""},
               {"PEER"},
               {"SERVICE"},
               {"VERDICT"},
               {"RULE"},
               {"GENERATION", Table::Align::kRight},
               {"BEGAN"},
               {"LAST SEEN"},
               {"FRAMES", Table::Align::kRight},
               {"BYTES", Table::Align::kRight}});
  const Clock::time_point now = context.now();
  for (const v1::FlowRecord& flow : all.flows()) {
    table.AddRow({flow.device().empty() ? flow.device_mac() : flow.device(),
                  flow.initiator() == v1::INITIATOR_DEVICE ? "->" : "<-", flow.peer_ip(),
                  FormatService(flow), VerdictCell(flow.verdict()), RuleOf(flow),
                  std::to_string(flow.generation()),
                  Ago(flow, &v1::FlowRecord::has_first_seen, &v1::FlowRecord::first_seen, now),
                  Ago(flow, &v1::FlowRecord::has_last_seen, &v1::FlowRecord::last_seen, now),
                  Cell::Number(flow.initiator_frames() + flow.responder_frames()),
                  FormatBytes(flow.initiator_bytes() + flow.responder_bytes())});
  }
  table.Print(context.out(), context.style());
}

// False, told on stderr, if it is no duration.
bool SetOlderThan(Context& context, const std::string& text, v1::ListFlowsRequest& request) {
  if (text.empty()) return true;
  const auto age = ParseDuration(text);
  if (!age) {
    context.Fail(ExitCode::kUsage, "--older-than: '" + Printable(text) + "' is not a duration",
                 "Write 30s, 5m or 12h; at most a day.");
    return false;
  }
  request.mutable_older_than()->set_seconds(age->count() / 1000);
  request.mutable_older_than()->set_nanos(static_cast<int32_t>(age->count() % 1000 * 1'000'000));
  return true;
}

ExitCode RunFlows(Context& context, const FlowOptions& options) {
  if (context.options().gateway_socket.empty()) return NeedsSocket(context, "its live flows");
  v1::ListFlowsRequest request;
  request.set_device(options.device);
  request.set_rule(options.rule);
  request.set_generation(options.generation);
  request.set_limit(options.limit);
  if (!SetOlderThan(context, options.older_than, request)) return ExitCode::kUsage;
  const auto stub = v1::GatewayStatusService::NewStub(context.channel());
  CallScope scope(context.interrupt(), context.options());
  const auto reader = stub->ListFlows(scope.get(), request);
  v1::ListFlowsResponse all, part;
  while (reader->Read(&part)) {
    all.MergeFrom(part);
    all.set_truncated(all.truncated() || part.truncated());
  }
  const ExitCode code = context.Report(reader->Finish());
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(all);
    return code;
  }
  if (all.flows().empty()) {
    context.err() << "No such flow.\n";
  } else {
    PrintFlows(context, all);
  }
  if (all.truncated()) context.Warn("there are more flows: raise --limit or ask more narrowly");
  return code;
}

}  // namespace

void AddGatewayListCommands(CommandTree& tree) {
  auto rule_options = std::make_shared<RuleOptions>();
  CLI::App* rules = AddCommand(
      tree.root, "rules", "The rules a gateway enforces, and when each was last used.",
      "  cordonctl rules --gateway-socket /run/cordon/gateway.sock\n"
      "  cordonctl rules ct-scanner/ --unused --gateway-socket /run/cordon/gateway.sock\n"
      "Counts go on over new generations and restarts. Overlays come first.");
  rules->add_option("ORIGIN", rule_options->prefix, "Only rules whose profile/id begins so");
  rules->add_flag("--unused", rule_options->unused, "Only those that were never used");
  tree.Run(
      rules, [rule_options](Context& context) { return RunRules(context, *rule_options); },
      CommandTree::Target::kControllerOrGateway);

  auto flow_options = std::make_shared<FlowOptions>();
  CLI::App* flows = AddCommand(
      tree.root, "flows", "The live flows of a gateway: who talks to whom, by which rule.",
      "  cordonctl flows --device ct-2 --gateway-socket /run/cordon/gateway.sock\n"
      "  cordonctl flows --rule ct-scanner/store-images --older-than 1h -o json \\\n"
      "    --gateway-socket /run/cordon/gateway.sock");
  flows->add_option("--device", flow_options->device, "Only of this device")->type_name("NAME");
  flows->add_option("--rule", flow_options->rule, "Only of this rule")->type_name("PROFILE/ID");
  flows->add_option("--older-than", flow_options->older_than, "Only those that began before")
      ->type_name("TIME");
  flows->add_option("--generation", flow_options->generation, "Only those decided under it")
      ->type_name("N");
  flows->add_option("--limit", flow_options->limit, "At most so many")
      ->check(CLI::Range(1U, 1'000'000U))
      ->type_name("N")
      ->capture_default_str();
  tree.Run(
      flows, [flow_options](Context& context) { return RunFlows(context, *flow_options); },
      CommandTree::Target::kControllerOrGateway);
}

}  // namespace cordon::cp::cli

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/gateway_status.h"

#include <array>
#include <cstdio>
#include <string>

#include "controlplane/cli/reason.h"
#include "controlplane/cli/show.h"
#include "cordon/v1/gateway_status.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

std::string FormatPolicySource(v1::PolicySource source) {
  switch (source) {
    case v1::POLICY_SOURCE_CONTROLLER:
      return "pushed by the controller";
    case v1::POLICY_SOURCE_STORED:
      return "the last good one, from this gateway's disk";
    case v1::POLICY_SOURCE_PREVIOUS:
      return "the one before the last, because the last one's file was corrupt";
    default:
      return "none: everything is denied";
  }
}

Cell ControllerCell(const v1::ControllerSession& session, Clock::time_point now) {
  if (session.address().empty()) return "none configured";
  const std::string since =
      Ago(session, &v1::ControllerSession::has_since, &v1::ControllerSession::since, now);
  if (session.connected()) return {session.address() + ", connected " + since, Tone::kGood};
  std::string text = session.address() + ", disconnected " + since;
  if (!session.last_error().empty()) text += ": " + session.last_error();
  return {text, Tone::kBad};
}

void PrintFacts(Context& context, const v1::GatewayStatus& status) {
  const Clock::time_point now = context.now();
  const bool denies = status.enforced_generation() == 0;
  Sheet sheet;
  sheet.Add("Gateway", {status.gateway(), Tone::kStrong});
  sheet.Add("Software", status.software_version());
  sheet.Add("Started",
            Ago(status, &v1::GatewayStatus::has_started, &v1::GatewayStatus::started, now));
  sheet.Add("Enforces", denies ? Cell("no policy: everything is denied", Tone::kBad)
                               : Cell("generation " + std::to_string(status.enforced_generation()),
                                      Tone::kGood));
  sheet.Add("Received", Ago(status, &v1::GatewayStatus::has_generation_received,
                            &v1::GatewayStatus::generation_received, now));
  sheet.Add("Policy from", FormatPolicySource(status.policy_source()));
  sheet.Add("Devices", FormatCount(status.devices()) + ", " + Plural(status.rulesets(), "ruleset"));
  sheet.Add("Controller", ControllerCell(status.controller(), now));
  sheet.Print(context.out(), context.style());
  for (const std::string& alarm : status.alarms()) {
    context.out() << Paint("ALARM: " + Printable(alarm), Tone::kBad, context.style()) << '\n';
  }
}

void AddPort(Table& table, const std::string& pair, const std::string& side,
             const v1::PortStatus& port) {
  table.AddRow({pair, side, port.port(), port.driver(),
                port.link_up() ? Cell("up", Tone::kGood) : Cell("down", Tone::kBad),
                Cell::Number(port.received_frames()), Cell::Number(port.transmitted_frames()),
                Cell::Number(port.receive_missed() + port.receive_no_buffer()),
                Cell::Number(port.receive_errors())});
}

void PrintPorts(Context& context, const v1::GatewayStatus& status) {
  Table table({{"PAIR"},
               {"SIDE"},
               {"PORT"},
               {"DRIVER"},
               {"LINK"},
               {"RECEIVED", Table::Align::kRight},
               {"SENT", Table::Align::kRight},
               {"MISSED", Table::Align::kRight},
               {"ERRORS", Table::Align::kRight}});
  for (const v1::PairStatus& pair : status.pairs()) {
    AddPort(table, pair.name(), "device", pair.device_side());
    AddPort(table, pair.name(), "network", pair.network_side());
  }
  context.out() << '\n';
  table.Print(context.out(), context.style());
}

void PrintWorkers(Context& context, const v1::GatewayStatus& status) {
  Table table({{"WORKER", Table::Align::kRight},
               {"CPU", Table::Align::kRight},
               {"BUSY", Table::Align::kRight},
               {"FLOWS", Table::Align::kRight},
               {"CAPACITY", Table::Align::kRight},
               {"EVICTED", Table::Align::kRight},
               {"PAIRS"}});
  for (const v1::WorkerStatus& worker : status.workers()) {
    std::array<char, 16> busy{};
    std::snprintf(busy.data(), busy.size(), "%.1f %%", worker.busy_ratio() * 100);
    table.AddRow({std::to_string(worker.id()), std::to_string(worker.cpu()), busy.data(),
                  Cell::Number(worker.flows()), Cell::Number(worker.flow_capacity()),
                  Cell::Number(worker.flows_evicted()), Join(ToStrings(worker.pairs()))});
  }
  context.out() << '\n';
  table.Print(context.out(), context.style());
}

void PrintReasons(Context& context, const v1::GatewayStatus& status) {
  Table table({{"VERDICT"}, {"FRAMES", Table::Align::kRight}, {"REASON"}, {"MEANS"}});
  for (const v1::ReasonCount& count : status.reasons()) {
    table.AddRow({VerdictCell(count.verdict()), Cell::Number(count.frames()), count.reason(),
                  ReasonHelp(count.reason())});
  }
  context.out() << '\n';
  table.Print(context.out(), context.style());
}

}  // namespace

ExitCode RunGatewayStatus(Context& context) {
  const auto stub = v1::GatewayStatusService::NewStub(context.channel());
  v1::GatewayStatus status;
  const ExitCode code = context.Call(&v1::GatewayStatusService::Stub::GetGatewayStatus, *stub,
                                     v1::GetGatewayStatusRequest(), &status);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(status);
    return code;
  }
  PrintFacts(context, status);
  if (status.refused_generation() != 0) {
    context.out() << "Refused generation " << status.refused_generation() << ":\n";
    for (const v1::Fault& fault : status.refused_faults()) {
      context.out() << "  " << Printable(fault.path() + ": " + fault.message()) << '\n';
    }
  }
  PrintPorts(context, status);
  PrintWorkers(context, status);
  PrintReasons(context, status);
  return code;
}

}  // namespace cordon::cp::cli

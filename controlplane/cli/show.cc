// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/show.h"

#include <algorithm>
#include <map>

#include "controlplane/cli/text.h"
#include "controlplane/cli/tree.h"

namespace cordon::cp::cli {
namespace {

using google::protobuf::RepeatedPtrField;

std::string FormatPorts(const RepeatedPtrField<v1::PortRange>& ranges) {
  std::string text;
  for (const v1::PortRange& range : ranges) {
    if (!text.empty()) text += ',';
    text += std::to_string(range.first());
    if (range.last() != range.first()) text += '-' + std::to_string(range.last());
  }
  return text;
}

// "tcp", "igmp", "protocol 47".
std::string FormatProtocol(v1::Protocol protocol, uint32_t number) {
  constexpr uint32_t kIgmp = 2;
  if (protocol != v1::PROTOCOL_NUMBER) return Word(protocol);
  return number == kIgmp ? "igmp" : "protocol " + std::to_string(number);
}

}  // namespace

Clock::time_point ToTimePoint(const google::protobuf::Timestamp& time) {
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(
      std::chrono::seconds(time.seconds()) + std::chrono::nanoseconds(time.nanos())));
}

std::chrono::nanoseconds ToChrono(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) + std::chrono::nanoseconds(duration.nanos());
}

std::vector<std::string> ToStrings(const RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

std::string FirstOf(const RepeatedPtrField<std::string>& texts) {
  if (texts.empty()) return {};
  return texts.size() == 1 ? texts[0] : texts[0] + " +" + std::to_string(texts.size() - 1);
}

std::string FormatVlan(const v1::Vlan& vlan) {
  const std::string outer = std::to_string(vlan.outer());
  return vlan.inner() == 0 ? outer : outer + '.' + std::to_string(vlan.inner());
}

Cell ModeCell(v1::Mode mode) {
  const Tone tone = mode == v1::MODE_ENFORCE      ? Tone::kGood
                    : mode == v1::MODE_QUARANTINE ? Tone::kBad
                                                  : Tone::kWarning;
  return {Word(mode), tone};
}

Cell VerdictCell(v1::Verdict verdict) {
  const Tone tone = verdict == v1::VERDICT_FORWARD ? Tone::kGood
                    : verdict == v1::VERDICT_AUDIT ? Tone::kWarning
                                                   : Tone::kBad;
  return {Word(verdict), tone};
}

Cell GatewayStateCell(v1::GatewayState state) {
  const Tone tone = state == v1::GATEWAY_STATE_ENFORCING ? Tone::kGood
                    : state == v1::GATEWAY_STATE_PENDING ? Tone::kWarning
                                                         : Tone::kBad;
  return {Word(state), tone};
}

std::string FormatService(const v1::ProfileRule& rule) {
  if (!rule.preset().empty()) return "preset " + rule.preset();
  const bool by_device = rule.initiator() == v1::INITIATOR_DEVICE;
  const std::string listening = FormatPorts(by_device ? rule.peer_ports() : rule.device_ports());
  const std::string opening = FormatPorts(by_device ? rule.device_ports() : rule.peer_ports());
  std::string text = FormatProtocol(rule.protocol(), rule.protocol_number());
  if (!listening.empty()) text += '/' + listening;
  if (!opening.empty()) text += " from " + opening;
  for (int i = 0; i < rule.icmp_types_size(); ++i) {
    text += (i == 0 ? " type " : ",") + std::to_string(rule.icmp_types(i));
  }
  return text;
}

std::string FormatService(const v1::OverlayEntry& rule) {
  std::string text = FormatProtocol(rule.protocol(), rule.protocol_number());
  if (!rule.ports().empty()) text += '/' + FormatPorts(rule.ports());
  for (int i = 0; i < rule.icmp_types_size(); ++i) {
    text += (i == 0 ? " type " : ",") + std::to_string(rule.icmp_types(i));
  }
  return text;
}

void PrintKnobs(const google::protobuf::Map<std::string, std::string>& knobs, std::ostream& out,
                const Style& style) {
  const std::map<std::string, std::string> sorted(knobs.begin(), knobs.end());
  Table table({{"KNOB"}, {"VALUE"}});
  for (const auto& [name, value] : sorted) table.AddRow({name, value});
  table.Print(out, style);
}

std::string FormatPeer(const v1::ProfileRule& rule) {
  if (!rule.preset().empty()) return "<> " + Join(ToStrings(rule.peer()));
  const char* arrow = rule.initiator() == v1::INITIATOR_DEVICE ? "-> " : "<- ";
  return arrow + Join(ToStrings(rule.peer()));
}

Table RuleTable(const v1::Profile& profile) {
  Table table({{"RULE"}, {"PEER"}, {"SERVICE"}, {"ALSO"}, {"REASON"}});
  for (const v1::ProfileRule& rule : profile.rules()) {
    std::vector<std::string> also;
    if (rule.has_vlan()) also.push_back("vlan " + FormatVlan(rule.vlan()));
    if (rule.has_idle_timeout()) {
      also.push_back("idle " + FormatDuration(ToChrono(rule.idle_timeout())));
    }
    if (rule.keep_alive()) also.emplace_back("keep-alive");
    if (!rule.group().empty()) also.push_back("group " + rule.group());
    if (rule.has_expires_at()) {
      also.push_back("until " + FormatTime(ToTimePoint(rule.expires_at())));
    }
    if (rule.log()) also.emplace_back("logged");
    table.AddRow({rule.id(), FormatPeer(rule), FormatService(rule), Join(also), rule.reason()});
  }
  return table;
}

void PrintFaults(Context& context, const RepeatedPtrField<v1::Fault>& faults) {
  for (const v1::Fault& fault : faults) {
    const std::string place = fault.path().empty() ? "" : fault.path() + ": ";
    context.err() << "  " << Printable(place + fault.message()) << '\n';
  }
}

void PrintWarnings(Context& context, const RepeatedPtrField<v1::Fault>& warnings) {
  for (const v1::Fault& warning : warnings) {
    const std::string place = warning.path().empty() ? "" : warning.path() + ": ";
    context.Warn(place + warning.message());
  }
}

void PrintChanges(const RepeatedPtrField<v1::ResourceChange>& changes, size_t limit,
                  std::ostream& out, const Style& style) {
  size_t shown = 0;
  for (const v1::ResourceChange& change : changes) {
    if (shown++ == limit) {
      out << "  and " << FormatCount(static_cast<size_t>(changes.size()) - limit) << " more\n";
      return;
    }
    const bool added = change.type() == v1::CHANGE_TYPE_ADDED;
    const bool removed = change.type() == v1::CHANGE_TYPE_REMOVED;
    const Tone tone = added ? Tone::kGood : removed ? Tone::kBad : Tone::kWarning;
    const std::string line = std::string(added     ? "+ "
                                         : removed ? "- "
                                                   : "~ ") +
                             change.kind() + ' ' + Printable(change.name());
    out << "  " << Paint(line, tone, style) << '\n';
    for (const std::string& detail : change.details()) out << "      " << Printable(detail) << '\n';
  }
}

std::string CountChanges(const RepeatedPtrField<v1::ResourceChange>& changes) {
  std::vector<std::string> counts;
  for (const auto type :
       {v1::CHANGE_TYPE_ADDED, v1::CHANGE_TYPE_CHANGED, v1::CHANGE_TYPE_REMOVED}) {
    const auto count = std::count_if(changes.begin(), changes.end(),
                                     [&](const auto& change) { return change.type() == type; });
    if (count > 0) counts.push_back(FormatCount(static_cast<uint64_t>(count)) + ' ' + Word(type));
  }
  return Join(counts);
}

}  // namespace cordon::cp::cli

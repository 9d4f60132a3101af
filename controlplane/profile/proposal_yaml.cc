// SPDX-License-Identifier: Apache-2.0
// ToYaml(Proposal): written by hand rather than by a YAML library because of the comments.
#include <cstdio>

#include "controlplane/profile/evidence.h"
#include "controlplane/profile/learn.h"

namespace cordon::cp {
namespace {

// In double quotes with escapes (YAML 1.2 section 7.3.1), whatever the text holds.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

// A comment ends with its line.
std::string Comment(const std::string& indent, const std::string& text) {
  std::string line = indent + "# ";
  for (const char c : text) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return line + "\n";
}

template <typename T, typename Convert>
std::string ListLine(const std::string& key, const std::vector<T>& values, Convert convert) {
  if (values.empty()) return "";
  std::string list;
  for (const T& value : values) list += (list.empty() ? "" : ", ") + convert(value);
  return "    " + key + ": [" + list + "]\n";
}

std::string RuleText(const ProposedRule& proposed) {
  const ProfileRule& rule = proposed.rule;
  const std::string indent = "  ";
  std::string text = Comment(
      indent, Counted(proposed.devices, "device") + ", " + Counted(proposed.days, "day") + ", " +
                  Counted(proposed.flows, "flow") + ", " + Counted(proposed.bytes, "byte") + ", " +
                  DateOf(proposed.first_seen) + " to " + DateOf(proposed.last_seen));
  if (proposed.days < 2) text += Comment(indent, "weak: seen on one day only");
  if (!proposed.covered_by.empty()) {
    text += Comment(indent, "the present profile allows this already: " + proposed.covered_by);
  }
  const auto ports = [](const dp::PortRange& range) {
    return range.first == range.last ? dp::ToString(range) : Quoted(dp::ToString(range));
  };
  text += indent + "- id: " + Quoted(rule.id) + "\n";
  text += "    initiator: ";
  text += rule.initiator == RuleInitiator::kDevice ? "device\n" : "peer\n";
  text += ListLine("peer", rule.peer, Quoted);
  text += "    protocol: " + ProtocolText(rule.protocol, rule.protocol_number) + "\n";
  text += ListLine("peer_ports", rule.peer_ports, ports);
  text += ListLine("device_ports", rule.device_ports, ports);
  text +=
      ListLine("icmp_types", rule.icmp_types, [](uint8_t type) { return std::to_string(type); });
  return text + "    reason: " + Quoted(rule.reason) + "\n";
}

}  // namespace

std::string ToYaml(const Proposal& proposal) {
  std::string text = Comment("", "Proposed from what was seen; nothing is allowed by it yet.");
  text += Comment("", "Review each rule, give it the reason why the device needs it, then apply.");
  if (!proposal.left_out.empty()) {
    text += Comment("", "Left out:");
    for (const std::string& sentence : proposal.left_out) text += Comment("", "- " + sentence);
  }
  text += "kind: Profile\nname: " + Quoted(proposal.name) + "\n";
  if (proposal.rules.empty()) return text + "rules: []\n";
  text += "rules:\n";
  for (const ProposedRule& proposed : proposal.rules) text += RuleText(proposed);
  return text;
}

}  // namespace cordon::cp

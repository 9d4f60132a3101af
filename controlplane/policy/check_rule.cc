// SPDX-License-Identifier: Apache-2.0
#include "controlplane/policy/check_rule.h"

#include <iterator>
#include <vector>

#include "controlplane/policy/describe.h"
#include "controlplane/profile/preset.h"

namespace cordon::cp {
namespace {

// Longer ones are a slip of the unit, and the data plane's 32-bit milliseconds wrap after 49 days.
constexpr std::chrono::seconds kLongestIdleTimeout = std::chrono::hours(24 * 40);

bool IsIcmp(RuleProtocol protocol) {
  return protocol == RuleProtocol::kIcmp || protocol == RuleProtocol::kIcmpv6;
}
bool HasPorts(RuleProtocol protocol) {
  return !IsIcmp(protocol) && protocol != RuleProtocol::kNumber;
}

}  // namespace

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

void RuleChecker::Check(const ProfileRule& rule) const {
  if (rule.reason.empty()) fault_("reason", "say why the device needs this rule");
  CheckPeers(rule.peer);
  if (rule.idle_timeout.count() < 0 || rule.idle_timeout > kLongestIdleTimeout) {
    fault_("idle_timeout", "an idle timeout is from 1s to 960h (40 days)");
  }
  if (rule.vlan) CheckVlan(*rule.vlan);
  if (!rule.preset.empty()) return CheckPreset(rule);
  CheckGroup(rule);
  CheckProtocol(rule.protocol, rule.protocol_number);
  if (!HasPorts(rule.protocol) && !(rule.peer_ports.empty() && rule.device_ports.empty())) {
    fault_("protocol", ProtocolText(rule.protocol, rule.protocol_number) +
                           " has no ports; leave out peer_ports and device_ports");
  }
  if (!IsIcmp(rule.protocol) && !rule.icmp_types.empty()) {
    fault_("icmp_types", "only rules of protocol icmp or icmpv6 have icmp_types");
  }
  CheckPorts("peer_ports", rule.peer_ports);
  CheckPorts("device_ports", rule.device_ports);
}

void RuleChecker::Check(const OverlayRule& rule) const {
  if (rule.reason.empty()) fault_("reason", "say why it is denied everywhere");
  CheckPeers(rule.peer);
  CheckProtocol(rule.protocol, rule.protocol_number);
  CheckPorts("ports", rule.ports);
  if (!rule.ports.empty() && !HasPorts(rule.protocol)) {
    fault_("ports", "only tcp, udp and any have ports");
  }
  if (!IsIcmp(rule.protocol) && !rule.icmp_types.empty()) {
    fault_("icmp_types", "only rules of protocol icmp or icmpv6 have icmp_types");
  }
}

void RuleChecker::CheckVlan(dp::VlanTags vlan) const {
  if (vlan.outer > 4094 || vlan.inner > 4094 || (vlan.outer == 0 && vlan.inner != 0)) {
    fault_("vlan", "VLAN ids are 1 to 4094, written 30 or 100.30 (outer.inner)");
  }
}

void RuleChecker::CheckPeers(const std::vector<std::string>& peers) const {
  if (peers.empty()) {
    fault_("peer", "a rule needs a peer: a Peer's name, 'any', or addresses");
  }
  for (const std::string& name : peers) {
    if (name == "any") {
      if (peers.size() > 1) fault_("peer", "'any' stands alone; drop the other peers");
    } else if (!configuration_.peers.contains(name) && !dp::ParsePrefix(name)) {
      fault_("peer", "there is no Peer '" + name + "'" + DidYouMean(name, configuration_.peers) +
                         " (a peer is a Peer's name, 'any', or addresses)");
    }
  }
}

void RuleChecker::CheckPreset(const ProfileRule& rule) const {
  if (PresetHelp(rule.preset).empty()) {
    fault_("preset", "there is no preset '" + rule.preset + "'; there are: " + Join(PresetNames()));
  }
  if (rule.group || !rule.peer_ports.empty() || !rule.device_ports.empty() ||
      !rule.icmp_types.empty()) {
    fault_("preset", "says protocol, ports, ICMP types and groups itself; leave them out");
  }
}

void RuleChecker::CheckGroup(const ProfileRule& rule) const {
  if (!rule.group) return;
  if (rule.group->IsUnspecified()) {
    fault_("group", "name a multicast or broadcast address such as 224.0.0.251");
  } else if (rule.initiator == RuleInitiator::kDevice) {
    fault_("group",
           "is for what peers send; what the device sends to a group has the group as its peer");
  } else if (rule.protocol == RuleProtocol::kTcp) {
    fault_("group", "TCP is never sent to a group; use udp");
  }
}

void RuleChecker::CheckProtocol(RuleProtocol protocol, uint8_t number) const {
  constexpr uint8_t kNever[] = {0, 1, 6, 17, 43, 44, 58, 59, 60};
  if (protocol != RuleProtocol::kNumber ||
      std::find(std::begin(kNever), std::end(kNever), number) == std::end(kNever)) {
    return;
  }
  fault_("protocol", "the number " + std::to_string(number) +
                         " cannot be named; use tcp, udp, icmp or icmpv6 (IPv6 extension headers "
                         "are no protocols)");
}

void RuleChecker::CheckPorts(const std::string& field,
                             const std::vector<dp::PortRange>& ranges) const {
  for (const dp::PortRange& range : ranges) {
    if (range.first == 0 || range.first > range.last) {
      fault_(field, "'" + std::to_string(range.first) + "-" + std::to_string(range.last) +
                        "' is no range of L4 ports; ports are 1 to 65535, the lower one first");
    }
  }
}

std::string RuleWarning(const ProfileRule& rule) {
  const bool everything = rule.preset.empty() && rule.protocol == RuleProtocol::kAny &&
                          rule.peer_ports.empty() && rule.device_ports.empty() &&
                          std::find(rule.peer.begin(), rule.peer.end(), "any") != rule.peer.end();
  if (!everything) return "";
  return rule.initiator == RuleInitiator::kDevice
             ? "allows the device to open everything to everybody"
             : "allows everybody to open everything to the device";
}

}  // namespace cordon::cp

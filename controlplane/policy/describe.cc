// SPDX-License-Identifier: Apache-2.0
#include "controlplane/policy/describe.h"

#include "controlplane/policy/ethertype.h"
#include "controlplane/profile/instant.h"
#include "controlplane/profile/preset.h"

namespace cordon::cp {

std::string Join(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::string JoinPorts(const std::vector<dp::PortRange>& ranges) {
  std::vector<std::string> words;
  for (const dp::PortRange& range : ranges) words.push_back(dp::ToString(range));
  return Join(words);
}

std::string DescribePrefix(const dp::IpPrefix& prefix) {
  const bool one_address = prefix.length == (prefix.address.IsV4() ? 32 : 128);
  return one_address ? ToString(prefix.address) : ToString(prefix);
}

std::string DescribeDuration(std::chrono::seconds duration) {
  const auto seconds = duration.count();
  if (seconds != 0 && seconds % 3600 == 0) return std::to_string(seconds / 3600) + "h";
  if (seconds != 0 && seconds % 60 == 0) return std::to_string(seconds / 60) + "m";
  return std::to_string(seconds) + "s";
}

const ProfileRule* FindRule(const Profile& profile, std::string_view id) {
  for (const ProfileRule& rule : profile.rules) {
    if (rule.id == id) return &rule;
  }
  return nullptr;
}

std::string DescribeRight(const ProfileRule& rule, const std::string& peers) {
  if (!rule.preset.empty()) {
    return "use " + rule.preset + (peers.empty() ? "" : " with " + peers);
  }
  const std::string protocol = rule.protocol == RuleProtocol::kAny
                                   ? "any protocol"
                                   : ProtocolText(rule.protocol, rule.protocol_number);
  const std::string who = peers == "any" ? "any address" : peers;
  std::string text = rule.initiator == RuleInitiator::kDevice
                         ? "open " + protocol + " to " + who
                         : "be reached by " + protocol + " from " + who;
  if (rule.initiator == RuleInitiator::kDevice) {
    if (!rule.peer_ports.empty()) text += " ports " + JoinPorts(rule.peer_ports);
    if (!rule.device_ports.empty()) text += " from its ports " + JoinPorts(rule.device_ports);
  } else {
    if (!rule.device_ports.empty()) text += " on ports " + JoinPorts(rule.device_ports);
    if (!rule.peer_ports.empty()) text += " coming from ports " + JoinPorts(rule.peer_ports);
  }
  if (!rule.icmp_types.empty()) {
    std::vector<std::string> types;
    for (uint8_t type : rule.icmp_types) types.push_back(std::to_string(type));
    text += " types " + Join(types);
  }
  if (rule.group) text += " to the group " + ToString(*rule.group);
  if (rule.vlan) text += rule.vlan->outer == 0 ? " untagged" : " in VLAN " + ToString(*rule.vlan);
  return text;
}

std::string DescribeRule(const ProfileRule& rule) {
  std::string text = DescribeRight(rule, Join(rule.peer));
  if (rule.idle_timeout.count() != 0) {
    text += ", idle timeout " + DescribeDuration(rule.idle_timeout);
  }
  if (rule.keep_alive) text += ", kept in quarantine";
  if (rule.expires_at) text += ", until " + FormatInstant(*rule.expires_at);
  if (rule.log) text += ", logged";
  return text;
}

std::string DescribeOverlayRule(const OverlayRule& rule) {
  const std::string who = Join(rule.peer) == "any" ? "any address" : Join(rule.peer);
  std::string text = rule.protocol == RuleProtocol::kAny && rule.ports.empty()
                         ? "deny every protocol"
                         : "deny " + ProtocolText(rule.protocol, rule.protocol_number);
  text += " with " + who;
  if (!rule.ports.empty()) text += " ports " + JoinPorts(rule.ports);
  std::vector<std::string> types;
  for (const uint8_t type : rule.icmp_types) types.push_back(std::to_string(type));
  return types.empty() ? text : text + " types " + Join(types);
}

std::map<std::string, std::string> DescribeGuards(const dp::GuardSpec& guards) {
  std::vector<std::string> ethertypes, servers;
  for (const uint16_t ethertype : guards.ethertypes) ethertypes.push_back(EthertypeText(ethertype));
  for (const dp::IpAddress& server : guards.dhcp_servers) servers.push_back(ToString(server));
  const auto rate = [](uint32_t frames) { return frames == 0 ? "" : std::to_string(frames); };
  return {{"ethertypes", Join(ethertypes)},
          {"dhcp_servers", Join(servers)},
          {"arp_per_second", rate(guards.arp_per_second)},
          {"group_per_second", rate(guards.group_per_second)}};
}

std::string DescribeMatch(const std::vector<ProfileMatch>& match) {
  std::vector<std::string> alternatives;
  for (const ProfileMatch& one : match) {
    std::vector<std::string> fields;
    if (!one.device_class.empty()) fields.push_back("class " + one.device_class);
    if (!one.vendor.empty()) fields.push_back("vendor " + one.vendor);
    if (!one.model.empty()) fields.push_back("model " + one.model);
    alternatives.push_back(Join(fields, " and "));
  }
  return Join(alternatives, " or ");
}

}  // namespace cordon::cp

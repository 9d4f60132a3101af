// SPDX-License-Identifier: Apache-2.0
#include "controlplane/policy/resolve.h"

#include <algorithm>

namespace cordon::cp {
namespace {

dp::RuleProtocol ResolveProtocol(RuleProtocol protocol) {
  switch (protocol) {
    case RuleProtocol::kTcp:
      return dp::RuleProtocol::kTcp;
    case RuleProtocol::kUdp:
      return dp::RuleProtocol::kUdp;
    case RuleProtocol::kIcmp:
      return dp::RuleProtocol::kIcmp;
    case RuleProtocol::kIcmpv6:
      return dp::RuleProtocol::kIcmpv6;
    case RuleProtocol::kAny:
      break;
  }
  return dp::RuleProtocol::kAny;
}

}  // namespace

dp::RuleSpec ResolveRule(const std::string& profile, const ProfileRule& rule,
                         const std::map<std::string, Peer>& peers) {
  dp::RuleSpec spec;
  spec.origin = profile + "/" + rule.id;
  spec.initiator =
      rule.initiator == RuleInitiator::kDevice ? dp::Initiator::kDevice : dp::Initiator::kPeer;
  spec.protocol = ResolveProtocol(rule.protocol);
  spec.peer_ports = rule.peer_ports;
  spec.device_ports = rule.device_ports;
  spec.icmp_types = rule.icmp_types;
  spec.vlan = rule.vlan;
  spec.idle_timeout = rule.idle_timeout;
  spec.keep_alive = rule.keep_alive;
  for (const std::string& name : rule.peer) {
    if (name == "any") {
      spec.any_peer = true;
    } else if (const auto peer = peers.find(name); peer != peers.end()) {
      spec.peers.insert(spec.peers.end(), peer->second.addresses.begin(),
                        peer->second.addresses.end());
    } else if (const auto prefix = dp::ParsePrefix(name)) {
      spec.peers.push_back(*prefix);
    }
  }
  if (spec.any_peer) spec.peers.clear();
  std::sort(spec.peers.begin(), spec.peers.end());
  spec.peers.erase(std::unique(spec.peers.begin(), spec.peers.end()), spec.peers.end());
  return spec;
}

dp::RulesetSpec ResolveRuleset(const Profile& profile, const std::map<std::string, Peer>& peers) {
  dp::RulesetSpec ruleset{profile.name, {}};
  for (const ProfileRule& rule : profile.rules) {
    ruleset.rules.push_back(ResolveRule(profile.name, rule, peers));
  }
  return ruleset;
}

dp::Mode ResolveMode(DeviceMode mode) {
  switch (mode) {
    case DeviceMode::kObserve:
      return dp::Mode::kObserve;
    case DeviceMode::kAudit:
      return dp::Mode::kAudit;
    case DeviceMode::kEnforce:
      return dp::Mode::kEnforce;
    case DeviceMode::kQuarantine:
      break;
  }
  return dp::Mode::kQuarantine;
}

std::vector<Profile> ProfileList(const Configuration& configuration) {
  std::vector<Profile> profiles;
  profiles.reserve(configuration.profiles.size());
  for (const auto& [name, profile] : configuration.profiles) profiles.push_back(profile);
  return profiles;
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/policy/resolve.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "controlplane/profile/preset.h"

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
    case RuleProtocol::kNumber:
      return dp::RuleProtocol::kNumber;
    case RuleProtocol::kAny:
      break;
  }
  return dp::RuleProtocol::kAny;
}

// Names and addresses -> prefixes, sorted, each once; none and true for "any".
std::pair<std::vector<dp::IpPrefix>, bool> ResolvePeers(const std::vector<std::string>& names,
                                                        const std::map<std::string, Peer>& peers) {
  std::vector<dp::IpPrefix> prefixes;
  for (const std::string& name : names) {
    if (name == "any") return {{}, true};
    if (const auto peer = peers.find(name); peer != peers.end()) {
      const auto& addresses = peer->second.addresses;
      prefixes.insert(prefixes.end(), addresses.begin(), addresses.end());
    } else if (const auto prefix = dp::ParsePrefix(name)) {
      prefixes.push_back(*prefix);
    }
  }
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  return {std::move(prefixes), false};
}

}  // namespace

dp::RuleSpec ResolveRule(const std::string& profile, const ProfileRule& rule,
                         const std::map<std::string, Peer>& peers) {
  dp::RuleSpec spec;
  spec.origin = profile + "/" + rule.id;
  spec.initiator =
      rule.initiator == RuleInitiator::kDevice ? dp::Initiator::kDevice : dp::Initiator::kPeer;
  spec.protocol = ResolveProtocol(rule.protocol);
  spec.protocol_number = rule.protocol_number;
  spec.peer_ports = rule.peer_ports;
  spec.device_ports = rule.device_ports;
  spec.icmp_types = rule.icmp_types;
  spec.vlan = rule.vlan;
  spec.idle_timeout = rule.idle_timeout;
  spec.keep_alive = rule.keep_alive;
  spec.group = rule.group;
  spec.expires_at = rule.expires_at;
  spec.log = rule.log;
  std::tie(spec.peers, spec.any_peer) = ResolvePeers(rule.peer, peers);
  return spec;
}

dp::OverlayRuleSpec ResolveOverlayRule(const std::string& overlay, const OverlayRule& rule,
                                       const std::map<std::string, Peer>& peers) {
  dp::OverlayRuleSpec spec;
  spec.origin = overlay + "/" + rule.id;
  spec.protocol = ResolveProtocol(rule.protocol);
  spec.protocol_number = rule.protocol_number;
  spec.ports = rule.ports;
  spec.icmp_types = rule.icmp_types;
  std::tie(spec.peers, spec.any_peer) = ResolvePeers(rule.peer, peers);
  return spec;
}

dp::ProtectionSpec ResolveProtection(const Protection& protection) {
  dp::ProtectionSpec spec;
  spec.level = protection.level.value_or(dp::Protection::kStandard);
  for (const auto& [check, action] : protection.checks) {
    spec.overrides.push_back(
        {check, action == CheckAction::kPass ? dp::CheckAction::kPass : dp::CheckAction::kDrop});
  }
  return spec;
}

dp::LimitSpec ResolveLimits(const Limits& limits) {
  const auto of = [&limits](Limit limit) {
    const auto found = limits.find(limit);
    return found == limits.end() ? 0 : found->second;
  };
  return {{of(Limit::kTowardPackets), of(Limit::kTowardBytes), of(Limit::kTowardNewFlows)},
          {of(Limit::kFromPackets), of(Limit::kFromBytes), of(Limit::kFromNewFlows)},
          static_cast<uint32_t>(of(Limit::kMaxFlows)),
          static_cast<uint32_t>(of(Limit::kMaxHalfOpen))};
}

dp::RulesetSpec ResolveRuleset(const Profile& profile, const std::map<std::string, Peer>& peers) {
  dp::RulesetSpec ruleset{profile.name, {}};
  for (const ProfileRule& rule : ExpandRules(profile.rules)) {
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

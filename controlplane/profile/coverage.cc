// SPDX-License-Identifier: Apache-2.0
#include "controlplane/profile/coverage.h"

#include <algorithm>

#include "controlplane/profile/preset.h"
#include "dataplane/packet/packet.h"

namespace cordon::cp {
namespace {

// Ports from which flows are opened; which one it was is not kept.
constexpr dp::PortRange kEphemeral{1024, 65535};

bool Contains(const std::vector<dp::PortRange>& ranges, const dp::PortRange& wanted) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
           return range.first <= wanted.first && wanted.last <= range.last;
         });
}

bool ServiceFits(const ProfileRule& proposed, const ProfileRule& rule) {
  if (rule.initiator != proposed.initiator || rule.vlan.has_value() || rule.group.has_value()) {
    return false;
  }
  if (rule.protocol != RuleProtocol::kAny && rule.protocol != proposed.protocol) return false;
  if (!proposed.icmp_types.empty()) {
    const uint8_t type = proposed.icmp_types[0];
    const uint8_t number =
        proposed.protocol == RuleProtocol::kIcmpv6 ? dp::protocol::kIcmpv6 : dp::protocol::kIcmp;
    if (rule.icmp_types.empty()) return !dp::MustBeNamed(number, type);
    return std::find(rule.icmp_types.begin(), rule.icmp_types.end(), type) != rule.icmp_types.end();
  }
  const bool from_device = proposed.initiator == RuleInitiator::kDevice;
  return Contains(rule.peer_ports, from_device ? proposed.peer_ports.at(0) : kEphemeral) &&
         Contains(rule.device_ports, from_device ? kEphemeral : proposed.device_ports.at(0));
}

bool AnyContains(const std::vector<dp::IpPrefix>& prefixes, const dp::IpAddress& address) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const dp::IpPrefix& prefix) { return prefix.Contains(address); });
}

bool PeerFits(const ProfileRule& rule, const dp::IpAddress& address,
              const std::vector<Peer>& peers) {
  return std::any_of(rule.peer.begin(), rule.peer.end(), [&](const std::string& text) {
    if (text == "any") return true;
    if (const auto prefix = dp::ParsePrefix(text)) return prefix->Contains(address);
    return std::any_of(peers.begin(), peers.end(), [&](const Peer& peer) {
      return peer.name == text && AnyContains(peer.addresses, address);
    });
  });
}

}  // namespace

std::string CoveredBy(const ProfileRule& proposed, const std::set<dp::IpAddress>& addresses,
                      const Profile& present, const std::vector<Peer>& peers) {
  std::set<dp::IpAddress> open = addresses;
  std::string together;
  for (const ProfileRule& rule : ExpandRules(present.rules)) {
    if (!ServiceFits(proposed, rule)) continue;
    const auto fits = [&](const dp::IpAddress& address) { return PeerFits(rule, address, peers); };
    if (std::all_of(addresses.begin(), addresses.end(), fits)) return rule.id;
    if (std::erase_if(open, fits) > 0) together += (together.empty() ? "" : ", ") + rule.id;
  }
  return open.empty() ? together : "";
}

}  // namespace cordon::cp

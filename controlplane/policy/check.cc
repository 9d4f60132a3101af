// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "controlplane/policy/assemble.h"
#include "controlplane/policy/describe.h"
#include "controlplane/policy/resolve.h"
#include "dataplane/flow/key.h"

namespace cordon::cp {
namespace {

// Longer ones are a slip of the unit, and the data plane's 32-bit milliseconds wrap after 49 days.
constexpr std::chrono::seconds kLongestIdleTimeout = std::chrono::hours(24 * 40);

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

template <typename T>
std::string DidYouMean(std::string_view word, const std::map<std::string, T>& known) {
  const std::string* nearest = nullptr;
  size_t distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const auto& [name, value] : known) {
    const size_t d = EditDistance(word.substr(0, 64), name);
    if (d < distance) {
      distance = d;
      nearest = &name;
    }
  }
  return nearest == nullptr ? "" : "; did you mean '" + *nearest + "'?";
}

class Checker {
 public:
  Checker(const Configuration& configuration, const Places& places)
      : configuration_(configuration), places_(places), profiles_(ProfileList(configuration)) {}

  Checked Run() {
    for (const auto& [name, peer] : configuration_.peers) CheckPeer(peer);
    for (const auto& [name, profile] : configuration_.profiles) CheckProfile(profile);
    for (const auto& [name, gateway] : configuration_.gateways) CheckGateway(gateway);
    for (const auto& [name, device] : configuration_.devices) CheckDevice(device);
    return std::move(checked_);
  }

 private:
  // What is checked now; faults are placed by it.
  struct Subject {
    std::string_view kind;
    std::string_view name;  // of the configuration's own document, which outlives the check
    std::string part;       // "rules[2]" or empty
  };

  std::string PlaceOf(const Subject& subject, const std::string& field) const {
    const std::string document = std::string(subject.kind) + " " + std::string(subject.name);
    std::string path = subject.part;
    if (!field.empty()) path += (path.empty() ? "" : ".") + field;
    auto place = subject.part.empty() ? places_.end() : places_.find(document + " " + subject.part);
    if (place == places_.end()) place = places_.find(document);
    std::string text = place == places_.end() ? "" : place->second + ": ";
    text += document;
    return path.empty() ? text : text + ": " + path;
  }
  void Fault(const Subject& subject, const std::string& field, std::string message) {
    checked_.faults.push_back({PlaceOf(subject, field), std::move(message)});
  }
  void Warn(const Subject& subject, const std::string& field, std::string message) {
    checked_.warnings.push_back({PlaceOf(subject, field), std::move(message)});
  }
  void CheckName(const Subject& subject) {
    std::string refusal = RefuseName(subject.kind, subject.name);
    if (!refusal.empty()) Fault(subject, "name", std::move(refusal));
  }

  void CheckPeer(const Peer& peer) {
    const Subject subject{"Peer", peer.name, ""};
    CheckName(subject);
    if (peer.addresses.empty()) {
      Fault(subject, "addresses", "a peer needs at least one address or prefix");
    }
  }

  void CheckProfile(const Profile& profile) {
    const Subject subject{"Profile", profile.name, ""};
    CheckName(subject);
    for (size_t i = 0; i < profile.match.size(); ++i) {
      const ProfileMatch& match = profile.match[i];
      if (match.device_class.empty() && match.vendor.empty() && match.model.empty()) {
        Fault(subject, "match[" + std::to_string(i) + "]",
              "a match needs a class, a vendor or a model");
      }
    }
    std::set<std::string_view> ids;
    for (size_t i = 0; i < profile.rules.size(); ++i) {
      const ProfileRule& rule = profile.rules[i];
      const Subject part{"Profile", profile.name, "rules[" + std::to_string(i) + "]"};
      if (!IsResourceName(rule.id)) {
        Fault(part, "id", "a rule needs an id of a-z, 0-9, '.', '_' and '-'");
      } else if (!ids.insert(rule.id).second) {
        Fault(part, "id", "the id '" + rule.id + "' is taken by another rule of this profile");
      }
      CheckRule(part, rule);
    }
  }

  void CheckRule(const Subject& part, const ProfileRule& rule) {
    if (rule.reason.empty()) Fault(part, "reason", "say why the device needs this rule");
    CheckRulePeers(part, rule);
    const bool icmp =
        rule.protocol == RuleProtocol::kIcmp || rule.protocol == RuleProtocol::kIcmpv6;
    if (icmp && !(rule.peer_ports.empty() && rule.device_ports.empty())) {
      Fault(part, "protocol", "icmp has no ports; leave out peer_ports and device_ports");
    }
    if (!icmp && !rule.icmp_types.empty()) {
      Fault(part, "icmp_types", "only rules of protocol icmp or icmpv6 have icmp_types");
    }
    CheckPorts(part, "peer_ports", rule.peer_ports);
    CheckPorts(part, "device_ports", rule.device_ports);
    if (rule.idle_timeout.count() < 0 || rule.idle_timeout > kLongestIdleTimeout) {
      Fault(part, "idle_timeout", "an idle timeout is from 1s to 960h (40 days)");
    }
    if (rule.vlan) CheckVlan(part, *rule.vlan);
    const bool everything = rule.protocol == RuleProtocol::kAny && rule.peer_ports.empty() &&
                            rule.device_ports.empty() &&
                            std::find(rule.peer.begin(), rule.peer.end(), "any") != rule.peer.end();
    if (everything) {
      Warn(part, "",
           rule.initiator == RuleInitiator::kDevice
               ? "allows the device to open everything to everybody"
               : "allows everybody to open everything to the device");
    }
  }

  void CheckRulePeers(const Subject& part, const ProfileRule& rule) {
    if (rule.peer.empty()) {
      Fault(part, "peer", "a rule needs a peer: a Peer's name, 'any', or addresses");
    }
    for (const std::string& name : rule.peer) {
      if (name == "any") {
        if (rule.peer.size() > 1) Fault(part, "peer", "'any' stands alone; drop the other peers");
      } else if (!configuration_.peers.contains(name) && !dp::ParsePrefix(name)) {
        Fault(part, "peer",
              "there is no Peer '" + name + "'" + DidYouMean(name, configuration_.peers) +
                  " (a peer is a Peer's name, 'any', or addresses)");
      }
    }
  }

  void CheckPorts(const Subject& part, const std::string& field,
                  const std::vector<dp::PortRange>& ranges) {
    for (const dp::PortRange& range : ranges) {
      if (range.first == 0 || range.first > range.last) {
        Fault(part, field,
              "'" + std::to_string(range.first) + "-" + std::to_string(range.last) +
                  "' is no range of L4 ports; ports are 1 to 65535, the lower one first");
      }
    }
  }

  void CheckVlan(const Subject& subject, dp::VlanTags vlan) {
    if (vlan.outer > 4094 || vlan.inner > 4094 || (vlan.outer == 0 && vlan.inner != 0)) {
      Fault(subject, "vlan", "VLAN ids are 1 to 4094, written 30 or 100.30 (outer.inner)");
    }
  }

  void CheckGateway(const GatewayConfig& gateway) {
    const Subject subject{"Gateway", gateway.name, ""};
    CheckName(subject);
    if (gateway.pairs.empty()) Fault(subject, "pairs", "a gateway needs at least one pair");
    if (gateway.pairs.size() > dp::kMaxPairs) {
      Fault(subject, "pairs", "a gateway has at most " + std::to_string(dp::kMaxPairs) + " pairs");
    }
    std::set<std::string_view> pairs;
    for (size_t i = 0; i < gateway.pairs.size(); ++i) {
      const std::string field = "pairs[" + std::to_string(i) + "]";
      if (!IsResourceName(gateway.pairs[i])) {
        Fault(subject, field, RefuseName("Pair", gateway.pairs[i]));
      } else if (!pairs.insert(gateway.pairs[i]).second) {
        Fault(subject, field, "the pair '" + gateway.pairs[i] + "' is listed twice");
      }
    }
    if (gateway.unknown_device != "deny" &&
        !configuration_.profiles.contains(gateway.unknown_device)) {
      Fault(subject, "unknown_device",
            "there is no Profile '" + gateway.unknown_device + "'" +
                DidYouMean(gateway.unknown_device, configuration_.profiles) +
                " (say 'deny' or the name of a profile)");
    }
  }

  void CheckDevice(const Device& device) {
    const Subject subject{"Device", device.name, ""};
    CheckName(subject);
    CheckVlan(subject, device.vlan);
    CheckAddresses(subject, device);
    const Profile* profile = CheckProfileOf(subject, device);
    if (device.gateway.empty()) {
      if (!device.pair.empty()) {
        Fault(subject, "pair", "a pair without a gateway; say which gateway's pair it is");
      }
      return;
    }
    const auto gateway = configuration_.gateways.find(device.gateway);
    if (gateway == configuration_.gateways.end()) {
      Fault(subject, "gateway",
            "there is no Gateway '" + device.gateway + "'" +
                DidYouMean(device.gateway, configuration_.gateways));
    } else {
      CheckPair(subject, device, gateway->second);
    }
    CheckIdentity(subject, device);
    WarnAbout(subject, device, profile);
  }

  void CheckAddresses(const Subject& subject, const Device& device) {
    for (const dp::MacAddress& mac : device.macs) {
      if (mac.IsGroup() || mac.IsZero()) {
        Fault(subject, "identity.mac",
              ToString(mac) + " cannot be a device's own address (group address or zero)");
      }
    }
    for (const dp::IpAddress& ip : device.ips) {
      if (ip.IsUnspecified() || ip.IsMulticast() || ip.IsLimitedBroadcast()) {
        Fault(subject, "identity.ip",
              ToString(ip) + " cannot be a device's own address (unspecified or a group)");
      }
    }
  }

  const Profile* CheckProfileOf(const Subject& subject, const Device& device) {
    const Profile* profile = AssignProfile(device, profiles_);
    if (profile != nullptr) return profile;
    if (!device.profile.empty()) {
      Fault(subject, "profile",
            "there is no Profile '" + device.profile + "'" +
                DidYouMean(device.profile, configuration_.profiles));
    } else if (!device.gateway.empty()) {
      Fault(subject, "profile",
            "no profile matches class '" + device.device_class + "', vendor '" + device.vendor +
                "', model '" + device.model +
                "', and there is no profile 'unknown'; name one with profile:");
    }
    return nullptr;
  }

  void CheckPair(const Subject& subject, const Device& device, const GatewayConfig& gateway) {
    const auto& pairs = gateway.pairs;
    if (std::find(pairs.begin(), pairs.end(), device.pair) != pairs.end()) return;
    const std::string what =
        device.pair.empty() ? "which pair of the gateway is missing"
                            : "gateway '" + gateway.name + "' has no pair '" + device.pair + "'";
    Fault(subject, "pair", what + "; it has: " + Join(pairs));
  }

  void CheckIdentity(const Subject& subject, const Device& device) {
    if (device.macs.empty() && device.ips.empty()) {
      Fault(subject, "identity",
            "a device behind a gateway needs a mac, or an ip if it is behind a router");
    }
    const Where where{device.gateway, device.pair, device.vlan};
    for (const dp::MacAddress& mac : device.macs) {
      Claim(mac_owners_, std::make_pair(where, mac), subject, "identity.mac", ToString(mac));
    }
    for (const dp::IpAddress& ip : device.ips) {
      Claim(ip_owners_, std::make_pair(where, ip), subject, "identity.ip", ToString(ip));
    }
  }

  template <typename Owners, typename Key>
  void Claim(Owners& owners, const Key& key, const Subject& subject, const std::string& field,
             const std::string& address) {
    const auto [owner, is_new] = owners.emplace(key, subject.name);
    if (is_new) return;
    if (owner->second == subject.name) {
      Fault(subject, field, address + " is listed twice");
      return;
    }
    const std::string other = PlaceOf({"Device", owner->second, ""}, "");
    Fault(subject, field, address + " already belongs to " + other + " on the same pair and VLAN");
  }

  void WarnAbout(const Subject& subject, const Device& device, const Profile* profile) {
    if (device.ips.empty() && !device.macs.empty()) {
      Warn(subject, "identity.ip",
           "no address is bound: whatever has its MAC may use any source address");
    }
    if (profile == nullptr) return;
    if (profile->rules.empty()) {
      Warn(subject, "profile", "profile '" + profile->name + "' has no rules: nothing may pass");
    } else if (device.mode == DeviceMode::kQuarantine &&
               std::none_of(profile->rules.begin(), profile->rules.end(),
                            [](const ProfileRule& rule) { return rule.keep_alive; })) {
      Warn(subject, "mode",
           "profile '" + profile->name + "' has no keep_alive rule: quarantine cuts everything");
    }
  }

  using Where = std::tuple<std::string_view, std::string_view, dp::VlanTags>;
  const Configuration& configuration_;
  const Places& places_;
  const std::vector<Profile> profiles_;
  std::map<std::pair<Where, dp::MacAddress>, std::string_view> mac_owners_;
  std::map<std::pair<Where, dp::IpAddress>, std::string_view> ip_owners_;
  Checked checked_;
};

}  // namespace

Checked Check(const Configuration& configuration, const Places& places) {
  return Checker(configuration, places).Run();
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "controlplane/policy/assemble.h"
#include "controlplane/policy/check_rule.h"
#include "controlplane/policy/describe.h"
#include "controlplane/policy/resolve.h"
#include "controlplane/profile/covered.h"
#include "controlplane/profile/preset.h"
#include "dataplane/flow/key.h"

namespace cordon::cp {
namespace {

// Each rule is compared with all in front of it; longer lists are made by programs.
constexpr size_t kMostCompared = 500;

class Checker {
 public:
  Checker(const Configuration& configuration, const Places& places)
      : configuration_(configuration), places_(places), profiles_(ProfileList(configuration)) {}

  Checked Run() {
    for (const auto& [name, peer] : configuration_.peers) CheckPeer(peer);
    for (const auto& [name, profile] : configuration_.profiles) CheckProfile(profile);
    for (const auto& [name, gateway] : configuration_.gateways) CheckGateway(gateway);
    for (const auto& [name, overlay] : configuration_.overlays) CheckOverlay(overlay);
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
    CheckLimits(subject, profile.knobs.limits);
    std::set<std::string_view> ids;
    for (size_t i = 0; i < profile.rules.size(); ++i) {
      const ProfileRule& rule = profile.rules[i];
      const Subject part{"Profile", profile.name, "rules[" + std::to_string(i) + "]"};
      if (!IsResourceName(rule.id)) {
        Fault(part, "id", "a rule needs an id of a-z, 0-9, '.', '_' and '-'");
      } else if (!ids.insert(rule.id).second) {
        Fault(part, "id", "the id '" + rule.id + "' is taken by another rule of this profile");
      }
      Rules(part).Check(rule);
      const std::string warning = RuleWarning(rule);
      if (!warning.empty()) Warn(part, "", warning);
      const ProfileRule* earlier = i < kMostCompared ? FindCovering(profile, i) : nullptr;
      if (earlier != nullptr) {
        Warn(part, "", "never counts: rule '" + earlier->id + "' in front of it allows all of it");
      }
    }
    CheckOrigins(subject, profile);
  }

  // The lines of a preset get ids of their own, which may be taken.
  void CheckOrigins(const Subject& subject, const Profile& profile) {
    std::set<std::string> ids;
    for (const ProfileRule& rule : profile.rules) ids.insert(rule.id);
    for (const ProfileRule& rule : profile.rules) {
      if (rule.preset.empty()) continue;
      for (const ProfileRule& line : ExpandRule(rule)) {
        if (ids.insert(line.id).second) continue;
        Fault(subject, "rules",
              "the id '" + line.id + "', which preset " + rule.preset + " of rule '" + rule.id +
                  "' makes, is taken by another rule; rename one of them");
      }
    }
  }

  void CheckLimits(const Subject& subject, const Limits& limits) {
    constexpr uint64_t kMostPerSecond = 1'000'000'000'000, kMostFlows = 10'000'000;
    for (const auto& [limit, value] : limits) {
      const bool flows = limit == Limit::kMaxFlows || limit == Limit::kMaxHalfOpen;
      const uint64_t most = flows ? kMostFlows : kMostPerSecond;
      if (value <= most) continue;
      Fault(subject, "limits." + std::string(ToString(limit)),
            std::to_string(value) + " is too much; 0 (no limit) to " + std::to_string(most));
    }
  }

  void CheckOverlay(const Overlay& overlay) {
    const Subject subject{"Overlay", overlay.name, ""};
    CheckName(subject);
    if (configuration_.profiles.contains(overlay.name)) {
      Fault(subject, "name", "a profile has this name; origins of their rules could be the same");
    }
    std::set<std::string_view> ids;
    for (size_t i = 0; i < overlay.rules.size(); ++i) {
      const OverlayRule& rule = overlay.rules[i];
      const Subject part{"Overlay", overlay.name, "rules[" + std::to_string(i) + "]"};
      if (!IsResourceName(rule.id)) {
        Fault(part, "id", "a rule needs an id of a-z, 0-9, '.', '_' and '-'");
      } else if (!ids.insert(rule.id).second) {
        Fault(part, "id", "the id '" + rule.id + "' is taken by another rule of this overlay");
      }
      Rules(part).Check(rule);
      if (rule.protocol == RuleProtocol::kAny && rule.ports.empty() && rule.peer.size() == 1 &&
          rule.peer.front() == "any") {
        Warn(part, "", "cuts off every device of every gateway");
      }
    }
  }

  RuleChecker Rules(const Subject& part) {
    return {configuration_, [this, part](const std::string& field, std::string message) {
              Fault(part, field, std::move(message));
            }};
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
    for (const auto& [pair, guards] : gateway.guards) CheckGuards(subject, pair, guards);
    if (gateway.unknown_device != "deny" &&
        !configuration_.profiles.contains(gateway.unknown_device)) {
      Fault(subject, "unknown_device",
            "there is no Profile '" + gateway.unknown_device + "'" +
                DidYouMean(gateway.unknown_device, configuration_.profiles) +
                " (say 'deny' or the name of a profile)");
    }
  }

  void CheckGuards(const Subject& subject, const std::string& pair, const dp::GuardSpec& guards) {
    for (const dp::IpAddress& server : guards.dhcp_servers) {
      if (!server.IsUnspecified() && !server.IsMulticast() && !server.IsLimitedBroadcast())
        continue;
      Fault(subject, "pairs." + pair + ".guards.dhcp_servers",
            ToString(server) + " is no server's own address");
    }
  }

  void CheckDevice(const Device& device) {
    const Subject subject{"Device", device.name, ""};
    CheckName(subject);
    Rules(subject).CheckVlan(device.vlan);
    CheckAddresses(subject, device);
    CheckLimits(subject, device.knobs.limits);
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

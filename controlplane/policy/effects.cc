// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "controlplane/policy/assemble.h"
#include "controlplane/policy/describe.h"
#include "controlplane/policy/resolve.h"
#include "controlplane/profile/preset.h"
#include "dataplane/packet/packet.h"

namespace cordon::cp {
namespace {

// A rule in words and in addresses.
struct Right {
  const Profile* profile;
  ProfileRule rule;
  dp::RuleSpec spec;
};

bool RangesCover(const std::vector<dp::PortRange>& wide, const std::vector<dp::PortRange>& narrow) {
  if (wide.empty()) return true;
  if (narrow.empty()) return false;
  return std::all_of(narrow.begin(), narrow.end(), [&](dp::PortRange range) {
    return std::any_of(wide.begin(), wide.end(), [&](dp::PortRange other) {
      return other.first <= range.first && range.last <= other.last;
    });
  });
}

bool PrefixCovered(const dp::RuleSpec& wide, const dp::IpPrefix& prefix) {
  return wide.any_peer ||
         std::any_of(wide.peers.begin(), wide.peers.end(), [&](const dp::IpPrefix& other) {
           return other.address.IsV4() == prefix.address.IsV4() && other.length <= prefix.length &&
                  other.Contains(prefix.address);
         });
}

// All but the peers: whether every flow of `narrow` toward a peer of both is a flow of `wide`.
bool ShapeCovers(const dp::RuleSpec& wide, const dp::RuleSpec& narrow) {
  if (wide.initiator != narrow.initiator || wide.vlan != narrow.vlan) return false;
  if (wide.group && wide.group != narrow.group) return false;
  if (wide.expires_at && (!narrow.expires_at || *wide.expires_at < *narrow.expires_at)) {
    return false;
  }
  if (wide.protocol_number != narrow.protocol_number) return false;
  if (wide.protocol != narrow.protocol && wide.protocol != dp::RuleProtocol::kAny) return false;
  if (!RangesCover(wide.peer_ports, narrow.peer_ports)) return false;
  if (!RangesCover(wide.device_ports, narrow.device_ports)) return false;
  if (wide.icmp_types.empty()) {
    const uint8_t number =
        narrow.protocol == dp::RuleProtocol::kIcmpv6 ? dp::protocol::kIcmpv6 : dp::protocol::kIcmp;
    return std::none_of(narrow.icmp_types.begin(), narrow.icmp_types.end(),
                        [&](uint8_t type) { return dp::MustBeNamed(number, type); });
  }
  return !narrow.icmp_types.empty() &&
         std::all_of(narrow.icmp_types.begin(), narrow.icmp_types.end(), [&](uint8_t type) {
           return std::find(wide.icmp_types.begin(), wide.icmp_types.end(), type) !=
                  wide.icmp_types.end();
         });
}

// The part of a right that no other rule gives: its peers in words, empty if all is covered.
std::string NotCovered(const Right& right, const std::vector<Right>& others) {
  if (right.spec.any_peer) {
    const bool covered = std::any_of(others.begin(), others.end(), [&](const Right& other) {
      return other.spec.any_peer && ShapeCovers(other.spec, right.spec);
    });
    return covered ? "" : "any";
  }
  std::vector<std::string> missing;
  for (const dp::IpPrefix& prefix : right.spec.peers) {
    const bool covered = std::any_of(others.begin(), others.end(), [&](const Right& other) {
      return ShapeCovers(other.spec, right.spec) && PrefixCovered(other.spec, prefix);
    });
    if (!covered) missing.push_back(DescribePrefix(prefix));
  }
  if (missing.empty()) return "";
  const std::string names = Join(right.rule.peer);
  if (missing.size() == right.spec.peers.size()) return names;
  return Join(missing) + " (of " + names + ")";
}

// One side of the comparison: what every device behind a gateway may do.
class Rights {
 public:
  explicit Rights(const Configuration& configuration)
      : configuration_(configuration), profiles_(ProfileList(configuration)) {
    for (const Profile& profile : profiles_) {
      std::vector<Right>& rights = rights_[profile.name];
      for (const ProfileRule& rule : ExpandRules(profile.rules)) {
        rights.push_back({&profile, rule, ResolveRule(profile.name, rule, configuration.peers)});
      }
    }
  }

  // Null if there is no such device, or it is behind no gateway.
  const Device* Find(const std::string& name) const {
    const auto device = configuration_.devices.find(name);
    if (device == configuration_.devices.end() || device->second.gateway.empty()) return nullptr;
    return &device->second;
  }
  const Profile* Assigned(const Device& device) const { return AssignProfile(device, profiles_); }
  std::string ProfileOf(const Device& device) const {
    const Profile* profile = AssignProfile(device, profiles_);
    return profile == nullptr ? "" : profile->name;
  }
  const std::vector<Right>& Of(const std::string& profile) const {
    static const std::vector<Right> kNone;
    const auto rights = rights_.find(profile);
    return rights == rights_.end() ? kNone : rights->second;
  }

 private:
  const Configuration& configuration_;
  const std::vector<Profile> profiles_;
  std::map<std::string, std::vector<Right>> rights_;  // by profile
};

std::string Origin(const Right& right) { return " (" + right.spec.origin + ")"; }

// What changes for a device that goes from one list of rights to the other.
std::vector<std::string> CompareRights(const std::vector<Right>& before,
                                       const std::vector<Right>& after) {
  std::vector<std::string> sentences;
  for (const Right& right : before) {
    const std::string peers = NotCovered(right, after);
    if (peers.empty()) continue;
    sentences.push_back("may no longer " + DescribeRight(right.rule, peers) + Origin(right));
  }
  for (const Right& right : after) {
    const std::string peers = NotCovered(right, before);
    if (peers.empty()) continue;
    sentences.push_back("may now " + DescribeRight(right.rule, peers) + Origin(right));
  }
  for (const Right& right : after) {
    const auto old = std::find_if(before.begin(), before.end(), [&](const Right& other) {
      return other.spec.origin == right.spec.origin;
    });
    if (old == before.end()) continue;
    if (old->rule.idle_timeout != right.rule.idle_timeout) {
      const auto text = [](std::chrono::seconds timeout) {
        return timeout.count() == 0 ? "the default" : DescribeDuration(timeout);
      };
      sentences.push_back("has flows that may idle " + text(right.rule.idle_timeout) +
                          " instead of " + text(old->rule.idle_timeout) + Origin(right));
    }
    if (old->rule.keep_alive != right.rule.keep_alive) {
      sentences.push_back((right.rule.keep_alive ? "keeps in quarantine the right to "
                                                 : "loses in quarantine the right to ") +
                          DescribeRight(right.rule, Join(right.rule.peer)) + Origin(right));
    }
  }
  return sentences;
}

// Names the devices of one sentence: all of a few, else three and how many more.
std::string Subject(const std::vector<std::string>& devices) {
  if (devices.size() <= 4) return Join(devices);
  const std::vector<std::string> first(devices.begin(), devices.begin() + 3);
  return Join(first) + " and " + std::to_string(devices.size() - 3) + " more";
}

class Effects {
 public:
  Effects(const Configuration& before, const Configuration& after)
      : before_config_(before), after_config_(after), before_(before), after_(after) {}

  std::vector<std::string> Describe() {
    for (const auto& [name, device] : before_config_.devices) CompareDevice(name);
    for (const auto& [name, device] : after_config_.devices) {
      if (!before_config_.devices.contains(name)) CompareDevice(name);
    }
    std::vector<std::string> sentences;
    for (const std::string& predicate : order_) {
      const std::vector<std::string>& devices = devices_[predicate];
      sentences.push_back(Subject(devices) + predicate);
    }
    for (const auto& [name, gateway] : after_config_.gateways) CompareGateway(gateway, sentences);
    CompareOverlays(sentences);
    return sentences;
  }

 private:
  void Say(const std::string& device, const std::string& predicate) {
    std::vector<std::string>& devices = devices_[predicate];
    if (devices.empty()) order_.push_back(predicate);
    devices.push_back(device);
  }

  void CompareDevice(const std::string& name) {
    const Device* old = before_.Find(name);
    const Device* now = after_.Find(name);
    if (old == nullptr && now == nullptr) return;
    if (now == nullptr) {
      Say(name, " leaves gateway " + old->gateway + ": its frames are those of an unknown device");
      return;
    }
    const std::string profile = after_.ProfileOf(*now);
    if (old == nullptr) {
      Say(name, " comes behind gateway " + now->gateway + ", pair " + now->pair +
                    ", with profile " + profile + " in mode " + std::string(ToString(now->mode)));
      return;
    }
    ComparePlace(*old, *now);
    if (old->mode != now->mode) {
      Say(name,
          ": mode " + std::string(ToString(old->mode)) + " -> " + std::string(ToString(now->mode)));
    }
    const std::string old_profile = before_.ProfileOf(*old);
    if (old_profile != profile) Say(name, ": profile " + old_profile + " -> " + profile);
    for (const std::string& change : Changes(old_profile, profile)) {
      Say(name, " " + change + ModeNote(*now, change));
    }
    CompareKnobs(*old, *now);
  }

  void ComparePlace(const Device& old, const Device& now) {
    if (old.gateway != now.gateway || old.pair != now.pair) {
      Say(now.name, " moves from gateway " + old.gateway + ", pair " + old.pair + " to gateway " +
                        now.gateway + ", pair " + now.pair);
    }
    if (old.macs == now.macs && old.ips == now.ips && old.vlan == now.vlan) return;
    for (const std::string& detail : DescribeChange(old, now)) {
      if (detail.starts_with("mac: ") || detail.starts_with("ip: ") ||
          detail.starts_with("vlan: ")) {
        Say(now.name, ": " + detail);
      }
    }
  }

  // The protection and the limits in force, whoever set them.
  void CompareKnobs(const Device& old, const Device& now) {
    const auto in_force = [](const Rights& rights, const Device& device) {
      const Profile* profile = rights.Assigned(device);
      return DescribeKnobs(profile == nullptr ? device.knobs
                                              : Overlaid(profile->knobs, device.knobs));
    };
    for (const std::string& detail :
         DescribeChange(in_force(before_, old), in_force(after_, now))) {
      Say(now.name, ": " + detail);
    }
  }

  static std::string ModeNote(const Device& device, const std::string& change) {
    if (!change.starts_with("may no longer")) return "";
    if (device.mode == DeviceMode::kObserve) return "; observe mode still forwards it";
    if (device.mode == DeviceMode::kAudit) return "; audit mode still forwards and marks it";
    return "";
  }

  // Thousands of devices share a profile: each pair of profiles is compared once.
  const std::vector<std::string>& Changes(const std::string& old, const std::string& now) {
    const auto [place, is_new] = changes_.try_emplace({old, now});
    if (is_new) place->second = CompareRights(before_.Of(old), after_.Of(now));
    return place->second;
  }

  // Of every device of every gateway.
  void CompareOverlays(std::vector<std::string>& sentences) const {
    const auto lines = [](const Configuration& configuration) {
      std::map<std::string, std::string> words;
      for (const auto& [name, overlay] : configuration.overlays) {
        for (const OverlayRule& rule : overlay.rules) {
          words[name + "/" + rule.id] = DescribeOverlayRule(rule).substr(5);
        }
      }
      return words;
    };
    const auto before = lines(before_config_), after = lines(after_config_);
    for (const auto& [origin, words] : after) {
      const auto old = before.find(origin);
      if (old != before.end() && old->second == words) continue;
      sentences.push_back("every device, in every mode: no " + words + " from now on (" + origin +
                          ")");
    }
    for (const auto& [origin, words] : before) {
      const auto now = after.find(origin);
      if (now != after.end() && now->second == words) continue;
      sentences.push_back("every device: " + words + " is no longer denied by the overlay (" +
                          origin + ")");
    }
  }

  void CompareGateway(const GatewayConfig& now, std::vector<std::string>& sentences) {
    const auto old = before_config_.gateways.find(now.name);
    if (old == before_config_.gateways.end()) return;
    const std::string& was = old->second.unknown_device;
    const std::string subject = "unknown devices at gateway " + now.name;
    if (was != now.unknown_device) {
      sentences.push_back(subject + ": " + was + " -> " + now.unknown_device);
    }
    for (const std::string& change : Changes(was, now.unknown_device)) {
      sentences.push_back(subject + " " + change);
    }
  }

  const Configuration& before_config_;
  const Configuration& after_config_;
  const Rights before_, after_;
  std::vector<std::string> order_;                           // of the predicates
  std::map<std::string, std::vector<std::string>> devices_;  // by predicate
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> changes_;
};

}  // namespace

std::vector<std::string> DescribeEffects(const Configuration& before, const Configuration& after) {
  return Effects(before, after).Describe();
}

}  // namespace cordon::cp

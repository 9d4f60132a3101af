// SPDX-License-Identifier: Apache-2.0
#include "controlplane/policy/assemble.h"

#include <map>

#include "controlplane/policy/resolve.h"

namespace cordon::cp {
namespace {

class Assembly {
 public:
  Assembly(const Configuration& configuration, const GatewayConfig& gateway, uint64_t generation)
      : configuration_(configuration), profiles_(ProfileList(configuration)) {
    set_.gateway = gateway.name;
    set_.generation = generation;
    set_.pairs = gateway.pairs;
    set_.protection = ResolveProtection(gateway.protection);
    for (const std::string& pair : gateway.pairs) {
      const auto guards = gateway.guards.find(pair);
      set_.guards.push_back(guards == gateway.guards.end() ? dp::GuardSpec{} : guards->second);
    }
    for (const auto& [name, overlay] : configuration.overlays) {
      for (const OverlayRule& rule : overlay.rules) {
        set_.overlay.push_back(ResolveOverlayRule(name, rule, configuration.peers));
      }
    }
    if (gateway.unknown_device == "deny") return;
    const auto profile = configuration.profiles.find(gateway.unknown_device);
    if (profile != configuration.profiles.end()) {
      set_.unknown_device_ruleset = RulesetOf(profile->second);
    }
  }

  void Add(const Device& device) {
    const Profile* profile = AssignProfile(device, profiles_);
    if (profile == nullptr) return;
    dp::DeviceSpec& spec = set_.devices.emplace_back();
    spec.name = device.name;
    spec.pair = device.pair;
    spec.vlan = device.vlan;
    spec.macs = device.macs;
    spec.ips = device.ips;
    spec.mode = ResolveMode(device.mode);
    spec.ruleset = RulesetOf(*profile);
    const Knobs knobs = Overlaid(profile->knobs, device.knobs);
    spec.protection = ResolveProtection(knobs.protection);
    spec.limits = ResolveLimits(knobs.limits);
  }

  PolicySet Take() { return std::move(set_); }

 private:
  uint32_t RulesetOf(const Profile& profile) {
    const auto next = static_cast<uint32_t>(set_.rulesets.size());
    const auto [place, is_new] = numbers_.emplace(profile.name, next);
    if (is_new) set_.rulesets.push_back(ResolveRuleset(profile, configuration_.peers));
    return place->second;
  }

  const Configuration& configuration_;
  const std::vector<Profile> profiles_;
  std::map<std::string, uint32_t> numbers_;  // of rulesets, by profile
  PolicySet set_;
};

}  // namespace

PolicySet Assemble(const Configuration& configuration, const std::string& gateway,
                   uint64_t generation) {
  const auto config = configuration.gateways.find(gateway);
  if (config == configuration.gateways.end()) {
    PolicySet nothing;
    nothing.gateway = gateway;
    nothing.generation = generation;
    return nothing;
  }
  Assembly assembly(configuration, config->second, generation);
  for (const auto& [name, device] : configuration.devices) {
    if (device.gateway == gateway) assembly.Add(device);
  }
  return assembly.Take();
}

bool SameContent(const PolicySet& a, const PolicySet& b) {
  return a.gateway == b.gateway && a.pairs == b.pairs && a.rulesets == b.rulesets &&
         a.devices == b.devices && a.unknown_device_ruleset == b.unknown_device_ruleset &&
         a.protection == b.protection && a.guards == b.guards && a.overlay == b.overlay;
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of fuzz_policy_proto: bin/make_policy_proto_corpus DIRECTORY
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "cordon/v1/policy_set.pb.h"

namespace cordon::v1 {
namespace {

PolicySet Sound() {
  PolicySet set;
  set.set_gateway("gw");
  set.set_generation(1);
  set.add_pairs("a");
  Ruleset& ruleset = *set.add_rulesets();
  ruleset.set_name("pump");
  Rule& rule = *ruleset.add_rules();
  rule.set_origin("pump/hl7");
  rule.set_initiator(INITIATOR_DEVICE);
  rule.set_protocol(PROTOCOL_TCP);
  rule.mutable_prefixes()->add_prefixes("10.20.0.0/24");
  rule.add_peer_ports()->set_first(443);
  rule.mutable_peer_ports(0)->set_last(443);
  DevicePolicy& device = *set.add_devices();
  device.set_name("d");
  device.set_pair("a");
  device.add_macs("02:00:00:00:00:01");
  device.add_ips("10.0.0.1");
  device.set_mode(MODE_ENFORCE);
  return set;
}

Rule& RuleOf(PolicySet& set) { return *set.mutable_rulesets(0)->mutable_rules(0); }
DevicePolicy& DeviceOf(PolicySet& set) { return *set.mutable_devices(0); }

struct Seed {
  const char* name;
  std::function<void(PolicySet&)> change;
};

const Seed kSeeds[] = {
    {"sound", [](PolicySet&) {}},
    {"empty", [](PolicySet& set) { set.Clear(); }},
    {"any_peer", [](PolicySet& set) { RuleOf(set).set_any_peer(true); }},
    {"any_protocol", [](PolicySet& set) { RuleOf(set).set_protocol(PROTOCOL_ANY); }},
    {"peer_opens",
     [](PolicySet& set) {
       RuleOf(set).set_initiator(INITIATOR_PEER);
       RuleOf(set).clear_peer_ports();
       RuleOf(set).add_device_ports()->set_first(1);
       RuleOf(set).mutable_device_ports(0)->set_last(65'535);
     }},
    {"icmp",
     [](PolicySet& set) {
       RuleOf(set).set_protocol(PROTOCOL_ICMP);
       RuleOf(set).clear_peer_ports();
       RuleOf(set).add_icmp_types(8);
     }},
    {"ipv6",
     [](PolicySet& set) {
       RuleOf(set).mutable_prefixes()->set_prefixes(0, "fd00:20::/64");
       DeviceOf(set).set_ips(0, "fd00:30::1");
     }},
    {"vlan",
     [](PolicySet& set) {
       DeviceOf(set).mutable_vlan()->set_outer(30);
       RuleOf(set).mutable_vlan()->set_outer(100);
       RuleOf(set).mutable_vlan()->set_inner(30);
     }},
    {"routed", [](PolicySet& set) { DeviceOf(set).clear_macs(); }},
    {"unbound", [](PolicySet& set) { DeviceOf(set).clear_ips(); }},
    {"quarantine",
     [](PolicySet& set) {
       DeviceOf(set).set_mode(MODE_QUARANTINE);
       RuleOf(set).set_keep_alive(true);
       RuleOf(set).mutable_idle_timeout()->set_seconds(90);
     }},
    {"unknown_device", [](PolicySet& set) { set.set_unknown_device_ruleset(0); }},
    {"same_mac_twice",
     [](PolicySet& set) {
       *set.add_devices() = set.devices(0);
       set.mutable_devices(1)->set_name("e");
     }},
    {"two_pairs",
     [](PolicySet& set) {
       set.add_pairs("b");
       *set.add_devices() = set.devices(0);
       set.mutable_devices(1)->set_name("e");
       set.mutable_devices(1)->set_pair("b");
     }},
    {"bad_values",
     [](PolicySet& set) {
       RuleOf(set).mutable_prefixes()->add_prefixes("10.0.0.1/8");
       RuleOf(set).mutable_peer_ports(0)->set_last(70'000);
       DeviceOf(set).set_mode(MODE_UNSPECIFIED);
       DeviceOf(set).set_ruleset(9);
     }},
};

}  // namespace
}  // namespace cordon::v1

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_policy_proto_corpus DIRECTORY\n");
    return 2;
  }
  const std::filesystem::path directory(argv[1]);
  std::filesystem::create_directories(directory);
  for (const auto& seed : cordon::v1::kSeeds) {
    cordon::v1::PolicySet set = cordon::v1::Sound();
    seed.change(set);
    std::ofstream(directory / seed.name, std::ios::binary) << set.SerializeAsString();
  }
}

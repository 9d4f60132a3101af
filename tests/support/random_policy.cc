// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_policy.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace cordon::dp::testing {
namespace {

std::vector<IpAddress> Ips(const std::vector<std::string>& texts) {
  std::vector<IpAddress> ips;
  for (const std::string& text : texts) ips.push_back(Ip(text));
  return ips;
}
std::vector<MacAddress> Macs(uint64_t prefix, uint64_t count) {
  std::vector<MacAddress> macs;
  for (uint64_t i = 1; i <= count; ++i) macs.push_back({prefix + i});
  return macs;
}

Universe MakeUniverse() {
  Universe all;
  all.v4 = Ips({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.9", "10.0.0.10", "0.0.0.0",
                "255.255.255.255", "239.1.1.1"});
  all.v6 = Ips({"fd00::1", "fd00::2", "fd00::3", "fe80::1", "fe80::2", "fd00::9", "::", "ff02::1",
                "ff02::1:ff00:1", "fe80::ff:fe00:1"});
  all.bindable = Ips(
      {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "fd00::1", "fd00::2", "fd00::3", "fe80::1"});
  all.device_macs = Macs(0x020000000000, 5);
  all.peer_macs = Macs(0x0a0000000000, 3);
  all.group_macs = {MacAddress::Broadcast(), {0x333300000001}, {0x01005e010101}};
  return all;
}

const std::vector<std::string> kPrefixes = {"10.0.0.8/29", "10.0.0.9",    "fd00::/64", "fd00::9",
                                            "0.0.0.0/0",   "10.0.0.0/24", "fe80::/10", "ff02::/16"};
const std::vector<PortRange> kRanges = {{80, 80}, {67, 68}, {1, 1023}, {546, 547}, {104, 40000}};
const std::vector<uint8_t> kIcmpTypes = {8, 128, 13, 134, 143, 5, 137};

bool IsIcmp(RuleProtocol protocol) {
  return protocol == RuleProtocol::kIcmp || protocol == RuleProtocol::kIcmpv6;
}

RuleSpec RandomRule(Dice& dice, size_t number) {
  RuleSpec rule;
  rule.origin = "profile/rule-" + std::to_string(number);
  rule.initiator = dice.Percent(50) ? Initiator::kDevice : Initiator::kPeer;
  rule.protocol = static_cast<RuleProtocol>(dice.Below(6));
  if (rule.protocol == RuleProtocol::kNumber) {
    rule.protocol_number = dice.Of(std::vector<uint8_t>{2, 47, 132});
  }
  rule.any_peer = dice.Percent(30);
  for (size_t i = 0, n = 1 + dice.Below(3); i < n && !rule.any_peer; ++i) {
    rule.peers.push_back(*ParsePrefix(dice.Of(kPrefixes)));
  }
  const bool has_ports = !IsIcmp(rule.protocol) && rule.protocol != RuleProtocol::kNumber;
  for (auto* ports : {&rule.peer_ports, &rule.device_ports}) {
    for (size_t i = dice.Below(3); i > 0 && has_ports; --i) ports->push_back(dice.Of(kRanges));
  }
  for (size_t i = dice.Below(3); i > 0 && IsIcmp(rule.protocol); --i) {
    rule.icmp_types.push_back(dice.Of(kIcmpTypes));
  }
  if (dice.Percent(15)) rule.vlan = dice.Of(TheUniverse().vlans);
  if (dice.Percent(30)) rule.idle_timeout = std::chrono::seconds(1 + dice.Below(400));
  rule.keep_alive = dice.Percent(40);
  if (rule.initiator == Initiator::kPeer && rule.protocol != RuleProtocol::kTcp &&
      dice.Percent(10)) {
    rule.group = Ip(dice.Of(std::vector<std::string>{"239.1.1.1", "255.255.255.255", "ff02::1"}));
  }
  if (dice.Percent(10)) rule.expires_at = kUnixTime + (dice.Percent(50) ? 1000 : -1000);
  return rule;
}

OverlayRuleSpec RandomOverlayRule(Dice& dice, size_t number) {
  OverlayRuleSpec rule;
  rule.origin = "overlay/rule-" + std::to_string(number);
  rule.protocol = dice.Percent(60)   ? RuleProtocol::kTcp
                  : dice.Percent(50) ? RuleProtocol::kUdp
                                     : RuleProtocol::kAny;
  rule.any_peer = dice.Percent(40);
  if (!rule.any_peer) rule.peers.push_back(*ParsePrefix(dice.Of(kPrefixes)));
  rule.ports.push_back(dice.Of(std::vector<PortRange>{{80, 80}, {67, 68}, {2575, 2575}}));
  return rule;
}

ProtectionSpec RandomProtection(Dice& dice) {
  ProtectionSpec protection;
  protection.level = static_cast<Protection>(dice.Below(3));
  for (size_t check = dice.Below(8); check < kCheckCount; check += 1 + dice.Below(16)) {
    protection.overrides.push_back(
        {static_cast<Check>(check), dice.Percent(50) ? CheckAction::kPass : CheckAction::kDrop});
  }
  return protection;
}

}  // namespace

const Universe& TheUniverse() {
  static const Universe universe = MakeUniverse();
  return universe;
}

PolicySpec RandomPolicy(Dice& dice, uint64_t generation) {
  const Universe& all = TheUniverse();
  PolicySpec spec;
  spec.gateway = "random";
  spec.generation = generation;
  spec.pairs = all.pairs;
  // The oracle knows no rates.
  GuardSpec without_rates;
  without_rates.arp_per_second = without_rates.group_per_second = 1'000'000;
  spec.guards.assign(spec.pairs.size(), without_rates);
  for (size_t i = 0; i < 4; ++i) {
    RulesetSpec ruleset{"set", {}};
    for (size_t j = dice.Below(20); j > 0; --j) {
      ruleset.rules.push_back(RandomRule(dice, j));
    }
    spec.rulesets.push_back(ruleset);
  }
  if (dice.Percent(40)) spec.unknown_device_ruleset = dice.Below(4);
  if (dice.Percent(50)) spec.protection = RandomProtection(dice);
  for (size_t i = dice.Percent(30) ? 1 + dice.Below(2) : 0; i > 0; --i) {
    spec.overlay.push_back(RandomOverlayRule(dice, i));
  }
  std::map<std::tuple<std::string, VlanTags>, std::vector<IpAddress>> taken;
  for (size_t i = 0; i < all.device_macs.size(); ++i) {
    if (dice.Percent(15)) continue;
    DeviceSpec device;
    device.name = "device-" + std::to_string(i);
    device.pair = dice.Of(all.pairs);
    device.vlan = dice.Of(all.vlans);
    if (!dice.Percent(15)) device.macs = {all.device_macs[i]};
    auto& others = taken[{device.pair, device.vlan}];
    for (size_t j = dice.Below(4); j > 0; --j) {
      const IpAddress ip = dice.Of(all.bindable);
      if (std::count(others.begin(), others.end(), ip) != 0) continue;
      device.ips.push_back(ip);
      others.push_back(ip);
    }
    if (device.macs.empty() && device.ips.empty()) device.macs = {all.device_macs[i]};
    device.mode = static_cast<Mode>(dice.Below(4));
    device.ruleset = static_cast<uint32_t>(dice.Below(4));
    if (dice.Percent(60)) device.protection = RandomProtection(dice);
    spec.devices.push_back(device);
  }
  return spec;
}

}  // namespace cordon::dp::testing

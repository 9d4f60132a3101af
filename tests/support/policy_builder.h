// SPDX-License-Identifier: Apache-2.0
// Policies for tests, short enough to be read with the test:
//
//   const PolicySpec policy = Policy()
//       .Rules({Allow(Initiator::kDevice, RuleProtocol::kTcp, "10.0.0.9").PeerPort(104)})
//       .Device("ct", kCt);
//
// One pair "ward"; Rules starts a ruleset and the devices after it use it.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "dataplane/policy/spec.h"
#include "tests/support/packet_builder.h"

namespace cordon::dp::testing {

class Allow {
 public:
  // `peer`: "any" or a prefix. The origin is "test/rule-N" of its place in the ruleset.
  Allow(Initiator initiator, RuleProtocol protocol, std::string_view peer) {
    rule_.initiator = initiator;
    rule_.protocol = protocol;
    rule_.any_peer = peer == "any";
    if (!rule_.any_peer) rule_.peers = {ParsePrefix(peer).value()};
  }
  Allow& Peer(std::string_view prefix) {
    rule_.peers.push_back(ParsePrefix(prefix).value());
    return *this;
  }
  Allow& PeerPort(uint16_t first, uint16_t last = 0) {
    rule_.peer_ports.push_back({first, last == 0 ? first : last});
    return *this;
  }
  Allow& DevicePort(uint16_t first, uint16_t last = 0) {
    rule_.device_ports.push_back({first, last == 0 ? first : last});
    return *this;
  }
  Allow& IcmpType(uint8_t type) {
    rule_.icmp_types.push_back(type);
    return *this;
  }
  Allow& Vlan(VlanTags vlan) {
    rule_.vlan = vlan;
    return *this;
  }
  Allow& IdleTimeout(std::chrono::seconds timeout) {
    rule_.idle_timeout = timeout;
    return *this;
  }
  Allow& KeepAlive() {
    rule_.keep_alive = true;
    return *this;
  }
  Allow& Origin(std::string origin) {
    rule_.origin = std::move(origin);
    return *this;
  }
  const RuleSpec& rule() const { return rule_; }

 private:
  RuleSpec rule_;
};

class Policy {
 public:
  Policy() {
    spec_.gateway = "test";
    spec_.generation = 1;
    spec_.pairs = {"ward"};
  }
  Policy& Generation(uint64_t generation) {
    spec_.generation = generation;
    return *this;
  }
  Policy& Rules(std::initializer_list<Allow> rules) {
    RulesetSpec ruleset{"test", {}};
    for (const Allow& allow : rules) {
      ruleset.rules.push_back(allow.rule());
      std::string& origin = ruleset.rules.back().origin;
      if (origin.empty()) origin = "test/rule-" + std::to_string(ruleset.rules.size());
    }
    spec_.rulesets.push_back(std::move(ruleset));
    return *this;
  }
  Policy& Device(std::string name, const Station& station, Mode mode = Mode::kEnforce) {
    if (spec_.rulesets.empty()) Rules({});
    DeviceSpec device;
    device.name = std::move(name);
    device.pair = "ward";
    device.vlan = station.vlan;
    if (!station.mac.IsZero()) device.macs = {station.mac};
    if (!station.ip.IsUnspecified()) device.ips = {station.ip};
    device.mode = mode;
    device.ruleset = static_cast<uint32_t>(spec_.rulesets.size() - 1);
    spec_.devices.push_back(std::move(device));
    return *this;
  }
  Policy& UnknownDevices() {  // get the ruleset begun last
    spec_.unknown_device_ruleset = static_cast<uint32_t>(spec_.rulesets.size() - 1);
    return *this;
  }
  PolicySpec& spec() { return spec_; }
  operator const PolicySpec&() const { return spec_; }  // NOLINT: that is what it is for

 private:
  PolicySpec spec_;
};

}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// What is to be compiled: the policy set of one gateway as plain values. Names are only carried
// along for attribution; below *resolve* there are addresses and numbers.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/packet/address.h"

namespace cordon::dp {

enum class Initiator : uint8_t { kDevice = 0, kPeer = 1 };
enum class RuleProtocol : uint8_t { kTcp, kUdp, kIcmp, kIcmpv6, kAny };  // kAny: those four
enum class Mode : uint8_t { kObserve = 0, kAudit = 1, kEnforce = 2, kQuarantine = 3 };
std::string_view ToString(Initiator initiator);    // "device", "peer"
std::string_view ToString(RuleProtocol protocol);  // "tcp", "udp", "icmp", "icmpv6", "any"
std::string_view ToString(Mode mode);              // "observe", ...

// One allow line. Rules only allow; what no rule allows is dropped.
struct RuleSpec {
  std::string origin;  // "ct-scanner/store-images": profile and rule id; unique in its ruleset
  Initiator initiator = Initiator::kDevice;
  RuleProtocol protocol = RuleProtocol::kTcp;
  bool any_peer = false;                 // then `peers` must be empty
  std::vector<IpPrefix> peers;           // at least one unless any_peer
  std::vector<PortRange> peer_ports;     // L4 ports at the peer; empty: any. TCP, UDP and any only
  std::vector<PortRange> device_ports;   // L4 ports at the device; empty: any
  std::vector<uint8_t> icmp_types;       // empty: any request, but see MustBeNamed. ICMP(v6) only
  std::optional<VlanTags> vlan;          // absent: the VLAN of the device
  std::chrono::seconds idle_timeout{0};  // 0: the default of the protocol
  bool keep_alive = false;               // still allowed in quarantine
  friend bool operator==(const RuleSpec&, const RuleSpec&) = default;
};

struct RulesetSpec {
  std::string name;  // for messages: the profile it was made from
  std::vector<RuleSpec> rules;
  friend bool operator==(const RulesetSpec&, const RulesetSpec&) = default;
};

// A device is found by (pair, VLAN, MAC); without any MAC it is behind a router and is found by
// (pair, VLAN, IP).
struct DeviceSpec {
  std::string name;  // unique
  std::string pair;  // name of a pair of this gateway
  VlanTags vlan;
  std::vector<MacAddress> macs;
  std::vector<IpAddress> ips;  // bound addresses; empty: any source address (macs not empty)
  Mode mode = Mode::kEnforce;
  uint32_t ruleset = 0;  // index into PolicySpec::rulesets
  friend bool operator==(const DeviceSpec&, const DeviceSpec&) = default;
};

struct PolicySpec {
  std::string gateway;
  uint64_t generation = 0;
  std::vector<std::string> pairs;  // every pair that devices may name; index = pair number
  std::vector<RulesetSpec> rulesets;
  std::vector<DeviceSpec> devices;
  // What a device-side MAC that nobody owns gets: absent is deny, else this ruleset, enforced.
  std::optional<uint32_t> unknown_device_ruleset;
  friend bool operator==(const PolicySpec&, const PolicySpec&) = default;
};

}  // namespace cordon::dp

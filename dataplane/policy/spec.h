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
#include "dataplane/packet/check.h"

namespace cordon::dp {

enum class Initiator : uint8_t { kDevice = 0, kPeer = 1 };
// kAny: TCP, UDP, ICMP and ICMPv6. kNumber: another IP protocol by its number (IGMP, tunnels).
enum class RuleProtocol : uint8_t { kTcp, kUdp, kIcmp, kIcmpv6, kAny, kNumber };
enum class Mode : uint8_t { kObserve = 0, kAudit = 1, kEnforce = 2, kQuarantine = 3 };
std::string_view ToString(Initiator initiator);  // "device", "peer"
// "tcp", "udp", "icmp", "icmpv6", "any"; for a number "igmp" or the number itself.
std::string ToString(RuleProtocol protocol, uint8_t protocol_number = 0);
std::string_view ToString(Mode mode);  // "observe", ...
inline constexpr uint8_t kIgmpNumber = 2;

// One allow line. Rules only allow; what no rule allows is dropped.
struct RuleSpec {
  std::string origin;  // "ct-scanner/store-images": profile and rule id; unique in its ruleset
  Initiator initiator = Initiator::kDevice;
  RuleProtocol protocol = RuleProtocol::kTcp;
  uint8_t protocol_number = 0;           // of kNumber, else 0; the four others go by their names
  bool any_peer = false;                 // then `peers` must be empty
  std::vector<IpPrefix> peers;           // at least one unless any_peer
  std::vector<PortRange> peer_ports;     // L4 ports at the peer; empty: any. TCP, UDP and any only
  std::vector<PortRange> device_ports;   // L4 ports at the device; empty: any
  std::vector<uint8_t> icmp_types;       // empty: any request, but see MustBeNamed. ICMP(v6) only
  std::optional<VlanTags> vlan;          // absent: the VLAN of the device
  std::chrono::seconds idle_timeout{0};  // 0: the default of the protocol
  bool keep_alive = false;               // still allowed in quarantine
  // The rule counts only for frames to this broadcast or multicast address. Of peers only: what a
  // device sends to a group names the group as its peer.
  std::optional<IpAddress> group;
  std::optional<int64_t> expires_at;  // Unix seconds; from then on the rule allows nothing
  bool log = false;                   // flows it admits are reported whatever else is left out
  friend bool operator==(const RuleSpec&, const RuleSpec&) = default;
};

struct RulesetSpec {
  std::string name;  // for messages: the profile it was made from
  std::vector<RuleSpec> rules;
  friend bool operator==(const RulesetSpec&, const RulesetSpec&) = default;
};

// Which checks of packet/check.def refuse a frame: those of the level, changed one by one.
enum class CheckAction : uint8_t { kPass, kDrop };
struct CheckOverride {
  Check check{};
  CheckAction action = CheckAction::kDrop;
  friend bool operator==(const CheckOverride&, const CheckOverride&) = default;
};
struct ProtectionSpec {
  Protection level = Protection::kStandard;
  std::vector<CheckOverride> overrides;  // each check once
  friend bool operator==(const ProtectionSpec&, const ProtectionSpec&) = default;
};
CheckMask MaskOf(const ProtectionSpec& protection);

// What a device may be sent, and may send, at most. 0: no limit.
struct RateLimits {
  uint64_t packets_per_second = 0;
  uint64_t bytes_per_second = 0;
  uint64_t new_flows_per_second = 0;
  friend bool operator==(const RateLimits&, const RateLimits&) = default;
};
struct LimitSpec {
  RateLimits toward;           // what reaches the device
  RateLimits from;             // what the device sends
  uint32_t max_flows = 0;      // live flows at a time; 0: the gateway's own share of a device
  uint32_t max_half_open = 0;  // TCP connections that are not established yet; 0: likewise
  friend bool operator==(const LimitSpec&, const LimitSpec&) = default;
};

// Frames beside ARP, IPv4 and IPv6, by ethertype. LLC frames have none: numbers below 0x0600, which
// no ethertype has, stand for them.
namespace guard_ethertype {
inline constexpr uint16_t kEapol = 0x888e, kLldp = 0x88cc, kLacp = 0x8809, kPtp = 0x88f7;
inline constexpr uint16_t kStp = 0x0042, kCdp = 0x0100;
}  // namespace guard_ethertype

// What passes on a pair beside the flows that rules allow.
struct GuardSpec {
  // Without repetition.
  std::vector<uint16_t> ethertypes = {guard_ethertype::kEapol, guard_ethertype::kLldp,
                                      guard_ethertype::kStp};
  std::vector<IpAddress> dhcp_servers;  // empty: any on the network side
  uint32_t arp_per_second = 0;    // ARP and neighbour discovery from each device; 0: the default
  uint32_t group_per_second = 0;  // broadcast and multicast from each device; 0: the default
  bool Passes(uint16_t ethertype) const noexcept;
  bool IsDhcpServer(const IpAddress& ip) const noexcept;  // also if none is named
  friend bool operator==(const GuardSpec&, const GuardSpec&) = default;
};

// One deny line for every device of the gateway, in every mode, before any rule: for emergencies.
struct OverlayRuleSpec {
  std::string origin;                          // "overlay-name/rule-id"
  RuleProtocol protocol = RuleProtocol::kTcp;  // kAny: every IP protocol
  uint8_t protocol_number = 0;
  bool any_peer = false;
  std::vector<IpPrefix> peers;
  std::vector<PortRange> ports;  // L4 ports at either end; empty: any
  std::vector<uint8_t> icmp_types;
  friend bool operator==(const OverlayRuleSpec&, const OverlayRuleSpec&) = default;
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
  ProtectionSpec protection;
  LimitSpec limits;
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
  ProtectionSpec protection;      // of frames that belong to no device
  std::vector<GuardSpec> guards;  // of pairs[i]; pairs beyond the list have the default
  std::vector<OverlayRuleSpec> overlay;
  friend bool operator==(const PolicySpec&, const PolicySpec&) = default;
};

}  // namespace cordon::dp

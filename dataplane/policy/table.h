// SPDX-License-Identifier: Apache-2.0
// The compiled policy of one gateway: immutable after Compile, shared by all workers without locks.
//
// Devices are found by hash of (pair, VLAN, MAC). Devices with equal rules share one compiled
// ruleset. A ruleset is a handful of rows (one prefix x one port range each), grouped by initiator
// and address family so that a question scans only rows that could match, in one vectorised pass.
// Cost of a new flow: one identity lookup and one short scan, whatever the size of the fleet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/packet/address.h"
#include "dataplane/packet/packet.h"
#include "dataplane/policy/hits.h"
#include "dataplane/policy/slots.h"
#include "dataplane/policy/spec.h"

namespace cordon::dp {

using DeviceIndex = uint32_t;
using RuleIndex = uint32_t;  // into PolicyTable's list of rule origins: overlay, then rulesets
inline constexpr DeviceIndex kNoDevice = 0xffffffff;
inline constexpr RuleIndex kNoRuleIndex = 0xffffffff;
// The pseudo device of group traffic toward the device side, and of unknown devices.
inline constexpr DeviceIndex kGroupDevice = 0xfffffffe;
inline constexpr DeviceIndex kUnknownDeviceIndex = 0xfffffffd;
inline constexpr DeviceIndex kFirstPseudoDevice = 0xfffffffd;

// A fault in a policy: where (a field path such as devices[3].ips[0]) and what, in plain words.
struct Fault {
  std::string path;
  std::string message;
  friend bool operator==(const Fault&, const Fault&) = default;
};

// Capacity of this gateway; a policy that exceeds it is refused as a whole, never truncated.
struct PolicyLimits {
  size_t devices = 200'000;
  size_t addresses_per_device = 256;  // MACs, and bound addresses
  size_t rules = 4'000'000;           // over all rulesets
  size_t rows = 16'000'000;           // compiled rows over all rulesets
  size_t rows_per_ruleset = 65'536;
  size_t pairs = 64;
  size_t overlay_rules = 256;
  size_t guard_entries = 64;  // ethertypes, and DHCP servers, of a pair
};

using DeviceLimits = LimitSpec;
using PairGuards = GuardSpec;

// What a new flow asks. Ports are L4 ports; for ICMP and ICMPv6 both are 0 and icmp_type counts.
struct FlowQuestion {
  Initiator initiator = Initiator::kDevice;
  uint8_t protocol = 0;
  uint8_t icmp_type = 0;
  uint16_t peer_port = 0;
  uint16_t device_port = 0;
  VlanTags vlan;
  IpAddress peer;
  IpAddress device_ip;  // of the frame's end on the device side: for group traffic the group
};

// Where the flow goes: the L4 port of who is asked.
constexpr uint16_t ResponderPortOf(const FlowQuestion& question) {
  return question.initiator == Initiator::kDevice ? question.peer_port : question.device_port;
}

struct RuleMatch {
  RuleIndex rule = kNoRuleIndex;      // kNoRuleIndex: nothing allows it
  uint32_t idle_timeout_seconds = 0;  // 0: the default of the protocol
  explicit operator bool() const { return rule != kNoRuleIndex; }
};

// What the devices of one (pair, VLAN) have in common, for frames that are meant for all of them.
struct GroupScope {
  bool has_devices = false;
  bool has_unbound_devices = false;  // a device that may use any address
  Mode mode = Mode::kEnforce;        // see GroupMode
};

class PolicyTable {
 public:
  PolicyTable();
  ~PolicyTable();
  PolicyTable(const PolicyTable&) = delete;
  PolicyTable& operator=(const PolicyTable&) = delete;

  uint64_t generation() const { return generation_; }
  // Counts publications in this process; set by PolicySlot::Publish, stored in flows. Never 0 once
  // published, so a zeroed flow is never taken for current.
  uint32_t stamp() const { return stamp_; }

  // --- packet path: noexcept, no allocation
  DeviceIndex FindByMac(uint16_t pair, VlanTags vlan, MacAddress mac) const noexcept;
  // Start loading what FindByMac, FindByIp and then Match will look at, so that a burst of new
  // flows does not wait for memory one frame after the other.
  void PrefetchMac(uint16_t pair, VlanTags vlan, MacAddress mac) const noexcept;
  void PrefetchIp(uint16_t pair, VlanTags vlan, const IpAddress& ip) const noexcept;
  void PrefetchDevice(DeviceIndex device) const noexcept;
  void PrefetchRules(DeviceIndex device, Initiator initiator, const IpAddress& peer) const noexcept;
  // What Match will read of the first rules whose peers fit; needs what PrefetchRules asked for.
  // Worth its cost only if the rules do not lie in a cache.
  void PrefetchMatch(DeviceIndex device, Initiator initiator, const IpAddress& peer) const noexcept;
  bool has_many_rules() const noexcept { return has_many_rules_; }
  // Whether the MAC is that of a device of another pair.
  bool IsOnOtherPair(uint16_t pair, MacAddress mac) const noexcept;
  // The device that an address is bound to on that pair and VLAN (ARP, ND, routed devices).
  DeviceIndex FindByIp(uint16_t pair, VlanTags vlan, const IpAddress& ip) const noexcept;
  // True if the table holds devices without a MAC: only then FindByIp may attribute a frame.
  bool has_routed_devices() const noexcept { return has_routed_devices_; }
  bool IsRouted(DeviceIndex device) const noexcept;
  // Whether `ip` may be used by the device; true for every address if it has no bound ones.
  bool IsBound(DeviceIndex device, const IpAddress& ip) const noexcept;
  bool HasBoundAddresses(DeviceIndex device) const noexcept;
  Mode ModeOf(DeviceIndex device) const noexcept;  // pseudo devices: kEnforce
  bool HasUnknownDeviceRules() const noexcept;
  // First rule of the device (or of kUnknownDeviceIndex) that allows the flow; in quarantine only
  // keep-alive rules count.
  RuleMatch Match(DeviceIndex device, const FlowQuestion& question) const noexcept;
  // First rule of any device of (pair, VLAN) that accepts a group frame from a peer, in the order
  // of devices and their rules. The ports of the question are the frame's; initiator is kPeer. TCP
  // is never group traffic (RFC 9293 3.9.2.3): no rule accepts it.
  RuleMatch MatchGroup(uint16_t pair, const FlowQuestion& question) const noexcept;
  // The overlay's rule that denies the flow, whoever opened it.
  RuleMatch MatchOverlay(const FlowQuestion& question) const noexcept;
  // Which checks refuse a frame of the device; of pseudo devices and kNoDevice: the gateway's.
  CheckMask ChecksOf(DeviceIndex device) const noexcept;
  CheckMask ChecksOfAny() const noexcept;  // all that ChecksOf may answer, for any device
  // Whether any device has limits.
  bool has_limits() const noexcept { return has_limits_; }
  const DeviceLimits& LimitsOf(DeviceIndex device) const noexcept;  // pseudo devices: none
  // See DeviceSlots; kNobodysSlot for pseudo devices and kNoDevice.
  uint32_t SlotOf(DeviceIndex device) const noexcept;
  const PairGuards& GuardsOf(uint16_t pair) const noexcept;
  // A flow was admitted under the rule, or a frame denied by it (overlay). Any rule index will do.
  void CountHit(size_t worker, RuleIndex rule, uint64_t now_seconds) const noexcept {
    hits_.Count(worker, rule, now_seconds);
  }
  // A flow that was decided under this table was last seen then.
  void RefreshHit(size_t worker, RuleIndex rule, uint64_t last_seen_seconds) const noexcept {
    hits_.Refresh(worker, rule, last_seen_seconds);
  }
  // Whether flows of the rule are reported whatever else is left out.
  bool IsLogged(RuleIndex rule) const noexcept;
  // Whether a device of (pair, VLAN) passes every group frame: kObserve if one observes, kAudit if
  // none observes but one audits, else kEnforce.
  Mode GroupMode(uint16_t pair, VlanTags vlan) const noexcept;
  GroupScope ScopeOf(uint16_t pair, VlanTags vlan) const noexcept;

  // --- any thread, names for reports
  std::string_view DeviceName(DeviceIndex device) const;  // "" for pseudo devices
  std::string_view RuleOrigin(RuleIndex rule) const;      // "" for kNoRuleIndex
  // Unix seconds, of a rule that expires; 0: never.
  int64_t RuleExpiry(RuleIndex rule) const;
  // The earliest time at which a rule of this table expires: it must be compiled again then.
  std::optional<int64_t> next_expiry() const { return next_expiry_; }
  RuleHit HitsOf(RuleIndex rule) const { return hits_.Of(rule); }
  std::string_view PairName(uint16_t pair) const;
  std::string_view gateway() const { return gateway_; }
  size_t device_count() const;
  size_t rule_count() const;          // of the overlay and all distinct rulesets
  size_t overlay_rule_count() const;  // they have the first rule indices
  size_t ruleset_count() const;       // distinct compiled rulesets
  size_t row_count() const;
  size_t memory_bytes() const;
  // Number of a pair by name, or -1.
  int PairNumber(std::string_view name) const;

 private:
  friend class Compiler;
  friend class PolicySlot;
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::string gateway_;
  uint64_t generation_ = 0;
  uint32_t stamp_ = 0;
  bool has_routed_devices_ = false;
  bool has_many_rules_ = false;
  bool has_limits_ = false;
  std::optional<int64_t> next_expiry_;
  mutable RuleHits hits_;  // counts, no part of what is decided; made by PolicySlot::Publish
};

struct CompileResult {
  std::unique_ptr<PolicyTable> table;  // null if there are faults
  std::vector<Fault> faults;           // all of them, not the first
};

struct CompileOptions {
  // Unix seconds. Rules that have expired by then keep their index and allow nothing.
  int64_t now = 0;
  // Who keeps the slots of devices over several tables; changed only if there are no faults. Null:
  // slots are given in the order of devices.
  DeviceSlots* slots = nullptr;
};

// Compiles a policy set. Pure: same spec and options, same table. Pair numbers are the positions in
// spec.pairs.
CompileResult Compile(const PolicySpec& spec, const PolicyLimits& limits = {},
                      const CompileOptions& options = {});

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// What a kind of device needs on the network: rules with names instead of addresses.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/inventory/device.h"

namespace cordon::cp {

enum class RuleInitiator { kDevice, kPeer };
enum class RuleProtocol { kTcp, kUdp, kIcmp, kIcmpv6, kAny, kNumber };

struct ProfileRule {
  std::string id;  // unique in its profile
  RuleInitiator initiator = RuleInitiator::kDevice;
  std::vector<std::string> peer;  // a Peer's name, "any", or addresses; at least one
  RuleProtocol protocol = RuleProtocol::kTcp;
  uint8_t protocol_number = 0;  // of kNumber: IGMP, tunnels
  std::vector<dp::PortRange> peer_ports;
  std::vector<dp::PortRange> device_ports;
  std::vector<uint8_t> icmp_types;
  std::optional<dp::VlanTags> vlan;
  std::chrono::seconds idle_timeout{0};  // 0: the default of the protocol
  bool keep_alive = false;
  // Only frames to this multicast or broadcast address; of initiator peer.
  std::optional<dp::IpAddress> group;
  std::optional<int64_t> expires_at;  // Unix seconds; allows nothing from then on
  bool log = false;                   // flows that it admits are always reported
  std::string preset;  // stands for the rules of preset.def; of the rest only `peer` and what
                       // every rule may say counts. See ExpandRule
  std::string reason;  // why the device needs it
  friend bool operator==(const ProfileRule&, const ProfileRule&) = default;
};

bool ParseProtocol(std::string_view text, RuleProtocol& protocol, uint8_t& protocol_number);
// "tcp", "udp", "icmp", "icmpv6", "any", "igmp" or a number.
std::string ProtocolText(RuleProtocol protocol, uint8_t protocol_number);
// The opposite; false, and nothing is set, if the text is none of these.
template <typename Rule>
bool SetProtocol(Rule& rule, std::string_view text) {
  return ParseProtocol(text, rule.protocol, rule.protocol_number);
}

// Fits if every field that is set fits; compared without case, * stands for any run of characters.
struct ProfileMatch {
  std::string device_class, vendor, model;
  friend bool operator==(const ProfileMatch&, const ProfileMatch&) = default;
};

struct Profile {
  std::string name;
  std::string description;
  std::vector<ProfileMatch> match;
  std::vector<ProfileRule> rules;
  Knobs knobs{};  // for its devices
  friend bool operator==(const Profile&, const Profile&) = default;
};

// A named group of addresses.
struct Peer {
  std::string name;
  std::string description;
  std::vector<dp::IpPrefix> addresses;
  friend bool operator==(const Peer&, const Peer&) = default;
};

// The profile a device gets: the one it names, else the most specific match (model counts more than
// vendor, vendor more than class; among equals the first by name), else "unknown" if there is such
// a profile, else null.
const Profile* AssignProfile(const Device& device, const std::vector<Profile>& profiles);

}  // namespace cordon::cp

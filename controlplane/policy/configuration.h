// SPDX-License-Identifier: Apache-2.0
// All that administrators wrote and imported: the source from which every policy set is assembled.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/inventory/device.h"
#include "controlplane/profile/profile.h"
#include "dataplane/policy/spec.h"

namespace cordon::cp {

struct GatewayConfig {
  std::string name;
  std::vector<std::string> pairs;
  std::string unknown_device = "deny";            // or the name of a profile
  Protection protection{};                        // of frames that belong to no device
  std::map<std::string, dp::GuardSpec> guards{};  // by pair; pairs without have the default
  friend bool operator==(const GatewayConfig&, const GatewayConfig&) = default;
};

// One line of an overlay: denied for every device of every gateway, before any rule.
struct OverlayRule {
  std::string id;
  std::vector<std::string> peer;               // as in a profile's rule
  RuleProtocol protocol = RuleProtocol::kTcp;  // kAny: every IP protocol
  uint8_t protocol_number = 0;
  std::vector<dp::PortRange> ports;  // L4 ports at either end
  std::vector<uint8_t> icmp_types;
  std::string reason;
  friend bool operator==(const OverlayRule&, const OverlayRule&) = default;
};
struct Overlay {
  std::string name;
  std::string description;
  std::vector<OverlayRule> rules;
  friend bool operator==(const Overlay&, const Overlay&) = default;
};

// A consistent snapshot, ordered by name. Value type: copy, change, assemble, keep or throw away.
struct Configuration {
  std::map<std::string, Peer> peers;
  std::map<std::string, Profile> profiles;
  std::map<std::string, GatewayConfig> gateways;
  std::map<std::string, Overlay> overlays;
  std::map<std::string, Device> devices;
  friend bool operator==(const Configuration&, const Configuration&) = default;
};

// Where each document stands, for messages: "Device ct-2" -> "policy.yaml:31". Parts of a document
// may have a line of their own: "Profile ct-scanner rules[1]" -> "policy.yaml:19".
using Places = std::map<std::string, std::string>;

// What documents, pairs and rules may be called: a-z, 0-9, '.', '_' and '-', at most 63 characters,
// the first one a letter or a digit.
bool IsResourceName(std::string_view name);
// Whether a document of this kind may have this name. The words that stand for something else where
// names are expected ("any", "deny", an address) are refused. Empty: it may; else why not.
std::string RefuseName(std::string_view kind, std::string_view name);

enum class ChangeType { kAdded, kChanged, kRemoved };
struct ResourceChange {
  std::string kind;  // "Device", "Profile", "Peer", "Gateway", "Overlay"
  std::string name;
  ChangeType type = ChangeType::kAdded;
  std::vector<std::string> details;
};

// Document by document what differs.
std::vector<ResourceChange> DiffConfigurations(const Configuration& before,
                                               const Configuration& after);

}  // namespace cordon::cp

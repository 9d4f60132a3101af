// SPDX-License-Identifier: Apache-2.0
// Reads one document of each kind. Private to controlplane/documents.
#pragma once

#include <string>
#include <vector>

#include "controlplane/documents/documents.h"
#include "dataplane/yaml/strict_yaml.h"

namespace cordon::cp {

// "policy.yaml:31": where a node stands, without its field path.
std::string LineOf(const std::string& file, const dp::YamlNode& node);

// What may be said of a rule's other end, and of its ICMP types: for rules of both kinds.
std::vector<std::string> ReadPeers(dp::YamlMap& map);
std::vector<uint8_t> ReadIcmpTypes(dp::YamlMap& map);
std::vector<dp::PortRange> ReadPorts(dp::YamlMap& map, std::string_view key);
// `protocol`, `protocol_number` of a rule of either kind.
void ReadProtocol(dp::YamlMap& map, RuleProtocol& protocol, uint8_t& number);
// --- knobs.cc
Protection ReadProtection(dp::YamlMap& map);  // keys `protection`, `checks`
Knobs ReadKnobs(dp::YamlMap& map);            // and `limits`
dp::GuardSpec ReadGuards(dp::YamlMap map);

// Each reads a map whose kind and name were read before; faults go to the map's file.
Peer ReadPeer(dp::YamlMap& map, std::string name);
GatewayConfig ReadGateway(dp::YamlMap& map, std::string name);
Device ReadDevice(dp::YamlMap& map, std::string name);
// `rule_nodes` gets the node of each rule, for places.
Overlay ReadOverlay(dp::YamlMap& map, std::string name, std::vector<dp::YamlNode>& rule_nodes);
Profile ReadProfile(dp::YamlMap& map, std::string name, std::vector<dp::YamlNode>& rule_nodes);

}  // namespace cordon::cp

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

// Each reads a map whose kind and name were read before; faults go to the map's file.
Peer ReadPeer(dp::YamlMap& map, std::string name);
GatewayConfig ReadGateway(dp::YamlMap& map, std::string name);
Device ReadDevice(dp::YamlMap& map, std::string name);
// `rule_nodes` gets the node of each rule, for places.
Profile ReadProfile(dp::YamlMap& map, std::string name, std::vector<dp::YamlNode>& rule_nodes);

}  // namespace cordon::cp

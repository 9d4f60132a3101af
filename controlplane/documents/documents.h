// SPDX-License-Identifier: Apache-2.0
// YAML documents <-> domain. Strict: unknown kinds and fields are faults with file and line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controlplane/inventory/csv_import.h"
#include "controlplane/policy/configuration.h"

namespace cordon::cp {

struct DocumentSource {
  std::string file;
  std::string content;
};

struct ParsedDocuments {
  std::vector<Peer> peers;
  std::vector<Profile> profiles;
  std::vector<GatewayConfig> gateways;
  std::vector<Overlay> overlays;
  std::vector<Device> devices;
  Places places;                   // "Device ct-2" -> "policy.yaml:31"
  std::vector<InputFault> faults;  // all of them: "policy.yaml:12: rules[0].protocol"
};

// Parses all files, collects every fault of every file. Never throws. Documents that occur twice
// (same kind and name) are faults that name both places. Bounded: aliases are refused, depth <= 16.
ParsedDocuments ParseDocuments(const std::vector<DocumentSource>& sources);

// Lays the documents over a configuration: each replaces the one of the same kind and name.
Configuration Merge(const Configuration& base, const ParsedDocuments& documents);

// One document each, in the form ParseDocuments reads; a round trip gives the same value.
std::string ToYaml(const Peer& peer);
std::string ToYaml(const Profile& profile);
std::string ToYaml(const GatewayConfig& gateway);
std::string ToYaml(const Overlay& overlay);
std::string ToYaml(const Device& device);

// The column mapping of an inventory import (see configs/lab/inventory-mapping.yaml).
struct ParsedMapping {
  ColumnMapping mapping;
  std::vector<InputFault> faults;
};
ParsedMapping ParseColumnMapping(std::string_view file, std::string_view content);

// Reads FILE, or every *.yaml and *.yml below DIRECTORY in order of name. A file that cannot be
// read is a fault in `faults`.
std::vector<DocumentSource> ReadDocumentFiles(const std::string& path,
                                              std::vector<InputFault>& faults);

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/documents/documents.h"
#include "dataplane/yaml/strict_yaml.h"

namespace cordon::cp {
namespace {

constexpr std::string_view kFields[] = {"name",    "mac",     "ip",       "vlan",   "vendor",
                                        "model",   "class",   "location", "serial", "asset_tag",
                                        "profile", "gateway", "pair",     "mode"};

void ReadColumns(dp::YamlMap& map, ColumnMapping& mapping) {
  dp::YamlMap columns = map.Map("columns");
  for (const std::string_view field : kFields) {
    const std::vector<std::string> headers = columns.Strings(field);
    if (!headers.empty()) mapping.columns[std::string(field)] = headers;
  }
}

void ReadDefaults(dp::YamlMap& map, ColumnMapping& mapping) {
  dp::YamlMap defaults = map.Map("defaults");
  for (const std::string_view field : kFields) {
    const std::string value = defaults.String(field);
    if (!value.empty()) mapping.defaults[std::string(field)] = value;
  }
}

void ReadClassNames(dp::YamlMap& map, ColumnMapping& mapping) {
  for (const dp::YamlNode& node : map.List("class_names")) {
    dp::YamlMap entry = node.AsMap();
    const std::string device_class = entry.RequiredString("class");
    if (const auto names = entry.Require("names")) {
      for (const dp::YamlNode& name : names->AsListOrOne()) {
        if (const auto text = name.AsString()) mapping.class_names[*text] = device_class;
      }
    }
  }
}

void ReadDelimiter(dp::YamlMap& map, ColumnMapping& mapping) {
  const auto node = map.Find("delimiter");
  if (!node) return;
  const std::string text = node->AsString().value_or("");
  if (text == "tab") {
    mapping.delimiter = '\t';
  } else if (text.size() == 1 && std::string_view(",;|\t").find(text) != std::string_view::npos) {
    mapping.delimiter = text.front();
  } else {
    node->Fail(
        "a delimiter is \",\", \";\", \"|\" or tab; leave it out to find it in the header line");
  }
}

}  // namespace

ParsedMapping ParseColumnMapping(std::string_view file, std::string_view content) {
  ParsedMapping parsed;
  parsed.mapping = DefaultCmmsMapping();
  dp::YamlFile yaml = dp::YamlFile::Parse(std::string(file), content);
  if (yaml.documents().size() > 1) yaml.Fail("a column mapping is one document");
  for (const dp::YamlNode& document : yaml.documents()) {
    dp::YamlMap map = document.AsMap();
    ReadColumns(map, parsed.mapping);
    ReadDefaults(map, parsed.mapping);
    ReadClassNames(map, parsed.mapping);
    ReadDelimiter(map, parsed.mapping);
    parsed.mapping.value_separators =
        map.String("value_separators", parsed.mapping.value_separators);
  }
  for (const dp::YamlFault& fault : yaml.faults()) {
    parsed.faults.push_back({fault.place, fault.message});
  }
  return parsed;
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// What a YAML file is to the strict reader: a tree with line numbers, and the faults found so far.
// Private to this folder.
#pragma once

#include <string>
#include <vector>

#include "dataplane/yaml/strict_yaml.h"

namespace cordon::dp {

struct YamlTree {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Key {
    std::string text;
    int line;
  };
  Kind kind = Kind::kNull;
  int line = 1;
  std::string scalar;
  std::vector<Key> keys;           // of a map, in order; children has their values
  std::vector<YamlTree> children;  // of a list or a map

  // Stands for a map that is absent or was refused.
  static const YamlTree& Empty();
};

struct YamlNode::File {
  struct PlacedFault {
    int line;
    YamlFault fault;
  };
  std::string name;
  YamlLimits limits;
  std::vector<YamlTree> roots;
  std::vector<PlacedFault> faults;
  size_t faults_left_out = 0;

  std::string Place(int line, const std::string& path) const;
  void Fail(int line, const std::string& path, std::string message);
};

}  // namespace cordon::dp

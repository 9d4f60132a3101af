// SPDX-License-Identifier: Apache-2.0
// Reads what an administrator names on the command line.
#pragma once

#include <istream>
#include <string>
#include <vector>

namespace cordon::cp::cli {

struct InputFile {
  std::string name;  // for messages
  std::string content;
};

struct InputFiles {
  std::vector<InputFile> files;
  std::vector<std::string> faults;  // "policy.yaml: No such file or directory"
};

// What the controller takes in one call.
inline constexpr size_t kMaxInputBytes = 64 << 20;

// One file, whatever its name.
InputFiles ReadFile(const std::string& path);

// For each path: the file; every *.yaml and *.yml below the directory, in order of path;
// `standard_input` for "-". A directory without documents is a fault. All together at most
// kMaxInputBytes. All faults, not the first.
InputFiles ReadDocuments(const std::vector<std::string>& paths, std::istream& standard_input);

}  // namespace cordon::cp::cli

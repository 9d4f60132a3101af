// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "controlplane/documents/documents.h"

namespace cordon::cp {
namespace {

namespace fs = std::filesystem;

// One more byte than ParseDocuments takes, so that a larger file is refused there, not cut here.
constexpr std::streamsize kMostBytes = 64 * 1024 * 1024 + 1;

void ReadOne(const fs::path& path, std::vector<DocumentSource>& sources,
             std::vector<InputFault>& faults) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    faults.push_back({path.string(), "is a directory, not a file"});
    return;
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    faults.push_back({path.string(), std::string("cannot be read: ") + std::strerror(errno)});
    return;
  }
  std::string content;
  char chunk[65536];
  while (stream && static_cast<std::streamsize>(content.size()) < kMostBytes) {
    stream.read(chunk, sizeof chunk);
    content.append(chunk, static_cast<size_t>(stream.gcount()));
  }
  if (stream.bad()) {
    faults.push_back({path.string(), "could not be read to its end"});
    return;
  }
  sources.push_back({path.string(), std::move(content)});
}

}  // namespace

std::vector<DocumentSource> ReadDocumentFiles(const std::string& path,
                                              std::vector<InputFault>& faults) {
  std::vector<DocumentSource> sources;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    ReadOne(path, sources, faults);
    return sources;
  }
  std::vector<fs::path> files;
  fs::recursive_directory_iterator entry(path, error), end;
  while (!error && entry != end) {
    const fs::path extension = entry->path().extension();
    if (extension == ".yaml" || extension == ".yml") files.push_back(entry->path());
    entry.increment(error);
  }
  if (error) faults.push_back({path, "cannot be listed: " + error.message()});
  if (!error && files.empty()) faults.push_back({path, "holds no *.yaml or *.yml file"});
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) ReadOne(file, sources, faults);
  return sources;
}

}  // namespace cordon::cp

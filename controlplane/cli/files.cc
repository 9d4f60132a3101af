// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace cordon::cp::cli {
namespace {

namespace fs = std::filesystem;

class Reader {
 public:
  explicit Reader(InputFiles& result) : result_(result) {}

  void Stream(const std::string& name, std::istream& in) {
    std::string content;
    char block[65536];
    while (in.read(block, sizeof block) || in.gcount() > 0) {
      total_ += static_cast<size_t>(in.gcount());
      if (total_ > kMaxInputBytes) return Fault(name, "more than 64 MiB in one call: split it");
      content.append(block, static_cast<size_t>(in.gcount()));
    }
    if (in.bad()) return Fault(name, std::strerror(errno));
    result_.files.push_back({name, std::move(content)});
  }

  void File(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) return Fault(path.string(), "is a directory, not a file");
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) return Fault(path.string(), std::strerror(errno));
    Stream(path.string(), file);
  }

  void Directory(const fs::path& directory) {
    std::error_code error;
    std::vector<fs::path> found;
    fs::recursive_directory_iterator entry(directory, error);
    for (; !error && entry != fs::end(entry); entry.increment(error)) {
      const fs::path extension = entry->path().extension();
      const bool document = extension == ".yaml" || extension == ".yml";
      if (document && !entry->is_directory(error)) found.push_back(entry->path());
    }
    if (error) return Fault(directory.string(), error.message());
    if (found.empty()) return Fault(directory.string(), "no *.yaml or *.yml file below it");
    std::sort(found.begin(), found.end());
    for (const fs::path& path : found) File(path);
  }

 private:
  void Fault(const std::string& name, const std::string& what) {
    result_.faults.push_back(name + ": " + what);
  }

  InputFiles& result_;
  size_t total_ = 0;
};

}  // namespace

InputFiles ReadFile(const std::string& path) {
  InputFiles result;
  Reader(result).File(path);
  return result;
}

InputFiles ReadDocuments(const std::vector<std::string>& paths, std::istream& standard_input) {
  InputFiles result;
  Reader reader(result);
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-") {
      reader.Stream("standard input", standard_input);
    } else if (fs::is_directory(path, error)) {
      reader.Directory(path);
    } else {
      reader.File(path);
    }
  }
  return result;
}

}  // namespace cordon::cp::cli

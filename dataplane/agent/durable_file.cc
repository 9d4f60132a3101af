// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/durable_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace cordon::dp {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLargestFile = size_t{512} * 1024 * 1024;

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  const int fd_;
};

}  // namespace

void AppendBigEndian(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

uint64_t ReadBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof value; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

std::string Sha256(std::string_view header, std::string_view payload) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  EVP_DigestUpdate(context, header.data(), header.size());
  EVP_DigestUpdate(context, payload.data(), payload.size());
  EVP_DigestFinal_ex(context, digest.data(), &length);
  EVP_MD_CTX_free(context);
  return std::string(reinterpret_cast<const char*>(digest.data()), length);
}

std::string FileError(const std::string& what, const fs::path& path) {
  return path.string() + ": cannot " + what + ": " + std::generic_category().message(errno);
}

std::optional<std::string> WriteSynced(const fs::path& path, std::string_view content) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.ok()) return FileError("be created", path);
  while (!content.empty()) {
    const ssize_t written = write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FileError("be written", path);
    content.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(file.get()) != 0) return FileError("be synced", path);
  return std::nullopt;
}

std::optional<std::string> SyncDirectory(const fs::path& directory) {
  const Descriptor handle(directory, O_RDONLY | O_DIRECTORY);
  if (!handle.ok() || fsync(handle.get()) != 0) return FileError("be synced", directory);
  return std::nullopt;
}

// Content of a file; nullopt with `missing` if there is none, or with `error`.
std::optional<std::string> ReadWhole(const fs::path& path, bool& missing, std::string& error) {
  const Descriptor file(path, O_RDONLY);
  missing = !file.ok() && errno == ENOENT;
  if (!file.ok()) {
    error = FileError("be opened", path);
    return std::nullopt;
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0 || static_cast<size_t>(status.st_size) > kLargestFile) {
    error = path.string() + ": is too large";
    return std::nullopt;
  }
  std::string content(static_cast<size_t>(status.st_size), '\0');
  size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = read(file.get(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<size_t>(got);
  }
  content.resize(filled);
  return content;
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/policy_store.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace cordon::dp {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "CORDONPS";
constexpr uint64_t kFormatVersion = 1;
constexpr size_t kHeaderBytes = kMagic.size() + 4 * sizeof(uint64_t);
constexpr size_t kDigestBytes = 32;
constexpr size_t kLargestFile = size_t{512} * 1024 * 1024;

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

std::string Error(const std::string& what, const fs::path& path) {
  return path.string() + ": cannot " + what + ": " + std::generic_category().message(errno);
}

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

std::optional<std::string> WriteSynced(const fs::path& path, std::string_view content) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.ok()) return Error("be created", path);
  while (!content.empty()) {
    const ssize_t written = write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Error("be written", path);
    content.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(file.get()) != 0) return Error("be synced", path);
  return std::nullopt;
}

std::optional<std::string> SyncDirectory(const fs::path& directory) {
  const Descriptor handle(directory, O_RDONLY | O_DIRECTORY);
  if (!handle.ok() || fsync(handle.get()) != 0) return Error("be synced", directory);
  return std::nullopt;
}

// Content of a file; nullopt with `missing` if there is none, or with `error`.
std::optional<std::string> ReadWhole(const fs::path& path, bool& missing, std::string& error) {
  const Descriptor file(path, O_RDONLY);
  missing = !file.ok() && errno == ENOENT;
  if (!file.ok()) {
    error = Error("be opened", path);
    return std::nullopt;
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0 || static_cast<size_t>(status.st_size) > kLargestFile) {
    error = path.string() + ": is not a stored policy: too large";
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

std::string FirstFaults(const std::vector<Fault>& faults) {
  std::string text = faults[0].path + " " + faults[0].message;
  if (faults.size() > 1) text += " (and " + std::to_string(faults.size() - 1) + " more faults)";
  return text;
}

// Reads one of the two files into `loaded`. False, with an alarm unless it is simply not there.
bool LoadFile(const fs::path& path, const PolicyStore::Check& usable, bool& missing,
              PolicyStore::Loaded& loaded) {
  std::string error;
  const auto content = ReadWhole(path, missing, error);
  if (!content) {
    if (!missing) loaded.alarms.push_back("stored policy cannot be used: " + error);
    return false;
  }
  auto policy = DecodeStoredPolicy(*content, error);
  if (!policy) {
    const fs::path aside = path.string() + ".corrupt";
    std::error_code renamed;
    fs::rename(path, aside, renamed);
    loaded.alarms.push_back("stored policy is corrupt: " + path.string() + ": " + error +
                            (renamed ? "" : " (kept as " + aside.string() + ")"));
    return false;
  }
  const std::vector<Fault> faults = usable(*policy);
  if (!faults.empty()) {
    loaded.alarms.push_back("stored policy of generation " + std::to_string(policy->generation) +
                            " cannot be used on this gateway: " + path.string() + ": " +
                            FirstFaults(faults));
    return false;
  }
  loaded.policy = std::move(*policy);
  return true;
}

}  // namespace

std::string EncodeStoredPolicy(const StoredPolicy& policy) {
  std::string content(kMagic);
  AppendBigEndian(content, kFormatVersion);
  AppendBigEndian(content, policy.generation);
  AppendBigEndian(content,
                  static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                            policy.received.time_since_epoch())
                                            .count()));
  AppendBigEndian(content, policy.payload.size());
  content += Sha256(content, policy.payload);
  content += policy.payload;
  return content;
}

std::optional<StoredPolicy> DecodeStoredPolicy(std::string_view content, std::string& error) {
  if (content.size() < kHeaderBytes + kDigestBytes) {
    error = "is cut short";
    return std::nullopt;
  }
  const std::string_view header = content.substr(0, kHeaderBytes);
  const std::string_view digest = content.substr(kHeaderBytes, kDigestBytes);
  const std::string_view payload = content.substr(kHeaderBytes + kDigestBytes);
  if (!header.starts_with(kMagic)) {
    error = "does not begin like a stored policy";
    return std::nullopt;
  }
  if (Sha256(header, payload) != digest) {
    error = "its checksum does not match";
    return std::nullopt;
  }
  const std::string_view numbers = header.substr(kMagic.size());
  if (ReadBigEndian(numbers) != kFormatVersion ||
      ReadBigEndian(numbers.substr(24)) != payload.size()) {
    error = "has format version " + std::to_string(ReadBigEndian(numbers)) +
            ", this program reads " + std::to_string(kFormatVersion);
    return std::nullopt;
  }
  StoredPolicy policy;
  policy.generation = ReadBigEndian(numbers.substr(8));
  policy.received = std::chrono::system_clock::time_point(
      std::chrono::milliseconds(static_cast<int64_t>(ReadBigEndian(numbers.substr(16)))));
  policy.payload = payload;
  return policy;
}

PolicyStore::PolicyStore(fs::path directory) : directory_(std::move(directory)) {}

PolicyStore::Loaded PolicyStore::Load(const Check& usable) {
  Loaded loaded;
  bool last_missing = false;
  bool previous_missing = false;
  if (LoadFile(last_file(), usable, last_missing, loaded)) {
    loaded.source = Source::kLast;
  } else if (LoadFile(previous_file(), usable, previous_missing, loaded)) {
    loaded.source = Source::kPrevious;
    if (last_missing) {
      loaded.alarms.push_back("stored policy is missing: " + last_file().string());
    }
  }
  return loaded;
}

std::optional<std::string> PolicyStore::Save(const StoredPolicy& policy) {
  std::error_code error;
  if (fs::create_directories(directory_, error)) {
    fs::permissions(directory_, fs::perms::owner_all, error);
  }
  if (error) return directory_.string() + ": cannot be created: " + error.message();
  const fs::path fresh = directory_ / "policy.new";
  const fs::path link = directory_ / "policy.link";
  if (auto fault = WriteSynced(fresh, EncodeStoredPolicy(policy))) {
    unlink(fresh.c_str());
    return fault;
  }
  // A second name for the last file becomes the previous one, so that no name is ever without a
  // whole file.
  unlink(link.c_str());
  if (::link(last_file().c_str(), link.c_str()) == 0) {
    if (rename(link.c_str(), previous_file().c_str()) != 0) {
      return Error("be replaced", previous_file());
    }
  } else if (errno != ENOENT) {
    return Error("be kept", last_file());
  }
  if (rename(fresh.c_str(), last_file().c_str()) != 0) return Error("be replaced", last_file());
  return SyncDirectory(directory_);
}

}  // namespace cordon::dp

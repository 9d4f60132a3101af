// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/policy_store.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "dataplane/agent/durable_file.h"

namespace cordon::dp {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "CORDONPS";
constexpr uint64_t kFormatVersion = 1;
constexpr size_t kHeaderBytes = kMagic.size() + 4 * sizeof(uint64_t);
constexpr size_t kDigestBytes = 32;

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
      return FileError("be replaced", previous_file());
    }
  } else if (errno != ENOENT) {
    return FileError("be kept", last_file());
  }
  if (rename(fresh.c_str(), last_file().c_str()) != 0) return FileError("be replaced", last_file());
  return SyncDirectory(directory_);
}

}  // namespace cordon::dp

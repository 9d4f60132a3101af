// SPDX-License-Identifier: Apache-2.0
// The last good policy on disk, and the one before it. What is loaded is what was stored, or
// nothing: every byte of a file is covered by a checksum.
//
// A crash at any point of Save leaves the old file or the new one under its name: the new content
// is written aside, synced, and renamed over. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/policy/table.h"

namespace cordon::dp {

struct StoredPolicy {
  uint64_t generation = 0;
  std::chrono::system_clock::time_point received;  // milliseconds are kept
  std::string payload;                             // an encoded v1.PolicySet
};

class PolicyStore {
 public:
  enum class Source { kNone, kLast, kPrevious };
  struct Loaded {
    Source source = Source::kNone;
    StoredPolicy policy;
    std::vector<std::string> alarms;  // sentences: what is wrong with which file
  };
  // Says why a policy that is sound as a file cannot be used; empty if it can.
  using Check = std::function<std::vector<Fault>(const StoredPolicy&)>;

  explicit PolicyStore(std::filesystem::path directory);

  // The last policy if its file is sound and `usable`, else the previous one, else none. A file
  // that is not sound is renamed to *.corrupt, for inspection.
  Loaded Load(const Check& usable);
  // Makes `policy` the last one and the last one the previous one. nullopt, or what went wrong;
  // then what was stored before is still there.
  std::optional<std::string> Save(const StoredPolicy& policy);

  std::filesystem::path last_file() const { return directory_ / "policy.last"; }
  std::filesystem::path previous_file() const { return directory_ / "policy.previous"; }

 private:
  std::filesystem::path directory_;
};

// The file format: "CORDONPS", format version, generation, time received, length of the payload
// (all big-endian), SHA-256 of all that and the payload, payload. Public for the tests.
std::string EncodeStoredPolicy(const StoredPolicy& policy);
// nullopt, with the reason, if the content is not exactly what EncodeStoredPolicy made.
std::optional<StoredPolicy> DecodeStoredPolicy(std::string_view content, std::string& error);

}  // namespace cordon::dp

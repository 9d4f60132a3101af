// SPDX-License-Identifier: Apache-2.0
// How often each rule was used, over all generations and restarts, by its origin. The workers count
// beside the table in force (see RuleHits); what older tables counted is summed up here and kept in
// the state directory.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataplane/policy/slot.h"

namespace cordon::dp {

// One rule in force. Times are Unix seconds; 0: never.
struct RuleUseRecord {
  std::string origin;
  bool overlay = false;
  uint64_t hits = 0;
  int64_t last_hit = 0;
  int64_t counted_since = 0;
  int64_t expires_at = 0;
};

class HitLedger {
 public:
  struct Clocks {
    std::function<uint64_t()> gateway_ns;   // the workers' monotonic clock; 0: not running yet
    std::function<int64_t()> unix_seconds;  // the wall clock
  };
  // `slot` must outlive it.
  HitLedger(PolicySlot& slot, std::filesystem::path directory, Clocks clocks);

  // Reads what an earlier run kept. nullopt, or what is wrong with the file: then counting begins
  // anew, and the file is kept as *.corrupt.
  std::optional<std::string> Load();
  // Notices a new table, and adds up those that no worker uses any more. Cheap if nothing changed;
  // call often, and after each publication.
  void Update();
  // Writes the file, whole or not at all. nullopt, or what went wrong.
  std::optional<std::string> Save();
  // The same if the last time is a minute ago, as the wall clock goes. What the last attempt met.
  std::optional<std::string> SaveIfDue();

  // The rules of the table in force: overlay first, each origin once. Any thread.
  std::vector<RuleUseRecord> Rules() const;
  std::filesystem::path file() const { return directory_ / "rule-hits"; }

 private:
  struct Use {
    uint64_t hits = 0;
    int64_t last_hit = 0;
    int64_t since = 0;
  };
  int64_t WallOf(uint64_t monotonic_seconds) const;
  void Add(Use& use, const RuleHit& hit) const;
  void AddTo(RuleUseRecord& record, const RuleHit& hit) const;
  // Adds what the workers counted beside `table`.
  void Fold(const PolicyTable& table);
  void NameAll(const PolicyTable& table);
  std::optional<std::string> Write(const std::string& content) const;
  std::string Encode() const;
  bool Decode(std::string_view content);

  PolicySlot& slot_;
  const std::filesystem::path directory_;
  const Clocks clocks_;
  mutable std::mutex mutex_;                        // guards what follows
  std::unordered_map<std::string, Use> by_origin_;  // without the tables below
  std::shared_ptr<const PolicyTable> current_;
  std::vector<std::shared_ptr<const PolicyTable>> leaving_;  // workers may still count there
  int64_t saved_ = 0;                                        // when that was last tried
  std::optional<std::string> trouble_;                       // and what was met
};

}  // namespace cordon::dp

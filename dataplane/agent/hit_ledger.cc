// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/hit_ledger.h"

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <utility>

#include "cordon/v1/gateway_status.pb.h"
#include "dataplane/agent/durable_file.h"

namespace cordon::dp {
namespace {

constexpr std::string_view kMagic = "CORDONRH";
constexpr uint64_t kFormatVersion = 1;
constexpr size_t kHeaderBytes = kMagic.size() + 2 * sizeof(uint64_t);
constexpr size_t kDigestBytes = 32;
constexpr int64_t kSaveEvery = 60;
// Rules that are gone are remembered, in case they come back, up to so many rules in all.
constexpr size_t kMostRemembered = 200'000;

}  // namespace

HitLedger::HitLedger(PolicySlot& slot, std::filesystem::path directory, Clocks clocks)
    : slot_(slot), directory_(std::move(directory)), clocks_(std::move(clocks)) {}

int64_t HitLedger::WallOf(uint64_t monotonic_seconds) const {
  if (monotonic_seconds == 0) return 0;
  const auto age = static_cast<int64_t>(clocks_.gateway_ns() / 1'000'000'000 - monotonic_seconds);
  return clocks_.unix_seconds() - std::max<int64_t>(age, 0);
}

void HitLedger::Add(Use& use, const RuleHit& hit) const {
  use.hits += hit.count;
  use.last_hit = std::max(use.last_hit, WallOf(hit.last_seconds));
}

void HitLedger::Fold(const PolicyTable& table) {
  for (RuleIndex rule = 0; rule < table.rule_count(); ++rule) {
    const RuleHit hit = table.HitsOf(rule);
    if (hit.count == 0 && hit.last_seconds == 0) continue;
    Use& use = by_origin_[std::string(table.RuleOrigin(rule))];
    if (use.since == 0) use.since = clocks_.unix_seconds();
    Add(use, hit);
  }
}

// From now on an unused rule is one that was not used since.
void HitLedger::NameAll(const PolicyTable& table) {
  const int64_t now = clocks_.unix_seconds();
  std::unordered_map<std::string, Use> fresh;
  const bool forget = by_origin_.size() + table.rule_count() > kMostRemembered;
  for (RuleIndex rule = 0; rule < table.rule_count(); ++rule) {
    if (by_origin_.size() + fresh.size() > kMostRemembered && !forget) break;
    std::string origin(table.RuleOrigin(rule));
    const auto known = by_origin_.find(origin);
    if (known == by_origin_.end()) {
      fresh.try_emplace(std::move(origin), Use{0, 0, now});
    } else if (forget) {
      fresh.try_emplace(std::move(origin), known->second);
    }
  }
  if (forget) {
    by_origin_ = std::move(fresh);
  } else {
    by_origin_.merge(fresh);
  }
}

void HitLedger::Update() {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const PolicyTable> table = slot_.Current();
  if (table != current_) {
    if (current_) leaving_.push_back(std::exchange(current_, nullptr));
    current_ = std::move(table);
    NameAll(*current_);
  }
  if (leaving_.empty() || !slot_.IsEnforced(current_->stamp())) return;
  for (const auto& old : leaving_) Fold(*old);
  leaving_.clear();
}

std::vector<RuleUseRecord> HitLedger::Rules() const {
  const std::lock_guard lock(mutex_);
  std::vector<RuleUseRecord> rules;
  if (!current_) return rules;
  std::unordered_map<std::string_view, size_t> place;
  for (RuleIndex rule = 0; rule < current_->rule_count(); ++rule) {
    const std::string_view origin = current_->RuleOrigin(rule);
    const auto [known, is_new] = place.emplace(origin, rules.size());
    if (is_new) {
      RuleUseRecord& added = rules.emplace_back();
      added.origin = origin;
      added.overlay = rule < current_->overlay_rule_count();
      added.expires_at = current_->RuleExpiry(rule);
      const auto use = by_origin_.find(added.origin);
      if (use != by_origin_.end()) {
        added.hits = use->second.hits;
        added.last_hit = use->second.last_hit;
        added.counted_since = use->second.since;
      }
    }
    AddTo(rules[known->second], current_->HitsOf(rule));
  }
  for (const auto& old : leaving_) {
    for (RuleIndex rule = 0; rule < old->rule_count(); ++rule) {
      const auto known = place.find(old->RuleOrigin(rule));
      if (known != place.end()) AddTo(rules[known->second], old->HitsOf(rule));
    }
  }
  return rules;
}

void HitLedger::AddTo(RuleUseRecord& record, const RuleHit& hit) const {
  record.hits += hit.count;
  record.last_hit = std::max(record.last_hit, WallOf(hit.last_seconds));
}

std::string HitLedger::Encode() const {
  std::unordered_map<std::string, Use> sums = by_origin_;
  const auto add = [&](const PolicyTable& table) {
    for (RuleIndex rule = 0; rule < table.rule_count(); ++rule) {
      const RuleHit hit = table.HitsOf(rule);
      if (hit.count != 0 || hit.last_seconds != 0) {
        Add(sums[std::string(table.RuleOrigin(rule))], hit);
      }
    }
  };
  if (current_) add(*current_);
  for (const auto& old : leaving_) add(*old);
  v1::ListRulesResponse list;
  for (const auto& [origin, use] : sums) {
    v1::RuleUse& rule = *list.add_rules();
    rule.set_origin(origin);
    rule.set_hits(use.hits);
    if (use.last_hit != 0) rule.mutable_last_hit()->set_seconds(use.last_hit);
    rule.mutable_counted_since()->set_seconds(use.since);
  }
  std::string header(kMagic);
  AppendBigEndian(header, kFormatVersion);
  const std::string payload = list.SerializeAsString();
  AppendBigEndian(header, payload.size());
  return header + Sha256(header, payload) + payload;
}

bool HitLedger::Decode(std::string_view content) {
  if (content.size() < kHeaderBytes + kDigestBytes || !content.starts_with(kMagic)) return false;
  const std::string_view header = content.substr(0, kHeaderBytes);
  const std::string_view payload = content.substr(kHeaderBytes + kDigestBytes);
  v1::ListRulesResponse list;
  if (Sha256(header, payload) != content.substr(kHeaderBytes, kDigestBytes) ||
      ReadBigEndian(header.substr(kMagic.size())) != kFormatVersion ||
      !list.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return false;
  }
  for (const v1::RuleUse& rule : list.rules()) {
    by_origin_[rule.origin()] = {rule.hits(), rule.last_hit().seconds(),
                                 rule.counted_since().seconds()};
  }
  return true;
}

std::optional<std::string> HitLedger::Load() {
  const std::lock_guard lock(mutex_);
  saved_ = clocks_.unix_seconds();
  bool missing = false;
  std::string error;
  const auto content = ReadWhole(file(), missing, error);
  if (!content) return missing ? std::nullopt : std::optional(error);
  if (Decode(*content)) return std::nullopt;
  const std::filesystem::path aside = file().string() + ".corrupt";
  std::error_code renamed;
  std::filesystem::rename(file(), aside, renamed);
  return "the counts of rules are corrupt and begin anew: " + file().string() +
         (renamed ? "" : " (kept as " + aside.string() + ")");
}

std::optional<std::string> HitLedger::Write(const std::string& content) const {
  const std::filesystem::path fresh = file().string() + ".new";
  if (auto fault = WriteSynced(fresh, content)) return fault;
  if (std::rename(fresh.c_str(), file().c_str()) != 0) return FileError("be replaced", file());
  return SyncDirectory(directory_);
}

std::optional<std::string> HitLedger::Save() {
  std::string content;
  {
    const std::lock_guard lock(mutex_);
    saved_ = clocks_.unix_seconds();
    content = Encode();
  }
  auto trouble = Write(content);
  const std::lock_guard lock(mutex_);
  trouble_ = trouble;
  return trouble;
}

std::optional<std::string> HitLedger::SaveIfDue() {
  {
    const std::lock_guard lock(mutex_);
    const int64_t age = clocks_.unix_seconds() - saved_;
    if (age >= 0 && age < kSaveEvery) return trouble_;
  }
  return Save();
}

}  // namespace cordon::dp

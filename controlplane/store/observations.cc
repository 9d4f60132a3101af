// SPDX-License-Identifier: Apache-2.0
#include "controlplane/store/observations.h"

#include <algorithm>
#include <limits>
#include <set>

#include "controlplane/store/codec.h"

namespace cordon::cp {
namespace {

// A year and a day: enough to see what happens once a year, and a bound for each row.
constexpr size_t kMaxDaysKept = 366;

constexpr std::string_view kSelect =
    "SELECT device, initiator, protocol, peer, peer_port, device_port, icmp_type, answered, "
    "first_seen, last_seen, days, flows, bytes FROM observations WHERE device = ?1";

constexpr std::string_view kWhereConversation =
    " AND initiator = ?2 AND protocol = ?3 AND peer = ?4 AND peer_port = ?5 AND device_port = ?6"
    " AND icmp_type = ?7";

constexpr std::string_view kUpsert =
    "INSERT INTO observations (device, initiator, protocol, peer, peer_port, device_port,"
    " icmp_type, answered, first_seen, last_seen, days, flows, bytes)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
    " ON CONFLICT DO UPDATE SET answered = ?8, first_seen = ?9, last_seen = ?10, days = ?11,"
    " flows = ?12, bytes = ?13";

int64_t Clamped(uint64_t value) {
  constexpr auto kMax = std::numeric_limits<int64_t>::max();
  return value > static_cast<uint64_t>(kMax) ? kMax : static_cast<int64_t>(value);
}

uint64_t SaturatingSum(uint64_t a, uint64_t b) {
  return b > std::numeric_limits<uint64_t>::max() - a ? std::numeric_limits<uint64_t>::max()
                                                      : a + b;
}

std::vector<int32_t> Days(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  std::set<int32_t> days;
  for (const auto* list : {&a, &b}) {
    for (int32_t day : *list) {
      if (day >= 0 && day <= kMaxDay) days.insert(day);
    }
  }
  while (days.size() > kMaxDaysKept) days.erase(days.begin());
  return {days.begin(), days.end()};
}

// `known` grows by what was seen now.
void MergeInto(Observation& known, const Observation& seen) {
  known.answered = known.answered || seen.answered;
  known.first_seen = std::min(known.first_seen, seen.first_seen);
  known.last_seen = std::max(known.last_seen, seen.last_seen);
  known.days = Days(known.days, seen.days);
  known.flows = SaturatingSum(known.flows, seen.flows);
  known.bytes = SaturatingSum(known.bytes, seen.bytes);
}

absl::StatusOr<Observation> ReadRow(const Statement& row) {
  Observation seen;
  seen.device = row.Text(0);
  seen.initiator = row.Integer(1) == 0 ? RuleInitiator::kDevice : RuleInitiator::kPeer;
  seen.protocol = static_cast<uint8_t>(row.Integer(2));
  const auto peer = dp::ParseIp(row.Text(3));
  if (!peer) {
    return absl::DataLossError("controller database: an observation of device " + seen.device +
                               " has the peer '" + std::string(row.Text(3)) +
                               "', which is no address");
  }
  seen.peer = *peer;
  seen.peer_port = static_cast<uint16_t>(row.Integer(4));
  seen.device_port = static_cast<uint16_t>(row.Integer(5));
  seen.icmp_type = static_cast<uint8_t>(row.Integer(6));
  seen.answered = row.Integer(7) != 0;
  seen.first_seen = FromNanoseconds(row.Integer(8));
  seen.last_seen = FromNanoseconds(row.Integer(9));
  if (!DecodeDays(row.Text(10), seen.days)) {
    return absl::DataLossError("controller database: an observation of device " + seen.device +
                               " has the days '" + std::string(row.Text(10)) + "'");
  }
  seen.flows = static_cast<uint64_t>(row.Integer(11));
  seen.bytes = static_cast<uint64_t>(row.Integer(12));
  return seen;
}

// The statements of one Add, prepared once.
class Upserter {
 public:
  Upserter(Statement select, Statement upsert)
      : select_(std::move(select)), upsert_(std::move(upsert)) {}

  // True if the conversation is new.
  absl::StatusOr<bool> Run(const Observation& seen) {
    const int64_t initiator = seen.initiator == RuleInitiator::kDevice ? 0 : 1;
    const std::string peer = dp::ToString(seen.peer);
    const int64_t protocol = seen.protocol, peer_port = seen.peer_port;
    const int64_t device_port = seen.device_port, icmp_type = seen.icmp_type;
    select_.Bind(seen.device, initiator, protocol, peer, peer_port, device_port, icmp_type);
    absl::StatusOr<bool> known = select_.Step();
    if (!known.ok()) return known.status();
    Observation merged = seen;
    merged.days = Days(seen.days, {});
    if (*known) {
      absl::StatusOr<Observation> before = ReadRow(select_);
      if (!before.ok()) return before.status();
      merged = *std::move(before);
      MergeInto(merged, seen);
    }
    upsert_.Bind(seen.device, initiator, protocol, peer, peer_port, device_port, icmp_type,
                 int64_t{merged.answered}, ToNanoseconds(merged.first_seen),
                 ToNanoseconds(merged.last_seen), EncodeDays(merged.days), Clamped(merged.flows),
                 Clamped(merged.bytes));
    CORDON_RETURN_IF_ERROR(upsert_.Run());
    return !*known;
  }

 private:
  Statement select_, upsert_;
};

// One device that talks to everybody must not push out what is known of the others. What nobody
// answered is worth least.
absl::Status PruneDevice(Database& database, const std::string& device, size_t limit,
                         int64_t& rows) {
  auto prune = database.Prepare(
      "DELETE FROM observations WHERE id IN (SELECT id FROM observations WHERE device = ?1"
      " ORDER BY answered DESC, last_seen DESC, id DESC LIMIT -1 OFFSET ?2)");
  if (!prune.ok()) return prune.status();
  prune->Bind(device, Clamped(limit));
  CORDON_RETURN_IF_ERROR(prune->Run());
  rows -= database.RowsChanged();
  return absl::OkStatus();
}

absl::Status PruneTable(Database& database, size_t limit, int64_t& rows) {
  if (rows <= Clamped(limit)) return absl::OkStatus();
  auto prune = database.Prepare(
      "DELETE FROM observations WHERE id IN"
      " (SELECT id FROM observations ORDER BY last_seen, id LIMIT ?1)");
  if (!prune.ok()) return prune.status();
  prune->Bind(rows - Clamped(limit));
  CORDON_RETURN_IF_ERROR(prune->Run());
  rows -= database.RowsChanged();
  return absl::OkStatus();
}

}  // namespace

absl::Status AddObservationRows(Database& database, const std::vector<Observation>& observations,
                                const ObservationLimits& limits, int64_t& rows) {
  auto select = database.Prepare(std::string(kSelect) + std::string(kWhereConversation));
  if (!select.ok()) return select.status();
  auto upsert = database.Prepare(kUpsert);
  if (!upsert.ok()) return upsert.status();
  Upserter upserter(*std::move(select), *std::move(upsert));
  std::set<std::string> grown;
  for (const Observation& seen : observations) {
    absl::StatusOr<bool> is_new = upserter.Run(seen);
    if (!is_new.ok()) return is_new.status();
    if (!*is_new) continue;
    ++rows;
    grown.insert(seen.device);
  }
  for (const std::string& device : grown) {
    CORDON_RETURN_IF_ERROR(PruneDevice(database, device, limits.rows_per_device, rows));
  }
  return PruneTable(database, limits.rows, rows);
}

absl::StatusOr<std::vector<Observation>> LoadObservationRows(
    Database& database, const std::vector<std::string>& devices) {
  auto select = database.Prepare(std::string(kSelect) +
                                 " ORDER BY initiator, protocol, peer, peer_port, device_port,"
                                 " icmp_type");
  if (!select.ok()) return select.status();
  std::vector<Observation> observations;
  for (const std::string& device : std::set<std::string>(devices.begin(), devices.end())) {
    select->Bind(device);
    while (true) {
      absl::StatusOr<bool> row = select->Step();
      if (!row.ok()) return row.status();
      if (!*row) break;
      absl::StatusOr<Observation> seen = ReadRow(*select);
      if (!seen.ok()) return seen.status();
      observations.push_back(*std::move(seen));
    }
  }
  return observations;
}

int64_t ToNanoseconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

std::chrono::system_clock::time_point FromNanoseconds(int64_t nanoseconds) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(nanoseconds)));
}

}  // namespace cordon::cp

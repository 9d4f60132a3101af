// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "controlplane/store/codec.h"
#include "controlplane/store/observations.h"
#include "controlplane/store/schema.h"
#include "controlplane/store/sqlite.h"
#include "controlplane/store/store.h"

namespace cordon::cp {
namespace {

// SQLite's integers are signed.
constexpr uint64_t kMaxGeneration = std::numeric_limits<int64_t>::max();

absl::Status Damaged(std::string_view kind, std::string_view name) {
  return absl::DataLossError("controller database: the row of " + std::string(kind) + " " +
                             std::string(name) +
                             " cannot be read back; restore the database from a backup");
}

template <typename T>
bool ReadInto(std::map<std::string, T>& documents, const Statement& row) {
  T document;
  document.name = row.Text(1);
  if (!Decode(row.Text(2), document)) return false;
  std::string name = document.name;
  documents.insert_or_assign(std::move(name), std::move(document));
  return true;
}

// Row: kind, name, body.
bool ReadDocument(const Statement& row, Configuration& configuration) {
  const std::string_view kind = row.Text(0);
  if (kind == "Device") return ReadInto(configuration.devices, row);
  if (kind == "Profile") return ReadInto(configuration.profiles, row);
  if (kind == "Peer") return ReadInto(configuration.peers, row);
  if (kind == "Gateway") return ReadInto(configuration.gateways, row);
  if (kind == "Overlay") return ReadInto(configuration.overlays, row);
  return false;
}

absl::StatusOr<Configuration> ReadConfiguration(Statement query) {
  Configuration configuration;
  while (true) {
    absl::StatusOr<bool> row = query.Step();
    if (!row.ok()) return row.status();
    if (!*row) return configuration;
    if (!ReadDocument(query, configuration)) return Damaged(query.Text(0), query.Text(1));
  }
}

// Writes the difference between the current documents and a new configuration.
class DocumentWriter {
 public:
  DocumentWriter(Database& database, int64_t generation)
      : database_(database), generation_(generation) {}

  absl::Status Write(const Configuration& configuration) {
    CORDON_RETURN_IF_ERROR(WriteKind("Peer", configuration.peers));
    CORDON_RETURN_IF_ERROR(WriteKind("Profile", configuration.profiles));
    CORDON_RETURN_IF_ERROR(WriteKind("Gateway", configuration.gateways));
    CORDON_RETURN_IF_ERROR(WriteKind("Overlay", configuration.overlays));
    return WriteKind("Device", configuration.devices);
  }

 private:
  using Bodies = std::unordered_map<std::string, std::string>;  // by name

  absl::StatusOr<Bodies> Current(std::string_view kind) {
    auto query = database_.Prepare(
        "SELECT name, body FROM documents WHERE kind = ?1 AND to_generation IS NULL");
    if (!query.ok()) return query.status();
    query->Bind(kind);
    Bodies bodies;
    while (true) {
      absl::StatusOr<bool> row = query->Step();
      if (!row.ok()) return row.status();
      if (!*row) return bodies;
      bodies.emplace(query->Text(0), query->Text(1));
    }
  }

  template <typename T>
  absl::Status WriteKind(std::string_view kind, const std::map<std::string, T>& documents) {
    absl::StatusOr<Bodies> current = Current(kind);
    if (!current.ok()) return current.status();
    for (const auto& [name, document] : documents) {
      const std::string body = Encode(document);
      const auto known = current->find(name);
      const bool changed = known != current->end() && known->second != body;
      if (changed) CORDON_RETURN_IF_ERROR(Close(kind, name));
      if (changed || known == current->end()) CORDON_RETURN_IF_ERROR(Insert(kind, name, body));
      if (known != current->end()) current->erase(known);
    }
    for (const auto& [name, body] : *current) CORDON_RETURN_IF_ERROR(Close(kind, name));
    return absl::OkStatus();
  }

  absl::Status Close(std::string_view kind, std::string_view name) {
    auto update = database_.Prepare(
        "UPDATE documents SET to_generation = ?1"
        " WHERE kind = ?2 AND name = ?3 AND to_generation IS NULL");
    if (!update.ok()) return update.status();
    update->Bind(generation_, kind, name);
    return update->Run();
  }

  absl::Status Insert(std::string_view kind, std::string_view name, std::string_view body) {
    auto insert = database_.Prepare(
        "INSERT INTO documents (kind, name, body, from_generation) VALUES (?1, ?2, ?3, ?4)");
    if (!insert.ok()) return insert.status();
    insert->Bind(kind, name, body, generation_);
    return insert->Run();
  }

  Database& database_;
  const int64_t generation_;
};

// Keys and names must agree, or a document would come back as another.
template <typename T>
absl::Status CheckKeys(std::string_view kind, const std::map<std::string, T>& documents) {
  for (const auto& [key, document] : documents) {
    if (key == document.name) continue;
    return absl::InvalidArgumentError(std::string(kind) + " " + document.name +
                                      " is filed under the name '" + key + "'");
  }
  return absl::OkStatus();
}

absl::Status CheckKeys(const Configuration& configuration) {
  CORDON_RETURN_IF_ERROR(CheckKeys("Peer", configuration.peers));
  CORDON_RETURN_IF_ERROR(CheckKeys("Profile", configuration.profiles));
  CORDON_RETURN_IF_ERROR(CheckKeys("Gateway", configuration.gateways));
  CORDON_RETURN_IF_ERROR(CheckKeys("Overlay", configuration.overlays));
  return CheckKeys("Device", configuration.devices);
}

class SqliteStore final : public Store {
 public:
  SqliteStore(Database database, ObservationLimits limits, int64_t observation_rows)
      : database_(std::move(database)), limits_(limits), observation_rows_(observation_rows) {}

  absl::StatusOr<Configuration> LoadConfiguration() override {
    const std::lock_guard lock(mutex_);
    auto query =
        database_.Prepare("SELECT kind, name, body FROM documents WHERE to_generation IS NULL");
    if (!query.ok()) return query.status();
    return ReadConfiguration(*std::move(query));
  }

  absl::StatusOr<Configuration> LoadConfigurationAt(uint64_t generation) override {
    const std::lock_guard lock(mutex_);
    CORDON_RETURN_IF_ERROR(CheckExists(generation));
    auto query = database_.Prepare(
        "SELECT kind, name, body FROM documents WHERE from_generation <= ?1"
        " AND (to_generation IS NULL OR to_generation > ?1)");
    if (!query.ok()) return query.status();
    query->Bind(static_cast<int64_t>(generation));
    return ReadConfiguration(*std::move(query));
  }

  absl::StatusOr<uint64_t> LatestGeneration() override {
    const std::lock_guard lock(mutex_);
    return Latest();
  }

  absl::Status Commit(const Configuration& configuration, const GenerationRecord& record) override {
    CORDON_RETURN_IF_ERROR(CheckKeys(configuration));
    const std::lock_guard lock(mutex_);
    Transaction transaction(database_);
    CORDON_RETURN_IF_ERROR(transaction.Begin());
    absl::StatusOr<uint64_t> latest = Latest();
    if (!latest.ok()) return latest.status();
    if (record.generation <= *latest || record.generation > kMaxGeneration) {
      return absl::FailedPreconditionError(
          "generation " + std::to_string(record.generation) + " does not follow generation " +
          std::to_string(*latest) + ": generations only grow; load the latest one and try again");
    }
    CORDON_RETURN_IF_ERROR(InsertRecord(record));
    DocumentWriter writer(database_, static_cast<int64_t>(record.generation));
    CORDON_RETURN_IF_ERROR(writer.Write(configuration));
    return transaction.Commit();
  }

  absl::StatusOr<std::vector<GenerationRecord>> ListGenerations(size_t limit) override {
    const std::lock_guard lock(mutex_);
    auto query = database_.Prepare(
        "SELECT generation, created, author, origin, comment, gateways, changes"
        " FROM generations ORDER BY generation DESC LIMIT ?1");
    if (!query.ok()) return query.status();
    query->Bind(static_cast<int64_t>(std::min<uint64_t>(limit, kMaxGeneration)));
    std::vector<GenerationRecord> records;
    while (true) {
      absl::StatusOr<bool> row = query->Step();
      if (!row.ok()) return row.status();
      if (!*row) return records;
      GenerationRecord record;
      record.generation = static_cast<uint64_t>(query->Integer(0));
      record.created = FromNanoseconds(query->Integer(1));
      record.author = query->Text(2);
      record.origin = query->Text(3);
      record.comment = query->Text(4);
      if (!Decode(query->Text(5), record.gateways) || !Decode(query->Text(6), record.changes)) {
        return Damaged("generation", query->Text(0));
      }
      records.push_back(std::move(record));
    }
  }

  absl::StatusOr<std::vector<GatewayRecord>> LoadGateways() override {
    const std::lock_guard lock(mutex_);
    auto query = database_.Prepare(
        "SELECT gateway, intended_generation, enforced_generation, last_seen, software_version"
        " FROM gateways ORDER BY gateway");
    if (!query.ok()) return query.status();
    std::vector<GatewayRecord> records;
    while (true) {
      absl::StatusOr<bool> row = query->Step();
      if (!row.ok()) return row.status();
      if (!*row) return records;
      GatewayRecord record;
      record.gateway = query->Text(0);
      record.intended_generation = static_cast<uint64_t>(query->Integer(1));
      record.enforced_generation = static_cast<uint64_t>(query->Integer(2));
      record.last_seen = FromNanoseconds(query->Integer(3));
      record.software_version = query->Text(4);
      records.push_back(std::move(record));
    }
  }

  absl::Status SaveGateway(const GatewayRecord& record) override {
    if (record.intended_generation > kMaxGeneration ||
        record.enforced_generation > kMaxGeneration) {
      return absl::InvalidArgumentError("gateway " + record.gateway +
                                        ": its generation is too large to be one");
    }
    const std::lock_guard lock(mutex_);
    auto save = database_.Prepare(
        "INSERT OR REPLACE INTO gateways (gateway, intended_generation, enforced_generation,"
        " last_seen, software_version) VALUES (?1, ?2, ?3, ?4, ?5)");
    if (!save.ok()) return save.status();
    save->Bind(record.gateway, static_cast<int64_t>(record.intended_generation),
               static_cast<int64_t>(record.enforced_generation), ToNanoseconds(record.last_seen),
               record.software_version);
    return save->Run();
  }

  absl::Status AddObservations(const std::vector<Observation>& observations) override {
    if (observations.empty()) return absl::OkStatus();
    const std::lock_guard lock(mutex_);
    Transaction transaction(database_);
    CORDON_RETURN_IF_ERROR(transaction.Begin());
    int64_t rows = observation_rows_;
    CORDON_RETURN_IF_ERROR(AddObservationRows(database_, observations, limits_, rows));
    CORDON_RETURN_IF_ERROR(transaction.Commit());
    observation_rows_ = rows;
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Observation>> LoadObservations(
      const std::vector<std::string>& devices) override {
    const std::lock_guard lock(mutex_);
    return LoadObservationRows(database_, devices);
  }

 private:
  absl::StatusOr<uint64_t> Latest() {
    auto latest = database_.QueryInteger("SELECT max(generation) FROM generations");
    if (!latest.ok()) return latest.status();
    return static_cast<uint64_t>(*latest);
  }

  absl::Status CheckExists(uint64_t generation) {
    auto query = database_.Prepare("SELECT 1 FROM generations WHERE generation = ?1");
    if (!query.ok()) return query.status();
    query->Bind(static_cast<int64_t>(generation));
    absl::StatusOr<bool> row = query->Step();
    if (!row.ok()) return row.status();
    if (*row) return absl::OkStatus();
    return absl::NotFoundError("there is no generation " + std::to_string(generation));
  }

  absl::Status InsertRecord(const GenerationRecord& record) {
    auto insert = database_.Prepare(
        "INSERT INTO generations (generation, created, author, origin, comment, gateways, changes)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    if (!insert.ok()) return insert.status();
    insert->Bind(static_cast<int64_t>(record.generation), ToNanoseconds(record.created),
                 record.author, record.origin, record.comment, Encode(record.gateways),
                 Encode(record.changes));
    return insert->Run();
  }

  std::mutex mutex_;  // one connection; SQLite would serialise the callers anyway
  Database database_;
  const ObservationLimits limits_;
  int64_t observation_rows_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const SqliteOptions& options) {
  absl::StatusOr<Database> database = Database::Open(options.path);
  if (!database.ok()) return database.status();
  CORDON_RETURN_IF_ERROR(MigrateSchema(*database));
  auto rows = database->QueryInteger("SELECT count(*) FROM observations");
  if (!rows.ok()) return rows.status();
  const ObservationLimits limits{options.max_observations, options.max_observations_per_device};
  return std::make_unique<SqliteStore>(*std::move(database), limits, *rows);
}

}  // namespace cordon::cp

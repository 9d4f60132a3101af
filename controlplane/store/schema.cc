// SPDX-License-Identifier: Apache-2.0
#include "controlplane/store/schema.h"

#include <array>
#include <string>

namespace cordon::cp {
namespace {

// Marks the file as ours (PRAGMA application_id): "CRDN".
constexpr int64_t kApplicationId = 0x4352444e;

// Step i brings user_version i to i + 1. A step that has been released is never edited.
constexpr std::array<const char*, 2> kMigrations = {
    R"sql(
CREATE TABLE generations (
  generation INTEGER PRIMARY KEY CHECK (generation > 0),
  created INTEGER NOT NULL,           -- ns since 1970
  author TEXT NOT NULL,
  origin TEXT NOT NULL,
  comment TEXT NOT NULL,
  gateways TEXT NOT NULL,             -- JSON
  changes TEXT NOT NULL               -- JSON
);

-- A document is a row from the generation that wrote it to the one that replaced or removed it, so
-- that every past configuration can be read and a change costs only what it changes.
CREATE TABLE documents (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,                 -- JSON
  from_generation INTEGER NOT NULL REFERENCES generations (generation),
  to_generation INTEGER REFERENCES generations (generation),
  PRIMARY KEY (kind, name, from_generation),
  CHECK (to_generation IS NULL OR to_generation > from_generation)
) WITHOUT ROWID;
CREATE UNIQUE INDEX documents_current ON documents (kind, name) WHERE to_generation IS NULL;

CREATE TABLE gateways (
  gateway TEXT PRIMARY KEY,
  intended_generation INTEGER NOT NULL,
  enforced_generation INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,         -- ns since 1970
  software_version TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE observations (
  id INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  initiator INTEGER NOT NULL,
  protocol INTEGER NOT NULL,
  peer TEXT NOT NULL,
  peer_port INTEGER NOT NULL,
  device_port INTEGER NOT NULL,
  icmp_type INTEGER NOT NULL,
  answered INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,        -- ns since 1970
  last_seen INTEGER NOT NULL,
  days TEXT NOT NULL,                 -- ranges of days since 1970: "20100-20112,20115"
  flows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE (device, initiator, protocol, peer, peer_port, device_port, icmp_type)
);
CREATE INDEX observations_last_seen ON observations (last_seen, id);
)sql",
    // Documents may be of kind Overlay and carry knobs: tables are as they were, but a program that
    // does not know them must not open the file and lose them.
    "",
};
constexpr int64_t kSchemaVersion = kMigrations.size();

absl::Status CheckOwner(Database& database, int64_t version) {
  auto owner = database.QueryInteger("PRAGMA application_id");
  if (!owner.ok()) return owner.status();
  auto tables = database.QueryInteger("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  if (*owner != kApplicationId && (*tables > 0 || version > 0)) {
    return absl::FailedPreconditionError(
        "controller database " + database.path() +
        " belongs to another program; name a file that Cordon wrote or a new one");
  }
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(
        "controller database " + database.path() + " was written by a newer Cordon (schema " +
        std::to_string(version) + ", this program knows " + std::to_string(kSchemaVersion) +
        "); install that version or restore a backup made before the upgrade");
  }
  return absl::OkStatus();
}

absl::Status RunMigration(Database& database, int64_t from) {
  Transaction transaction(database);
  CORDON_RETURN_IF_ERROR(transaction.Begin());
  CORDON_RETURN_IF_ERROR(database.Execute(kMigrations[static_cast<size_t>(from)]));
  const std::string mark = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                           "; PRAGMA user_version = " + std::to_string(from + 1);
  CORDON_RETURN_IF_ERROR(database.Execute(mark.c_str()));
  return transaction.Commit();
}

}  // namespace

absl::Status MigrateSchema(Database& database) {
  auto version = database.QueryInteger("PRAGMA user_version");
  if (!version.ok()) return version.status();
  CORDON_RETURN_IF_ERROR(CheckOwner(database, *version));
  for (int64_t step = *version; step < kSchemaVersion; ++step) {
    CORDON_RETURN_IF_ERROR(RunMigration(database, step));
  }
  return absl::OkStatus();
}

}  // namespace cordon::cp

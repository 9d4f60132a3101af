// SPDX-License-Identifier: Apache-2.0
// Where the controller's state lives. One interface; SQLite is the embedded default.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controlplane/policy/configuration.h"
#include "controlplane/profile/learn.h"

namespace cordon::cp {

// One entry of the ledger: a configuration that was current from then on.
struct GenerationRecord {
  uint64_t generation = 0;
  std::chrono::system_clock::time_point created;
  std::string author;  // "local:root" or a certificate's common name
  std::string origin;  // "apply", "import", "rollback to 7"
  std::string comment;
  std::vector<std::string> gateways;  // whose policy set changed
  std::vector<ResourceChange> changes;
};

// What a gateway last told us; survives a controller restart.
struct GatewayRecord {
  std::string gateway;
  uint64_t intended_generation = 0;
  uint64_t enforced_generation = 0;
  std::chrono::system_clock::time_point last_seen;
  std::string software_version;
};

// Thread-safe; calls may block on the disk and are never made from the packet path. A failed call
// leaves the state as it was.
class Store {
 public:
  virtual ~Store() = default;
  virtual absl::StatusOr<Configuration> LoadConfiguration() = 0;
  // The configuration as of an older generation; NotFound if there is none.
  virtual absl::StatusOr<Configuration> LoadConfigurationAt(uint64_t generation) = 0;
  virtual absl::StatusOr<uint64_t> LatestGeneration() = 0;  // 0 if none
  // Stores the new configuration and its ledger entry in one transaction. record.generation must be
  // greater than LatestGeneration() (FailedPrecondition otherwise: monotonic). It may skip numbers:
  // a gateway may already enforce a generation that a restored database does not know.
  virtual absl::Status Commit(const Configuration& configuration,
                              const GenerationRecord& record) = 0;
  // Newest first.
  virtual absl::StatusOr<std::vector<GenerationRecord>> ListGenerations(size_t limit) = 0;
  virtual absl::StatusOr<std::vector<GatewayRecord>> LoadGateways() = 0;
  virtual absl::Status SaveGateway(const GatewayRecord& record) = 0;
  // Adds to what is known of each conversation. Bounded: see SqliteOptions.
  virtual absl::Status AddObservations(const std::vector<Observation>& observations) = 0;
  // Of these devices only, in an order that depends on nothing but the content.
  virtual absl::StatusOr<std::vector<Observation>> LoadObservations(
      const std::vector<std::string>& devices) = 0;
};

struct SqliteOptions {
  std::string path;                     // ":memory:" for tests
  size_t max_observations = 2'000'000;  // rows; the longest unseen go first
  // So that a scanning device cannot push out what is known of others; unanswered ones go first.
  size_t max_observations_per_device = 20'000;
};
// Opens or creates the database (WAL mode), migrates the schema. FailedPrecondition if it was
// written by a newer Cordon or cannot be written; DataLoss if it is damaged.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const SqliteOptions& options);

}  // namespace cordon::cp

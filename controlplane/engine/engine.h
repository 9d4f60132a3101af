// SPDX-License-Identifier: Apache-2.0
// The controller itself, free of gRPC: every way in which the configuration changes, and every
// question about it.
//
// A change runs parse -> merge -> check -> assemble -> compile -> commit -> push. Until commit it
// works on copies; a fault anywhere leaves everything as it was. Changes run one after another;
// readers and gateway sessions are never held up by one: they use the last snapshot.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controlplane/documents/documents.h"
#include "controlplane/engine/event_log.h"
#include "controlplane/engine/fleet.h"
#include "controlplane/engine/snapshot.h"
#include "controlplane/engine/store_writer.h"
#include "controlplane/policy/explain.h"
#include "controlplane/store/store.h"

namespace cordon::cp {

enum class Commitment { kCommit, kValidateOnly };

// Who changes something, and why.
struct ChangeContext {
  std::string author;  // "local:root" or a certificate's common name
  std::string comment;
  Commitment commitment = Commitment::kCommit;
};

struct ChangeResult {
  std::vector<InputFault> faults;  // if any, nothing was changed
  std::vector<InputFault> warnings;
  uint64_t generation = 0;  // the new one; 0 if nothing changed
  std::vector<ResourceChange> changes;
  std::vector<std::string> gateways;  // whose policy is different
  std::vector<std::string> effects;   // of Diff only
};

struct ImportRequest {
  std::string file;
  std::string content;
  std::string mapping_file;
  std::string mapping;  // empty: DefaultCmmsMapping()
};

struct ImportResult {
  uint32_t rows = 0;
  std::vector<std::string> added;
  std::vector<MergeResult::Change> changed;
  uint32_t unchanged = 0;
  std::vector<InputFault> errors;
  std::vector<InputFault> conflicts;
  std::vector<std::string> stale;
  uint64_t generation = 0;
  std::vector<std::string> gateways;
};

struct ExplainResult {
  Explanation explanation;
  uint64_t generation = 0;  // of the gateway's policy set that answered
  bool enforced = false;    // the gateway is connected and decides under it
};

// What a rollout is waiting for.
struct Rollout {
  std::chrono::system_clock::time_point stored;
  std::vector<std::string> gateways;
};

// Thread-safe.
class Engine {
 public:
  // Loads the store and assembles every gateway. A stored configuration that is no longer sound
  // does not keep the controller from starting (that is how it gets mended): `startup_faults`
  // tells, and no gateway is pushed anything until the next change.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(std::unique_ptr<Store> store,
                                                      const EventLogOptions& events = {});

  std::shared_ptr<const Snapshot> Current() const;
  const std::vector<InputFault>& startup_faults() const { return startup_faults_; }

  absl::StatusOr<ChangeResult> Apply(const std::vector<DocumentSource>& sources,
                                     const ChangeContext& context);
  ChangeResult Diff(const std::vector<DocumentSource>& sources) const;
  // NotFound if there is no such generation. 0: the one before the current.
  absl::StatusOr<ChangeResult> Rollback(uint64_t to_generation, const ChangeContext& context);
  absl::StatusOr<ImportResult> Import(const ImportRequest& request, const ChangeContext& context);

  absl::StatusOr<std::vector<GenerationRecord>> ListGenerations(size_t limit);
  // NotFound if the ledger, as far as it is remembered, has no such generation.
  absl::StatusOr<Rollout> FindRollout(uint64_t generation) const;
  // NotFound: no such device. FailedPrecondition: it is behind no gateway.
  absl::StatusOr<ExplainResult> Explain(const Question& question) const;
  // NotFound: no such device or profile.
  absl::StatusOr<Proposal> ProposeForDevice(const std::string& device);
  absl::StatusOr<Proposal> ProposeForProfile(const std::string& profile);

  // Takes a gateway's report: into the event log what was refused or audited, to the store what
  // learning needs. Records that name a device of another gateway lose the name.
  void RecordFlows(const std::string& gateway, std::vector<FlowRecord> records);

  Fleet& fleet() { return fleet_; }
  EventLog& events() { return events_; }
  uint64_t flow_records() const { return flow_records_.load(std::memory_order_relaxed); }
  uint64_t store_errors() const;
  uint64_t observations_dropped() const { return writer_.dropped(); }
  // Waits until what gateways reported before is in the store.
  void Flush() { writer_.Flush(); }

 private:
  // How far back the ledger is read at start, for times of change and rollouts.
  static constexpr size_t kRememberedGenerations = 1000;

  Engine(std::unique_ptr<Store> store, const EventLogOptions& events);
  absl::Status Load();

  struct Change {
    const Configuration& after;
    const Places& places;
    std::string origin;
  };
  uint64_t NextGeneration(const Snapshot& before) const;
  std::vector<std::string> ForeignGateways() const;
  Evaluation Try(const Snapshot& before, const Change& change) const;
  // The tail of every change: evaluate, commit, publish, push. changing_ is held.
  absl::StatusOr<ChangeResult> Make(const std::shared_ptr<const Snapshot>& before,
                                    const Change& change, const ChangeContext& context);
  absl::Status Commit(const Snapshot& before, const Change& change, const ChangeContext& context,
                      Evaluation evaluation, uint64_t generation);
  void Publish(std::shared_ptr<const Snapshot> snapshot);
  absl::StatusOr<Proposal> Propose(const std::string& name, const std::vector<std::string>& devices,
                                   const Profile* present);
  absl::Status CountError(absl::Status status);

  const std::unique_ptr<Store> store_;
  StoreWriter writer_;
  Fleet fleet_;
  EventLog events_;
  std::vector<InputFault> startup_faults_;  // set once, before anybody else sees the engine
  std::atomic<uint64_t> flow_records_{0};
  std::atomic<uint64_t> store_errors_{0};

  std::mutex changing_;  // one change at a time; may be held for seconds
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> current_;  // guarded by mutex_
  std::map<uint64_t, Rollout> rollouts_;     // guarded by mutex_
};

}  // namespace cordon::cp

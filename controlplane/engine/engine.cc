// SPDX-License-Identifier: Apache-2.0
#include "controlplane/engine/engine.h"

#include <algorithm>
#include <utility>

#include "controlplane/engine/observe.h"

namespace cordon::cp {
namespace {

using std::chrono::system_clock;

std::vector<Profile> ProfilesOf(const Configuration& configuration) {
  std::vector<Profile> profiles;
  for (const auto& [name, profile] : configuration.profiles) profiles.push_back(profile);
  return profiles;
}

std::map<std::string, std::shared_ptr<const PolicySet>> SetsOf(const Snapshot& snapshot) {
  std::map<std::string, std::shared_ptr<const PolicySet>> sets;
  for (const auto& [name, gateway] : snapshot.configuration.gateways) {
    const auto assembled = snapshot.gateways.find(name);
    sets[name] = assembled == snapshot.gateways.end() ? nullptr : assembled->second.set;
  }
  return sets;
}

void Stamp(Snapshot& snapshot, const std::vector<ResourceChange>& changes,
           system_clock::time_point when) {
  for (const ResourceChange& change : changes) {
    const std::string key = change.kind + " " + change.name;
    if (change.type == ChangeType::kRemoved) {
      snapshot.changed.erase(key);
    } else {
      snapshot.changed[key] = when;
    }
  }
}

}  // namespace

Engine::Engine(std::unique_ptr<Store> store, const EventLogOptions& events)
    : store_(std::move(store)),
      writer_(*store_),
      fleet_([this](const GatewayRecord& record) { writer_.Save(record); }),
      events_(events) {}

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(std::unique_ptr<Store> store,
                                                     const EventLogOptions& events) {
  std::unique_ptr<Engine> engine(new Engine(std::move(store), events));
  const absl::Status status = engine->Load();
  if (!status.ok()) return status;
  return engine;
}

absl::Status Engine::Load() {
  auto snapshot = std::make_shared<Snapshot>();
  absl::StatusOr<Configuration> configuration = store_->LoadConfiguration();
  if (!configuration.ok()) return configuration.status();
  absl::StatusOr<uint64_t> latest = store_->LatestGeneration();
  if (!latest.ok()) return latest.status();
  absl::StatusOr<std::vector<GenerationRecord>> ledger =
      store_->ListGenerations(kRememberedGenerations);
  if (!ledger.ok()) return ledger.status();
  absl::StatusOr<std::vector<GatewayRecord>> gateways = store_->LoadGateways();
  if (!gateways.ok()) return gateways.status();

  snapshot->generation = *latest;
  snapshot->configuration = *std::move(configuration);
  snapshot->profiles = ProfilesOf(snapshot->configuration);
  std::map<std::string, uint64_t> intended;
  for (const GatewayRecord& record : *gateways) {
    intended[record.gateway] = record.intended_generation;
    fleet_.Restore(record);
  }
  std::ranges::sort(*ledger, {}, &GenerationRecord::generation);
  for (const GenerationRecord& record : *ledger) {
    Stamp(*snapshot, record.changes, record.created);
    for (const std::string& gateway : record.gateways) intended[gateway] = record.generation;
    rollouts_[record.generation] = {.stored = record.created, .gateways = record.gateways};
  }
  Evaluation evaluation = Evaluate(
      *snapshot,
      {.after = snapshot->configuration, .places = {}, .generation = *latest, .resend = {}});
  startup_faults_ = std::move(evaluation.faults);
  for (auto& [name, assembled] : evaluation.gateways) {
    PolicySet set = *assembled.set;
    set.generation = intended.contains(name) ? intended[name] : *latest;
    assembled.set = std::make_shared<const PolicySet>(std::move(set));
  }
  snapshot->gateways = std::move(evaluation.gateways);
  Publish(std::move(snapshot));
  return absl::OkStatus();
}

std::shared_ptr<const Snapshot> Engine::Current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

void Engine::Publish(std::shared_ptr<const Snapshot> snapshot) {
  const auto sets = SetsOf(*snapshot);
  {
    std::lock_guard lock(mutex_);
    current_ = std::move(snapshot);
  }
  fleet_.Configure(sets);
}

uint64_t Engine::NextGeneration(const Snapshot& before) const {
  return std::max(before.generation, fleet_.GreatestEnforced()) + 1;
}

std::vector<std::string> Engine::ForeignGateways() const {
  std::vector<std::string> foreign;
  for (const GatewayStatus& status : fleet_.List()) {
    if (status.foreign) foreign.push_back(status.gateway);
  }
  return foreign;
}

Evaluation Engine::Try(const Snapshot& before, const Change& change) const {
  return Evaluate(before, {.after = change.after,
                           .places = change.places,
                           .generation = NextGeneration(before),
                           .resend = ForeignGateways()});
}

absl::StatusOr<ChangeResult> Engine::Make(const std::shared_ptr<const Snapshot>& before,
                                          const Change& change, const ChangeContext& context) {
  const uint64_t generation = NextGeneration(*before);
  Evaluation evaluation = Evaluate(*before, {.after = change.after,
                                             .places = change.places,
                                             .generation = generation,
                                             .resend = ForeignGateways()});
  ChangeResult result;
  result.faults = evaluation.faults;
  result.warnings = evaluation.warnings;
  result.changes = evaluation.changes;
  result.gateways = evaluation.changed_gateways;
  const bool nothing_new = result.changes.empty() && result.gateways.empty();
  if (!result.faults.empty() || nothing_new) return result;
  if (context.commitment == Commitment::kValidateOnly) return result;
  const absl::Status status =
      CountError(Commit(*before, change, context, std::move(evaluation), generation));
  if (!status.ok()) return status;
  result.generation = generation;
  return result;
}

absl::Status Engine::Commit(const Snapshot& before, const Change& change,
                            const ChangeContext& context, Evaluation evaluation,
                            uint64_t generation) {
  const GenerationRecord record{.generation = generation,
                                .created = system_clock::now(),
                                .author = context.author,
                                .origin = change.origin,
                                .comment = context.comment,
                                .gateways = evaluation.changed_gateways,
                                .changes = evaluation.changes};
  const absl::Status status = store_->Commit(change.after, record);
  if (!status.ok()) return status;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->generation = generation;
  snapshot->configuration = change.after;
  snapshot->profiles = ProfilesOf(change.after);
  snapshot->gateways = std::move(evaluation.gateways);
  snapshot->changed = before.changed;
  Stamp(*snapshot, record.changes, record.created);
  {
    std::lock_guard lock(mutex_);
    rollouts_[generation] = {.stored = record.created, .gateways = record.gateways};
    while (rollouts_.size() > kRememberedGenerations) rollouts_.erase(rollouts_.begin());
  }
  Publish(std::move(snapshot));
  return absl::OkStatus();
}

absl::StatusOr<ChangeResult> Engine::Apply(const std::vector<DocumentSource>& sources,
                                           const ChangeContext& context) {
  const ParsedDocuments documents = ParseDocuments(sources);
  if (!documents.faults.empty()) return Diff(sources);
  std::lock_guard change_lock(changing_);
  const auto before = Current();
  const Configuration after = Merge(before->configuration, documents);
  return Make(before, {.after = after, .places = documents.places, .origin = "apply"}, context);
}

ChangeResult Engine::Diff(const std::vector<DocumentSource>& sources) const {
  const ParsedDocuments documents = ParseDocuments(sources);
  const auto before = Current();
  const Configuration after = Merge(before->configuration, documents);
  Evaluation evaluation =
      Try(*before, {.after = after, .places = documents.places, .origin = "diff"});
  ChangeResult result;
  result.faults = documents.faults;
  for (InputFault& fault : evaluation.faults) {
    if (std::ranges::find(result.faults, fault) == result.faults.end()) {
      result.faults.push_back(std::move(fault));
    }
  }
  result.warnings = std::move(evaluation.warnings);
  if (!result.faults.empty()) return result;
  result.changes = std::move(evaluation.changes);
  result.gateways = std::move(evaluation.changed_gateways);
  result.effects = DescribeEffects(before->configuration, after);
  return result;
}

absl::StatusOr<ChangeResult> Engine::Rollback(uint64_t to_generation,
                                              const ChangeContext& context) {
  std::lock_guard change_lock(changing_);
  const auto before = Current();
  if (to_generation == 0) {
    auto newest = store_->ListGenerations(2);
    if (!newest.ok()) return CountError(newest.status());
    if (newest->size() < 2) {
      return absl::NotFoundError("there is no generation before the current one (" +
                                 std::to_string(before->generation) + ") to roll back to");
    }
    to_generation = (*newest)[1].generation;
  }
  const auto after = store_->LoadConfigurationAt(to_generation);
  if (absl::IsNotFound(after.status())) return after.status();
  if (!after.ok()) return CountError(after.status());
  return Make(
      before,
      {.after = *after, .places = {}, .origin = "rollback to " + std::to_string(to_generation)},
      context);
}

absl::StatusOr<std::vector<GenerationRecord>> Engine::ListGenerations(size_t limit) {
  auto records = store_->ListGenerations(limit);
  if (!records.ok()) return CountError(records.status());
  return records;
}

absl::StatusOr<Rollout> Engine::FindRollout(uint64_t generation) const {
  std::lock_guard lock(mutex_);
  const auto found = rollouts_.find(generation);
  if (found != rollouts_.end()) return found->second;
  return absl::NotFoundError("there is no generation " + std::to_string(generation) +
                             " among the last " + std::to_string(kRememberedGenerations) +
                             "; the current one is " + std::to_string(current_->generation));
}

absl::StatusOr<ExplainResult> Engine::Explain(const Question& question) const {
  const auto snapshot = Current();
  const auto device = snapshot->configuration.devices.find(question.device);
  if (device == snapshot->configuration.devices.end()) {
    return absl::NotFoundError("no device '" + question.device + "'");
  }
  const auto gateway = snapshot->gateways.find(device->second.gateway);
  if (gateway == snapshot->gateways.end() || !gateway->second.table) {
    return absl::FailedPreconditionError("device '" + question.device +
                                         "' stands behind no gateway that has a policy: " +
                                         "set 'gateway' and 'pair' in its document");
  }
  // The gateway leaves out rules as they expire; so does the answer.
  const int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  std::shared_ptr<const dp::PolicyTable> table = gateway->second.table;
  if (table->next_expiry() && *table->next_expiry() <= now) {
    table = dp::Compile(*gateway->second.set, {}, {.now = now}).table;
  }
  auto explanation = cp::Explain(snapshot->configuration, *table, question, now);
  if (!explanation) {
    return absl::FailedPreconditionError("device '" + question.device +
                                         "' is not in the policy of its gateway");
  }
  ExplainResult result{.explanation = *std::move(explanation)};
  result.generation = gateway->second.set->generation;
  const auto status = fleet_.Find(device->second.gateway);
  result.enforced = status && status->view.enforced == result.generation;
  return result;
}

absl::StatusOr<Proposal> Engine::ProposeForDevice(const std::string& name) {
  const auto snapshot = Current();
  const auto device = snapshot->configuration.devices.find(name);
  if (device == snapshot->configuration.devices.end()) {
    return absl::NotFoundError("no device '" + name + "'");
  }
  return Propose(name, {name}, AssignProfile(device->second, snapshot->profiles));
}

absl::StatusOr<Proposal> Engine::ProposeForProfile(const std::string& name) {
  const auto snapshot = Current();
  const auto profile = snapshot->configuration.profiles.find(name);
  if (profile == snapshot->configuration.profiles.end()) {
    return absl::NotFoundError("no profile '" + name + "'");
  }
  std::vector<std::string> devices;
  for (const auto& [device_name, device] : snapshot->configuration.devices) {
    if (snapshot->EffectiveProfile(device) == name) devices.push_back(device_name);
  }
  return Propose(name, devices, &profile->second);
}

absl::StatusOr<Proposal> Engine::Propose(const std::string& name,
                                         const std::vector<std::string>& devices,
                                         const Profile* present) {
  writer_.Flush();
  const auto observations = store_->LoadObservations(devices);
  if (!observations.ok()) return CountError(observations.status());
  std::vector<Peer> peers;
  for (const auto& [peer_name, peer] : Current()->configuration.peers) peers.push_back(peer);
  return cp::Propose(name, *observations, present, peers);
}

void Engine::RecordFlows(const std::string& gateway, std::vector<FlowRecord> records) {
  const auto snapshot = Current();
  flow_records_.fetch_add(records.size(), std::memory_order_relaxed);
  for (FlowRecord& record : records) {
    record.gateway = gateway;
    const auto device = snapshot->configuration.devices.find(record.device);
    if (device == snapshot->configuration.devices.end() || device->second.gateway != gateway) {
      record.device.clear();
    }
  }
  writer_.Add(Observe(records, system_clock::now()));
  // A count of 0 is the end of flows that earlier records have told of.
  std::erase_if(records, [](const FlowRecord& record) {
    return record.verdict == dp::Verdict::kForward || record.count == 0;
  });
  events_.Append(std::move(records));
}

uint64_t Engine::store_errors() const {
  return store_errors_.load(std::memory_order_relaxed) + writer_.errors();
}

absl::Status Engine::CountError(absl::Status status) {
  if (!status.ok()) store_errors_.fetch_add(1, std::memory_order_relaxed);
  return status;
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/policy_enforcer.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/time_util.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "dataplane/agent/from_proto.h"

namespace cordon::dp {
namespace {

using google::protobuf::util::TimeUtil;

constexpr size_t kMostFaultsSent = 1000;

// The same content gives the same bytes, so that two pushes can be compared.
std::string EncodeDeterministic(const v1::PolicySet& set) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  set.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

PolicyEnforcer::PolicyEnforcer(const GatewayRuntime& runtime, const EnforcerOptions& options,
                               AgentState& state, Answer answer)
    : runtime_(runtime),
      options_(options),
      state_(state),
      answer_(std::move(answer)),
      store_(options.state_directory),
      hits_(*runtime.slot, options.state_directory,
            {.gateway_ns = [this] { return runtime_.now_ns ? runtime_.now_ns() : 0; },
             .unix_seconds = [this] { return UnixSeconds(); }}) {}

PolicyEnforcer::~PolicyEnforcer() { Stop(); }

void PolicyEnforcer::Start() {
  thread_ = std::thread([this] { Run(); });
}

void PolicyEnforcer::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  hits_.Update();
  if (published_.stamp != 0) {
    if (const auto fault = hits_.Save()) spdlog::error("the counts of rules: {}", *fault);
  }
}

void PolicyEnforcer::Offer(v1::PolicySet set) {
  {
    const std::lock_guard lock(mutex_);
    pending_ = Push{std::move(set), Clock::now(), std::chrono::system_clock::now()};
  }
  wake_.notify_all();
}

std::vector<std::string> PolicyEnforcer::PublishStored() {
  std::unique_ptr<PolicyTable> table;
  PolicyStore::Loaded loaded = store_.Load([&](const StoredPolicy& policy) {
    v1::PolicySet set;
    if (!set.ParseFromString(policy.payload)) {
      return std::vector<Fault>{{"", "is not a policy set"}};
    }
    PolicySetResult converted = FromProto(set, runtime_.gateway, runtime_.pairs);
    if (!converted.faults.empty()) return converted.faults;
    CompileResult compiled = CompileNow(converted.spec);
    table = std::move(compiled.table);
    return compiled.faults;
  });
  std::vector<std::string> sentences = loaded.alarms;
  if (const auto fault = hits_.Load()) sentences.push_back(*fault);
  for (size_t i = 0; i < loaded.alarms.size(); ++i) {
    state_.Raise("stored-" + std::to_string(i), loaded.alarms[i]);
  }
  if (loaded.source == PolicyStore::Source::kNone) {
    sentences.push_back("no stored policy: everything is denied until the controller pushes one");
    return sentences;
  }
  sentences.push_back("loaded the stored policy of generation " +
                      std::to_string(loaded.policy.generation));
  Published published;
  published.generation = loaded.policy.generation;
  published.source =
      loaded.source == PolicyStore::Source::kLast ? PolicySource::kStored : PolicySource::kPrevious;
  published.stored = std::move(loaded.policy);
  published.arrived = Clock::now();
  published.persisted = true;
  PublishTable(std::move(table), std::move(published));
  return sentences;
}

void PolicyEnforcer::PublishTable(std::unique_ptr<PolicyTable> table, Published published) {
  published_ = std::move(published);
  published_.next_expiry = table->next_expiry();
  published_.stamp = runtime_.slot->Publish(std::move(table));
  hits_.Update();
}

int64_t PolicyEnforcer::UnixSeconds() const {
  if (options_.unix_seconds) return options_.unix_seconds();
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

CompileResult PolicyEnforcer::CompileNow(const PolicySpec& spec) {
  return Compile(spec, options_.limits, {.now = UnixSeconds(), .slots = &slots_});
}

// Flows of the rule are stale then and end at the workers' next look at them. What is stored stays
// as it was pushed: after a restart the rule has expired again.
void PolicyEnforcer::ExpireRules() {
  v1::PolicySet set;
  if (!set.ParseFromString(published_.stored.payload)) return;
  PolicySetResult converted = FromProto(set, runtime_.gateway, runtime_.pairs);
  CompileResult compiled = CompileNow(converted.spec);
  if (!converted.faults.empty() || !compiled.table) {  // it was sound when it was published
    published_.next_expiry.reset();
    state_.Raise("expiry",
                 "a rule has expired, but its policy cannot be compiled any more: "
                 "the rule still holds; push the policy again");
    return;
  }
  spdlog::info("generation {}: a rule has expired", published_.generation);
  published_.next_expiry = compiled.table->next_expiry();
  published_.stamp = runtime_.slot->Publish(std::move(compiled.table));
  hits_.Update();
}

void PolicyEnforcer::Run() {
  constexpr std::chrono::milliseconds kTick{100};  // to reclaim old tables
  constexpr std::chrono::milliseconds kTickUnconfirmed{10};
  for (;;) {
    std::optional<Push> push;
    {
      std::unique_lock lock(mutex_);
      const bool unconfirmed = published_.stamp != 0 && !published_.confirmed;
      wake_.wait_for(lock, unconfirmed ? kTickUnconfirmed : kTick,
                     [&] { return stop_ || pending_; });
      if (stop_) return;
      push = std::exchange(pending_, std::nullopt);
    }
    if (push) Handle(std::move(*push));
    if (published_.stamp != 0 && !published_.confirmed &&
        runtime_.slot->IsEnforced(published_.stamp)) {
      Confirm();
    }
    if (published_.next_expiry && *published_.next_expiry <= UnixSeconds()) ExpireRules();
    KeepHits();
    runtime_.slot->Reclaim();
  }
}

void PolicyEnforcer::KeepHits() {
  hits_.Update();
  if (!published_.confirmed) return;
  const auto trouble = hits_.SaveIfDue();
  if (trouble.has_value() == hits_in_trouble_) return;
  hits_in_trouble_ = trouble.has_value();
  state_.Update([&](AgentSnapshot& s) {
    s.alarms.erase("hits");
    if (trouble) s.alarms["hits"] = "the counts of rules cannot be kept: " + *trouble;
  });
}

void PolicyEnforcer::Handle(Push push) {
  std::string payload = EncodeDeterministic(push.set);
  const uint64_t generation = push.set.generation();
  if (generation == published_.generation && generation != 0 &&
      push.set.gateway() == runtime_.gateway) {
    return HandleSameGeneration(push, payload);
  }
  PolicySetResult converted = FromProto(push.set, runtime_.gateway, runtime_.pairs);
  if (generation < published_.generation) {
    converted.faults.push_back(
        {"generation", "is " + std::to_string(generation) + ", but " +
                           std::to_string(published_.generation) +
                           " is in force here already: generations only grow, apply again to make "
                           "a newer one"});
  }
  if (!converted.faults.empty()) return Refuse(generation, converted.faults);
  CompileResult compiled = CompileNow(converted.spec);
  if (!compiled.table) return Refuse(generation, compiled.faults);

  Published published;
  published.generation = generation;
  published.source = PolicySource::kController;
  published.stored = {generation, push.received, std::move(payload)};
  published.arrived = push.arrived;
  PublishTable(std::move(compiled.table), std::move(published));
  AwaitWorkers();
}

void PolicyEnforcer::HandleSameGeneration(const Push& push, const std::string& payload) {
  if (payload != published_.stored.payload) {
    return Refuse(push.set.generation(),
                  {{"generation", std::to_string(push.set.generation()) +
                                      " is in force here already with other content: apply again "
                                      "to make a newer generation"}});
  }
  if (!published_.confirmed) {
    published_.arrived = push.arrived;
    return AwaitWorkers();
  }
  if (!published_.persisted) Persist();
  SendAck(push.arrived);
}

void PolicyEnforcer::AwaitWorkers() {
  published_.answer_owed = true;  // until it is confirmed, an answer is owed
  const std::vector<uint64_t> polls = Polls();
  const Clock::time_point deadline = Clock::now() + options_.enforce_timeout;
  while (!runtime_.slot->IsEnforced(published_.stamp)) {
    if (Clock::now() >= deadline) {
      const std::string sentence = StalledWorkers(polls) + " did not take over generation " +
                                   std::to_string(published_.generation) + " within " +
                                   std::to_string(options_.enforce_timeout.count()) + " ms";
      state_.Raise("workers", sentence);
      return Refuse(published_.generation,
                    {{"", sentence + "; it stays published and is acknowledged when they do"}});
    }
    std::unique_lock lock(mutex_);
    // Workers turn over in microseconds; a short nap keeps this thread off their processors.
    if (wake_.wait_for(lock, std::chrono::milliseconds(1), [&] { return stop_; })) return;
  }
  Confirm();
}

void PolicyEnforcer::Confirm() {
  const bool answer_owed = std::exchange(published_.answer_owed, false);
  published_.confirmed = true;
  const auto took = Clock::now() - published_.arrived;
  const auto table = runtime_.slot->Current();
  state_.Update([&](AgentSnapshot& s) {
    s.generation = published_.generation;
    s.received = published_.stored.received;
    s.source = published_.source;
    s.devices = table->device_count();
    s.rulesets = table->ruleset_count();
    s.took = took;
    s.refused_generation = 0;
    s.refused_faults.clear();
    s.alarms.erase("workers");
    if (published_.source == PolicySource::kController) ++s.pushes_enforced;
  });
  if (!published_.persisted) Persist();
  spdlog::info("generation {} is enforced by every worker ({} devices, {:.1f} ms)",
               published_.generation, table->device_count(),
               std::chrono::duration<double, std::milli>(took).count());
  if (answer_owed) SendAck(published_.arrived);
}

void PolicyEnforcer::Persist() {
  const auto fault = store_.Save(published_.stored);
  published_.persisted = !fault;
  if (!fault) {
    state_.Update([](AgentSnapshot& s) {
      std::erase_if(s.alarms, [](const auto& alarm) { return alarm.first.starts_with("stored"); });
    });
    return;
  }
  const std::string sentence = "generation " + std::to_string(published_.generation) +
                               " is enforced but not stored, a restart would fall back: " + *fault;
  spdlog::error("{}", sentence);
  state_.Update([&](AgentSnapshot& s) {
    s.alarms["stored"] = sentence;
    ++s.pushes_not_persisted;
  });
}

void PolicyEnforcer::SendAck(Clock::time_point since) {
  v1::GatewayMessage message;
  v1::Ack& ack = *message.mutable_ack();
  ack.set_generation(published_.generation);
  *ack.mutable_took() = TimeUtil::NanosecondsToDuration(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - since).count());
  if (!published_.persisted) {
    const auto alarms = state_.Snapshot().alarms;
    const auto alarm = alarms.find("stored");
    ack.set_not_persisted(alarm == alarms.end() ? "not stored" : alarm->second);
  }
  answer_(std::move(message));
}

void PolicyEnforcer::Refuse(uint64_t generation, const std::vector<Fault>& faults) {
  spdlog::error("generation {} was refused ({} faults), first: {}{}{}", generation, faults.size(),
                faults[0].path, faults[0].path.empty() ? "" : " ", faults[0].message);
  state_.Update([&](AgentSnapshot& s) {
    ++s.pushes_refused;
    s.refused_generation = generation;
    s.refused_faults = faults;
  });
  v1::GatewayMessage message;
  v1::Nack& nack = *message.mutable_nack();
  nack.set_generation(generation);
  for (size_t i = 0; i < std::min(faults.size(), kMostFaultsSent); ++i) {
    v1::Fault& to = *nack.add_faults();
    to.set_path(faults[i].path);
    to.set_message(faults[i].message);
  }
  if (faults.size() > kMostFaultsSent) {
    nack.add_faults()->set_message("and " + std::to_string(faults.size() - kMostFaultsSent) +
                                   " more faults");
  }
  answer_(std::move(message));
}

std::vector<uint64_t> PolicyEnforcer::Polls() const {
  std::vector<uint64_t> polls;
  for (const WorkerInfo& worker : runtime_.workers) polls.push_back(worker.counters->polls.Get());
  return polls;
}

std::string PolicyEnforcer::StalledWorkers(const std::vector<uint64_t>& polls_before) const {
  const std::vector<uint64_t> polls = Polls();
  std::string names;
  for (size_t i = 0; i < polls.size(); ++i) {
    if (polls[i] != polls_before[i]) continue;
    names += (names.empty() ? "worker " : ", worker ") + std::to_string(i);
  }
  return names.empty() ? "a worker" : names;
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/app/gateway.h"

#include <spdlog/spdlog.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "dataplane/agent/gateway_agent.h"
#include "dataplane/flow/table.h"
#include "dataplane/io/io.h"
#include "dataplane/pipeline/pipeline.h"

namespace cordon::dp {
namespace {

constexpr size_t kEventsPerWorker = 16'384;
// More than the devices of the largest policy: names that go free theirs only when they are gone.
constexpr size_t kDeviceSlots = 262'144;
constexpr std::chrono::seconds kFirstEnforcement{5};

HashSeed RandomSeed() {
  std::random_device random;
  HashSeed seed{};
  for (uint64_t& word : seed.word) word = static_cast<uint64_t>(random()) << 32 | random();
  return seed;
}

// What one worker owns, beside its thread.
struct WorkerState {
  explicit WorkerState(const GatewayConfig& config)
      : flows(config.flow_capacity, RandomSeed(), config.timeouts, kDeviceSlots),
        events(kEventsPerWorker) {}

  FlowTable flows;
  WorkerCounters counters;
  EventRing events;
  FlowMailbox flow_mailbox;
  std::unique_ptr<Pipeline> pipeline;  // made when the clock runs
};

PortSample ToSample(const std::string& pair, Side side, const PortStatistics& port,
                    const LinkStatistics& link) {
  return {.pair = pair,
          .side = side,
          .name = port.name,
          .driver = port.driver,
          .present = link.link != Link::kGone,
          .link_up = link.link == Link::kUp,
          .link_held_down = link.held_down,
          .link_changes = link.changes,
          .received_frames = port.received_frames,
          .transmitted_frames = port.transmitted_frames,
          .receive_missed = port.receive_missed,
          .receive_no_buffer = port.receive_no_buffer,
          .receive_errors = port.receive_errors,
          .transmit_errors = port.transmit_errors};
}

}  // namespace

struct Gateway::State {
  explicit State(const GatewayConfig& config_in) : config(config_in), slot(config.io.cores.size()) {
    for (size_t i = 0; i < config.io.cores.size(); ++i) {
      workers.push_back(std::make_unique<WorkerState>(config));
    }
  }
  ~State() {
    http.reset();
    if (agent) agent->Stop();
    if (!io) return;
    io->StopWorkers();
    spdlog::info("workers have stopped: nothing passes");
  }

  GatewayRuntime MakeRuntime();
  std::vector<PortSample> SamplePorts();
  std::vector<PoolSample> SamplePools();
  bool MakeAgent(std::string& error);
  void LoadStoredPolicy();
  bool StartIo(std::string& error);
  void StartWorkers();
  bool AwaitEnforcement(std::string& error);
  bool StartServices(std::string& error);

  const GatewayConfig config;
  PolicySlot slot;
  std::vector<std::unique_ptr<WorkerState>> workers;
  std::mutex io_mutex;  // statistics are read one thread at a time
  std::unique_ptr<Io> io;
  std::unique_ptr<GatewayAgent> agent;
  std::unique_ptr<HttpServer> http;
};

std::vector<PortSample> Gateway::State::SamplePorts() {
  const std::lock_guard lock(io_mutex);
  std::vector<PortSample> samples;
  for (size_t pair = 0; io && pair < config.io.pairs.size(); ++pair) {
    for (const Side side : {Side::kDevice, Side::kNetwork}) {
      samples.push_back(ToSample(config.io.pairs[pair].name, side, io->PortOf(pair, side),
                                 io->LinkOf(pair, side)));
    }
  }
  return samples;
}

std::vector<PoolSample> Gateway::State::SamplePools() {
  const std::lock_guard lock(io_mutex);
  if (!io) return {};
  std::vector<PoolSample> samples;
  for (const PoolStatistics& pool : io->Pools()) {
    samples.push_back({.name = pool.name, .size = pool.size, .available = pool.available});
  }
  return samples;
}

GatewayRuntime Gateway::State::MakeRuntime() {
  GatewayRuntime runtime;
  runtime.gateway = config.io.gateway;
  runtime.software_version = CORDON_VERSION;
  runtime.pairs = config.PairNames();
  runtime.slot = &slot;
  for (size_t i = 0; i < workers.size(); ++i) {
    WorkerInfo info{.cpu = config.io.cores[i],
                    .pairs = {},
                    .counters = &workers[i]->counters,
                    .events = &workers[i]->events,
                    .flow_mailbox = &workers[i]->flow_mailbox};
    for (size_t pair = 0; pair < runtime.pairs.size(); ++pair) {
      if (config.io.Serves(i, pair)) info.pairs.push_back(runtime.pairs[pair]);
    }
    runtime.workers.push_back(std::move(info));
  }
  runtime.ports = [this] { return SamplePorts(); };
  runtime.pools = [this] { return SamplePools(); };
  runtime.now_ns = [this] { return io ? io->NowNanoseconds() : 0; };
  return runtime;
}

bool Gateway::State::MakeAgent(std::string& error) {
  AgentOptions options;
  options.controller_address = config.controller_address;
  if (config.tls) options.certificate_expiry = CertificateExpiry(config.tls->certificate);
  options.state_directory = config.state_directory;
  options.status_socket = config.status_socket;
  if (!config.controller_address.empty()) {
    auto made = MakeChannelCredentials(config.controller_address, config.tls);
    for (const std::string& fault : made.faults) {
      error += (error.empty() ? "controller.tls: " : "; ") + fault;
    }
    if (!error.empty()) return false;
    options.credentials = std::move(made.credentials);
  }
  agent = std::make_unique<GatewayAgent>(MakeRuntime(), std::move(options));
  return true;
}

void Gateway::State::LoadStoredPolicy() {
  const std::vector<std::string> sentences = agent->PublishStored();
  const bool denies_all = slot.Current()->generation() == 0;
  for (const std::string& sentence : sentences) {
    spdlog::log(denies_all || sentences.size() > 1 ? spdlog::level::warn : spdlog::level::info,
                "{}", sentence);
  }
}

bool Gateway::State::StartIo(std::string& error) {
  std::vector<std::string> warnings;
  auto started = Io::Start(config.io, warnings, error);
  for (const std::string& warning : warnings) spdlog::warn("{}", warning);
  const std::lock_guard lock(io_mutex);
  io = std::move(started);
  return io != nullptr;
}

void Gateway::State::StartWorkers() {
  PipelineOptions options;
  if (config.adopt_grace.count() != 0) {
    options.adopt_until = io->NowNanoseconds() + static_cast<uint64_t>(config.adopt_grace.count());
  }
  options.fragments.held = config.io.HeldFramesPerWorker();
  options.fragments.held_per_holder = options.fragments.held / 4;
  options.device_slots = kDeviceSlots;
  std::vector<WorkerParts> parts;
  for (size_t i = 0; i < workers.size(); ++i) {
    WorkerState& worker = *workers[i];
    options.flow_mailbox = &worker.flow_mailbox;
    worker.pipeline =
        std::make_unique<Pipeline>(i, slot, worker.flows, worker.counters, worker.events, options);
    parts.push_back(
        {.policy = &slot, .pipeline = worker.pipeline.get(), .counters = &worker.counters});
  }
  io->StartWorkers(parts);
}

bool Gateway::State::AwaitEnforcement(std::string& error) {
  const auto table = slot.Current();
  const auto deadline = std::chrono::steady_clock::now() + kFirstEnforcement;
  while (!slot.IsEnforced(table->stamp())) {
    if (std::chrono::steady_clock::now() > deadline) {
      error = "workers.cores: a worker does not get its core";
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (table->generation() == 0) {
    spdlog::warn("gateway {}: no policy: everything is denied on all pairs ({})", config.io.gateway,
                 config.io.pairs.size());
    return true;
  }
  spdlog::info("gateway {}: enforcing generation {} (stored); devices: {}, pairs: {}, workers: {}",
               config.io.gateway, table->generation(), table->device_count(),
               config.io.pairs.size(), workers.size());
  return true;
}

bool Gateway::State::StartServices(std::string& error) {
  if (!agent->Start(error)) {
    error = "status_socket: " + error;
    return false;
  }
  if (config.metrics) {
    http = HttpServer::Start(*config.metrics,
                             {.metrics = [this] { return agent->RenderMetrics(); },
                              .unhealthy = [this] { return agent->Unhealthy(); }},
                             error);
    if (!http) {
      error = "metrics.listen: " + error;
      return false;
    }
  }
  return true;
}

Gateway::Gateway(std::unique_ptr<State> state) : state_(std::move(state)) {}
Gateway::~Gateway() = default;

std::unique_ptr<Gateway> Gateway::Start(const GatewayConfig& config, std::string& error) {
  auto state = std::make_unique<State>(config);
  if (!state->MakeAgent(error)) return nullptr;
  state->LoadStoredPolicy();
  if (!state->StartIo(error)) return nullptr;
  state->StartWorkers();
  if (!state->AwaitEnforcement(error) || !state->StartServices(error)) return nullptr;
  return std::unique_ptr<Gateway>(new Gateway(std::move(state)));
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/io.h"

#include <rte_launch.h>

#include <optional>
#include <utility>

#include "dataplane/io/clock.h"
#include "dataplane/io/eal.h"

namespace cordon::dp {

struct Io::State {
  IoOptions options;
  // Destruction goes the other way round: watch, ports, buffers, EAL.
  std::unique_ptr<Eal> eal;
  Buffers buffers;
  std::vector<std::array<std::unique_ptr<Port>, kSideCount>> ports;  // by pair and Side
  std::optional<LinkWatch> links;
  std::optional<TscClock> clock;
  std::vector<std::unique_ptr<Worker>> workers;

  bool OpenPorts(std::vector<std::string>& warnings, std::string& error);
  bool CheckPair(size_t pair, std::vector<std::string>& warnings, std::string& error) const;
  bool StartPorts(std::vector<std::string>& warnings, std::string& error);
  void WatchLinks();
  BufferNeed NeedOf(size_t pair, size_t side) const {
    return ports[pair][side]->NeedsBuffers(*ports[pair][1 - side]);
  }
  void Explain(const std::string& key, std::string& error) const;
  std::vector<Lane> LanesOf(size_t worker) const;
};

// Puts the key before a message, and what DPDK has logged behind it.
void Io::State::Explain(const std::string& key, std::string& error) const {
  const std::string said = eal->TakeErrors();
  error.insert(0, key + ": ");
  if (!said.empty()) error += " (" + said + ")";
}

bool Io::State::OpenPorts(std::vector<std::string>& warnings, std::string& error) {
  for (size_t pair = 0; pair < options.pairs.size(); ++pair) {
    auto& sides = ports.emplace_back();
    for (size_t side = 0; side < kSideCount; ++side) {
      const PortOptions& port = options.pairs[pair].sides[side];
      const Port::Setup setup{static_cast<Side>(side), options.mtu, options.pairs[pair].workers};
      sides[side] = Port::Open(port, setup, warnings, error);
      if (!sides[side]) Explain(port.key, error);
      if (!sides[side]) return false;
      eal->TakeErrors();
    }
    if (!CheckPair(pair, warnings, error)) return false;
  }
  return true;
}

// What only both ports of a pair together, or port and worker, can get wrong.
bool Io::State::CheckPair(size_t pair, std::vector<std::string>& warnings,
                          std::string& error) const {
  const PairOptions& wanted = options.pairs[pair];
  const auto& [device, network] = ports[pair];
  // Each driver has its own idea of which worker a device belongs to.
  if (wanted.workers > 1 && device->driver() != network->driver()) {
    error = "pairs[" + std::to_string(pair) + "].workers: " + std::to_string(wanted.workers) +
            " workers need the same driver on both sides, which have " + device->driver() +
            " and " + network->driver();
    return false;
  }
  for (const auto& port : ports[pair]) {
    for (size_t queue = 0; queue < wanted.workers && port->numa_node() >= 0; ++queue) {
      const size_t worker = options.WorkerOf(pair, queue);
      if (Eal::NumaNodeOf(worker) == port->numa_node()) continue;
      warnings.push_back("port " + port->name() + " is on NUMA node " +
                         std::to_string(port->numa_node()) + ", core " +
                         std::to_string(options.cores[worker]) + " that works for it on node " +
                         std::to_string(Eal::NumaNodeOf(worker)) + ": slower than need be");
    }
  }
  return true;
}

bool Io::State::StartPorts(std::vector<std::string>& warnings, std::string& error) {
  for (size_t pair = 0; pair < ports.size(); ++pair) {
    for (size_t side = 0; side < kSideCount; ++side) buffers.Add(NeedOf(pair, side));
  }
  if (!buffers.Make(options, error)) return false;
  for (size_t pair = 0; pair < ports.size(); ++pair) {
    const PairOptions& wanted = options.pairs[pair];
    for (size_t side = 0; side < kSideCount; ++side) {
      const BufferNeed need = NeedOf(pair, side);
      Port& port = *ports[pair][side];
      const bool started = port.Start(need, buffers.For(need), warnings, error);
      if (!started) Explain(wanted.sides[side].key, error);
      if (!started) return false;
      if (!wanted.link_propagation || port.SetLink(Link::kUp)) continue;
      error = "pairs[" + std::to_string(pair) + "].link_propagation: driver " + port.driver() +
              " of " + port.name() + " cannot switch its link";
      return false;
    }
  }
  return true;
}

void Io::State::WatchLinks() {
  std::vector<LinkWatch::Pair> pairs;
  for (size_t pair = 0; pair < ports.size(); ++pair) {
    pairs.push_back({options.pairs[pair].name,
                     {ports[pair][0].get(), ports[pair][1].get()},
                     options.pairs[pair].link_propagation});
  }
  links.emplace(std::move(pairs));
}

std::vector<Lane> Io::State::LanesOf(size_t worker) const {
  std::vector<Lane> lanes;
  for (size_t pair = 0; pair < ports.size(); ++pair) {
    const auto& [device, network] = ports[pair];
    for (uint16_t queue = 0; queue < options.pairs[pair].workers; ++queue) {
      if (options.WorkerOf(pair, queue) != worker) continue;
      const auto number = static_cast<uint16_t>(pair);
      lanes.emplace_back(*device, *network, queue, number, Side::kDevice);
      lanes.emplace_back(*network, *device, queue, number, Side::kNetwork);
    }
  }
  return lanes;
}

Io::Io(std::unique_ptr<State> state) : state_(std::move(state)) {}

std::unique_ptr<Io> Io::Start(const IoOptions& options, std::vector<std::string>& warnings,
                              std::string& error) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->eal = Eal::Start(options, error);
  if (!state->eal) return nullptr;
  if (!state->OpenPorts(warnings, error) || !state->StartPorts(warnings, error)) return nullptr;
  state->WatchLinks();
  state->clock.emplace();
  return std::unique_ptr<Io>(new Io(std::move(state)));
}

Io::~Io() { StopWorkers(); }

void Io::StartWorkers(const std::vector<WorkerParts>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    state_->workers.push_back(std::make_unique<Worker>(
        i, state_->LanesOf(i), parts[i], *state_->clock, state_->options.idle_backoff));
  }
  for (size_t i = 0; i < state_->workers.size(); ++i) {
    rte_eal_remote_launch(
        [](void* worker) {
          static_cast<Worker*>(worker)->Run();
          return 0;
        },
        state_->workers[i].get(), Eal::LcoreOf(i));
  }
}

void Io::StopWorkers() {
  for (const auto& worker : state_->workers) worker->Stop();
  for (size_t i = 0; i < state_->workers.size(); ++i) rte_eal_wait_lcore(Eal::LcoreOf(i));
  state_->workers.clear();
}

PortStatistics Io::PortOf(size_t pair, Side side) {
  return state_->ports[pair][static_cast<size_t>(side)]->Statistics();
}

LinkStatistics Io::LinkOf(size_t pair, Side side) const { return state_->links->Of(pair, side); }

std::vector<PoolStatistics> Io::Pools() const { return state_->buffers.Statistics(); }

uint64_t Io::NowNanoseconds() const { return state_->clock->Now(); }

}  // namespace cordon::dp

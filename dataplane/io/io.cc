// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/io.h"

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <bit>
#include <optional>
#include <utility>

#include "dataplane/io/clock.h"
#include "dataplane/io/eal.h"

namespace cordon::dp {
namespace {

constexpr unsigned kPoolCache = 256;
// Behind the MTU: Ethernet header, two VLAN tags, and what an af_packet ring slot needs itself.
constexpr size_t kFrameOverhead = 14 + 8 + 96;

size_t BufferBytes(const IoOptions& options) { return std::bit_ceil(options.mtu + kFrameOverhead); }

// Queues of all ports full in both directions, and some in hand.
size_t BufferCount(const IoOptions& options) {
  return options.mbufs != 0 ? options.mbufs : 4096 + options.pairs.size() * 2 * 4096;
}

rte_mempool* MakePool(const IoOptions& options, std::string& error) {
  const size_t room = BufferBytes(options) + RTE_PKTMBUF_HEADROOM;
  rte_mempool* pool =
      rte_pktmbuf_pool_create("frames", static_cast<unsigned>(BufferCount(options)), kPoolCache, 0,
                              static_cast<uint16_t>(room), SOCKET_ID_ANY);
  if (pool == nullptr) {
    constexpr size_t kBufferOverhead = 192;  // mbuf and mempool headers
    constexpr size_t kRest = 16;             // MiB: rings, ports
    const size_t needed = (BufferCount(options) * (room + kBufferOverhead) >> 20) + kRest;
    error = "memory.megabytes: " + std::to_string(options.megabytes) + " MiB do not hold " +
            std::to_string(BufferCount(options)) + " buffers of " + std::to_string(room) +
            " bytes (" + rte_strerror(rte_errno) + "): about " + std::to_string(needed) +
            " are needed; or lower memory.mbufs";
  }
  return pool;
}

}  // namespace

struct Io::State {
  IoOptions options;
  // Ports before the pool before EAL: destruction goes the other way round.
  std::unique_ptr<Eal> eal;
  rte_mempool* pool = nullptr;
  std::vector<std::array<std::unique_ptr<Port>, kSideCount>> ports;  // by pair and Side
  std::optional<TscClock> clock;
  std::vector<std::unique_ptr<Worker>> workers;

  bool OpenPorts(std::vector<std::string>& warnings, std::string& error);
  std::vector<Lane> LanesOf(size_t worker) const;
  ~State() {
    workers.clear();
    ports.clear();
    rte_mempool_free(pool);
  }
};

bool Io::State::OpenPorts(std::vector<std::string>& warnings, std::string& error) {
  for (const PairOptions& pair : options.pairs) {
    auto& sides = ports.emplace_back();
    for (size_t side = 0; side < kSideCount; ++side) {
      const PortOptions& port = pair.sides[side];
      const Port::Setup setup{pool, options.mtu, BufferBytes(options), static_cast<Side>(side)};
      sides[side] = Port::Open(port, setup, warnings, error);
      const std::string said = eal->TakeErrors();
      if (sides[side]) continue;
      error = port.key + ": " + error + (said.empty() ? "" : " (" + said + ")");
      return false;
    }
  }
  return true;
}

std::vector<Lane> Io::State::LanesOf(size_t worker) const {
  std::vector<Lane> lanes;
  for (size_t pair = 0; pair < ports.size(); ++pair) {
    if (WorkerOf(pair, options) != worker) continue;
    const auto& [device, network] = ports[pair];
    lanes.emplace_back(*device, *network, static_cast<uint16_t>(pair), Side::kDevice);
    lanes.emplace_back(*network, *device, static_cast<uint16_t>(pair), Side::kNetwork);
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
  state->pool = MakePool(options, error);
  if (state->pool == nullptr || !state->OpenPorts(warnings, error)) return nullptr;
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

PoolStatistics Io::Pool() const {
  return {state_->pool->name, state_->pool->size, rte_mempool_avail_count(state_->pool)};
}

uint64_t Io::NowNanoseconds() const { return state_->clock->Now(); }

}  // namespace cordon::dp

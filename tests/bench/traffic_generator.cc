// SPDX-License-Identifier: Apache-2.0
// bench-traffic: generator, sink and verdict checker on one core, for an inline device under test
// between two DPDK ports: port 0 faces its device side, port 1 its network side.
//
//   bench-traffic EAL-OPTIONS -- --device device.pcap [--network network.pcap] [--open]
//                 [--time SECONDS] [--runs N] [--rate MPPS] [--open-rate MPPS] [--latency]
//
// Frames carry a tag in their last four bytes (see policy_generator.cc): a refused frame that
// arrives is counted as wrong, an allowed one that does not as lost. --open opens every flow first
// (SYN, SYN+ACK, ACK, or one UDP frame each way). Prints one JSON object a run. `backpressure` is
// the share of transmit calls that found the ring full: near 0 the generator was the limit, not the
// device under test.
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "tests/bench/latency.h"
#include "tests/bench/trace.h"

namespace {

using cordon::bench::kDenyBit;
using cordon::bench::LatencyHistogram;
using cordon::bench::Trace;

constexpr uint16_t kBurst = 32;
constexpr uint32_t kSampleMask = 31;  // one flow in 32 is timed

volatile std::sig_atomic_t stop_requested = 0;

struct Options {
  std::string device, network;
  double seconds = 1, rate = 0, open_rate = 0.3e6;
  int runs = 3;
  bool open = false, latency = false;
};

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "bench-traffic: " << what << '\n';
  std::exit(1);
}

// One direction of traffic: sends its trace on one port and receives on the other.
class Direction {
 public:
  Direction(Trace trace, uint16_t from, uint16_t to, rte_mempool* pool)
      : trace_(std::move(trace)), from_(from), to_(to), pool_(pool), sent_at_(trace_.count()) {}

  uint64_t sent = 0, sent_allowed = 0, received = 0, wrong = 0, foreign = 0, calls = 0, full = 0;

  void Clear() {
    sent = sent_allowed = received = wrong = foreign = calls = full = 0;
    std::fill(sent_at_.begin(), sent_at_.end(), 0);
  }
  uint32_t count() const { return trace_.count(); }
  void Rewind() { next_ = 0; }

  // Sends up to `want` next frames; with `tcp_flags` TCP frames become that segment.
  uint16_t Send(uint16_t want, uint8_t tcp_flags, bool timed) {
    rte_mbuf* mbufs[kBurst];
    if (rte_pktmbuf_alloc_bulk(pool_, mbufs, want) != 0) return 0;
    uint32_t index = next_;
    for (uint16_t i = 0; i < want; ++i, index = Following(index)) {
      auto* bytes = rte_pktmbuf_mtod(mbufs[i], uint8_t*);
      const uint16_t length = trace_.length(index);
      rte_memcpy(bytes, trace_.frame(index), length);
      if (tcp_flags != 0) cordon::bench::MakeTcpSegment(bytes, tcp_flags);
      mbufs[i]->data_len = length;
      mbufs[i]->pkt_len = length;
    }
    const uint64_t now = timed ? rte_rdtsc() : 0;
    const uint16_t done = rte_eth_tx_burst(from_, 0, mbufs, want);
    for (uint16_t i = 0; i < done; ++i, next_ = Following(next_)) {
      const uint32_t tag = trace_.tag(next_);
      sent_allowed += (tag & kDenyBit) == 0;
      if (timed && (tag & (kSampleMask | kDenyBit)) == 0) sent_at_[next_] = now;
    }
    sent += done;
    ++calls;
    if (done < want) {
      ++full;
      rte_pktmbuf_free_bulk(mbufs + done, static_cast<unsigned>(want - done));
    }
    return done;
  }

  void Receive(LatencyHistogram* latency) {
    rte_mbuf* mbufs[kBurst * 2];
    const uint16_t n = rte_eth_rx_burst(to_, 0, mbufs, kBurst * 2);
    if (n == 0) return;
    const uint64_t now = latency != nullptr ? rte_rdtsc() : 0;
    for (uint16_t i = 0; i < n; ++i) {
      const auto* bytes = rte_pktmbuf_mtod(mbufs[i], const uint8_t*);
      if (mbufs[i]->data_len < 60 || bytes[12] != 8 || bytes[13] != 0) {
        ++foreign;
        continue;
      }
      const uint32_t tag = Trace::TagOf(bytes, mbufs[i]->data_len);
      ++received;
      wrong += tag >> 31;
      if (latency != nullptr && (tag & (kSampleMask | kDenyBit)) == 0 && tag < sent_at_.size() &&
          sent_at_[tag] != 0) {
        latency->Add(now - sent_at_[tag]);
        sent_at_[tag] = 0;
      }
    }
    rte_pktmbuf_free_bulk(mbufs, n);
  }

 private:
  uint32_t Following(uint32_t index) const { return index + 1 == trace_.count() ? 0 : index + 1; }

  Trace trace_;
  uint16_t from_, to_;
  rte_mempool* pool_;
  uint32_t next_ = 0;
  std::vector<uint64_t> sent_at_;
};

class Bench {
 public:
  Bench(const Options& options, rte_mempool* pool)
      : options_(options), hz_(static_cast<double>(rte_get_tsc_hz())) {
    directions_.emplace_back(Trace::Load(options.device), 0, 1, pool);
    if (!options.network.empty()) {
      directions_.emplace_back(Trace::Load(options.network), 1, 0, pool);
    }
  }

  void OpenFlows() {
    Once(0, 0x02);
    if (directions_.size() > 1) {
      Once(1, 0x12);
      Once(0, 0x10);
    }
  }

  void Run(int number) {
    for (Direction& direction : directions_) direction.Clear();
    latency_.Clear();
    const uint64_t start = rte_rdtsc();
    const double cycles = options_.seconds * hz_;
    double elapsed = 0;
    while ((elapsed = static_cast<double>(rte_rdtsc() - start)) < cycles && stop_requested == 0) {
      const double due = elapsed / hz_ * options_.rate;
      if (options_.rate == 0 || static_cast<double>(Sum(&Direction::sent)) + kBurst <= due) {
        for (Direction& direction : directions_) direction.Send(kBurst, 0, options_.latency);
      }
      ReceiveAll();
    }
    const uint64_t received_in_time = Sum(&Direction::received);
    Drain();
    Report(number, elapsed / hz_, received_in_time);
  }

 private:
  uint64_t Sum(uint64_t Direction::*field) const {
    uint64_t sum = 0;
    for (const Direction& direction : directions_) sum += direction.*field;
    return sum;
  }
  void ReceiveAll() {
    for (Direction& direction : directions_) {
      direction.Receive(options_.latency ? &latency_ : nullptr);
    }
  }
  void Drain() {
    const uint64_t end = rte_rdtsc() + static_cast<uint64_t>(hz_ / 5);
    while (rte_rdtsc() < end) ReceiveAll();
  }
  // Sends every frame of a direction once, as the segment that `flags` says, at the opening rate.
  void Once(size_t which, uint8_t flags) {
    Direction& direction = directions_[which];
    direction.Rewind();
    const uint64_t start = rte_rdtsc();
    uint32_t done = 0;
    while (done < direction.count() && stop_requested == 0) {
      const double due = static_cast<double>(rte_rdtsc() - start) / hz_ * options_.open_rate;
      if (done < due) {
        done += direction.Send(
            static_cast<uint16_t>(std::min<uint32_t>(kBurst / 2, direction.count() - done)), flags,
            false);
      }
      ReceiveAll();
    }
    Drain();
    direction.Rewind();
  }
  void Report(int number, double seconds, uint64_t received_in_time) {
    const uint64_t sent = Sum(&Direction::sent), wrong = Sum(&Direction::wrong);
    const auto allowed_through = static_cast<int64_t>(Sum(&Direction::received) - wrong);
    const double calls = static_cast<double>(std::max<uint64_t>(Sum(&Direction::calls), 1));
    std::printf(
        "{\"run\":%d,\"mpps\":%.4f,\"received_mpps\":%.4f,\"cycles\":%.1f,"
        "\"backpressure\":%.4f,\"sent\":%lu,\"lost\":%ld,\"wrong\":%lu,\"foreign\":%lu",
        number, static_cast<double>(sent) / seconds / 1e6,
        static_cast<double>(received_in_time) / seconds / 1e6,
        hz_ * seconds / static_cast<double>(std::max<uint64_t>(sent, 1)),
        static_cast<double>(Sum(&Direction::full)) / calls, sent,
        static_cast<int64_t>(Sum(&Direction::sent_allowed)) - allowed_through, wrong,
        Sum(&Direction::foreign));
    if (options_.latency) {
      const auto micros = [this](double share) { return latency_.Percentile(share) / hz_ * 1e6; };
      std::printf(",\"latency_p50_us\":%.2f,\"latency_p99_us\":%.2f,\"latency_p999_us\":%.2f",
                  micros(0.5), micros(0.99), micros(0.999));
    }
    std::printf("}\n");
    std::fflush(stdout);
  }

  const Options& options_;
  const double hz_;
  std::vector<Direction> directions_;
  LatencyHistogram latency_;
};

void StartPort(uint16_t port, rte_mempool* pool) {
  const rte_eth_conf conf{};
  if (rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
      rte_eth_tx_queue_setup(port, 0, 1024, SOCKET_ID_ANY, nullptr) != 0 ||
      rte_eth_rx_queue_setup(port, 0, 1024, SOCKET_ID_ANY, nullptr, pool) != 0 ||
      rte_eth_dev_start(port) != 0) {
    Fail("port " + std::to_string(port) + " does not start");
  }
  rte_eth_promiscuous_enable(port);
}

void AwaitLinks() {
  for (int i = 0; i < 600 && stop_requested == 0; ++i) {
    int up = 0;
    for (uint16_t port = 0; port < 2; ++port) {
      rte_eth_link link{};
      rte_eth_link_get_nowait(port, &link);
      up += link.link_status;
    }
    if (up == 2) return;
    rte_delay_ms(50);
  }
  Fail("the links did not come up in 30 s");
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--open") {
      options.open = true;
    } else if (name == "--latency") {
      options.latency = true;
    } else if (i + 1 >= argc) {
      Fail("option " + name + " is unknown or lacks its value");
    } else if (name == "--device") {
      options.device = argv[++i];
    } else if (name == "--network") {
      options.network = argv[++i];
    } else if (name == "--time") {
      options.seconds = std::atof(argv[++i]);
    } else if (name == "--runs") {
      options.runs = std::atoi(argv[++i]);
    } else if (name == "--rate") {
      options.rate = std::atof(argv[++i]) * 1e6;
    } else if (name == "--open-rate") {
      options.open_rate = std::atof(argv[++i]) * 1e6;
    } else {
      Fail("unknown option " + name);
    }
  }
  if (options.device.empty()) Fail("--device FILE is needed");
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const int used = rte_eal_init(argc, argv);
  if (used < 0) return 1;
  const Options options = ParseOptions(argc - used, argv + used);
  std::signal(SIGINT, [](int) { stop_requested = 1; });
  std::signal(SIGTERM, [](int) { stop_requested = 1; });
  rte_mempool* pool =
      rte_pktmbuf_pool_create("bench", 16383, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (pool == nullptr) Fail("no memory for packet buffers");
  if (rte_eth_dev_count_avail() < 2) Fail("two ports are needed");
  {
    Bench bench(options, pool);
    StartPort(0, pool);
    StartPort(1, pool);
    AwaitLinks();
    if (options.open) bench.OpenFlows();
    for (int run = 0; run < options.runs && stop_requested == 0; ++run) bench.Run(run);
  }
  for (uint16_t port = 0; port < 2; ++port) {
    rte_eth_dev_stop(port);
    rte_eth_dev_close(port);
  }
  rte_eal_cleanup();
  return 0;
}

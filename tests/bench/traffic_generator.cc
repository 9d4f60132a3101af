// SPDX-License-Identifier: Apache-2.0
// bench-traffic: generator, sink and judge on one core, for an inline device under test between two
// DPDK ports: port 0 faces its device side, port 1 its network side.
//
//   bench-traffic EAL-OPTIONS -- MODEL-OPTIONS [--both yes] [--open MPPS] [--rate MPPS]
//       [--time SECONDS] [--runs N] [--latency yes] [--do run|flows|search] [--polite yes]
//       [--syn yes] [--receive-queues N]
//
// Each frame says in its last four bytes which flow it is of and what the policy must do with it
// (see frame.h): a refused frame that arrives is `wrong`, an allowed one that does not is `lost`.
// --both: traffic toward the devices too. --open: opens every flow first, at that rate (SYN,
// SYN+ACK, ACK, or one UDP frame each way). --do flows: every frame opens a flow, each once.
// --syn: TCP frames are first segments, as in a flood. --do search: the highest rate at which
// nothing is lost (RFC 2544, by halving).
// --polite: with --rate, sleeps between bursts under a real-time priority, so that others may
// use the core and still never keep the sink from its ring. Prints one JSON object a run.
// `backpressure` is the share of transmit calls that found the ring full: near 0 the generator was
// the limit, not the device under test.
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sched.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <vector>

#include "tests/bench/direction.h"

namespace {

using namespace cordon::bench;

volatile std::sig_atomic_t stop_requested = 0;

struct Options {
  TrafficOptions traffic;
  double seconds = 1, rate = 0, open_rate = 0;  // frames a second
  int runs = 3;
  bool both = false, latency = false, polite = false, syn = false;
  std::string what = "run";
  uint16_t receive_queues = 1;
};

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "bench-traffic: " << what << '\n';
  std::exit(1);
}

struct RunResult {
  DirectionCounts counts;
  double seconds = 0;
  double rate() const { return static_cast<double>(counts.sent) / seconds; }
  int64_t lost() const {
    return static_cast<int64_t>(counts.sent_allowed - counts.received_allowed);
  }
};

class Bench {
 public:
  Bench(const Options& options, const Model& model, rte_mempool* pool)
      : options_(options), hz_(static_cast<double>(rte_get_tsc_hz())) {
    const uint16_t queues = options.receive_queues;
    const Segment segment = options.what == "flows" || options.syn ? Segment::kSyn : Segment::kData;
    directions_.emplace_back(options.traffic, model, true, segment, PortQueues{0, 1, queues}, pool);
    if (options.both) {
      directions_.emplace_back(options.traffic, model, false, segment, PortQueues{1, 0, queues},
                               pool);
    }
  }

  void OpenFlows() {
    Open(0, Segment::kSyn, options_.open_rate);
    if (!options_.both) return;
    Open(1, Segment::kSynAck, options_.open_rate);
    Open(0, Segment::kAck, options_.open_rate);
  }

  // `rate`: frames a second over both directions; 0: as fast as they are taken.
  RunResult Run(double rate, double seconds) {
    Clear();
    const uint64_t start = rte_rdtsc();
    const double cycles = seconds * hz_;
    double elapsed = 0;
    while ((elapsed = static_cast<double>(rte_rdtsc() - start)) < cycles && stop_requested == 0) {
      const double due = elapsed / hz_ * rate;
      if (rate == 0 || static_cast<double>(Sent()) + Direction::kBurst <= due) {
        for (Direction& direction : directions_) {
          direction.Send(Direction::kBurst, options_.latency);
        }
      } else if (options_.polite) {
        const timespec nap{0, 10'000};
        nanosleep(&nap, nullptr);
      }
      ReceiveAll();
    }
    Drain();
    return {Total(), elapsed / hz_};
  }

  // Every frame opens a flow; each flow is opened once.
  RunResult RunFlows() {
    Clear();
    Direction& direction = directions_[0];
    const uint64_t start = rte_rdtsc();
    uint32_t done = 0;
    while (done < direction.count() && stop_requested == 0) {
      const uint32_t left = direction.count() - done;
      done +=
          direction.Send(static_cast<uint16_t>(std::min<uint32_t>(Direction::kBurst, left)), false);
      ReceiveAll();
    }
    const uint64_t end = rte_rdtsc();
    Drain();
    return {Total(), static_cast<double>(end - start) / hz_};
  }

  // The highest loss-free rate to within 2 %, of three trials each: on a machine that others use
  // too, a trial is lost now and then to whatever stopped the sink.
  double Search(double saturated) {
    double good = 0;
    double bad = saturated;
    double next = bad;
    while ((bad - good) / bad > 0.02 && stop_requested == 0) {
      (IsLossFree(next) ? good : bad) = next;
      next = good == 0 ? bad * 0.7 : (good + bad) / 2;
      if (bad < 1e4) break;
    }
    return good;
  }

  void Report(int number, const RunResult& result) {
    const DirectionCounts& counts = result.counts;
    std::printf(
        "{\"run\":%d,\"mpps\":%.4f,\"cycles\":%.1f,\"backpressure\":%.4f,\"sent\":%lu,"
        "\"lost\":%ld,\"wrong\":%lu,\"either\":%lu,\"foreign\":%lu",
        number, result.rate() / 1e6, hz_ / result.rate(),
        static_cast<double>(counts.full) / static_cast<double>(std::max<uint64_t>(counts.calls, 1)),
        counts.sent, result.lost(), counts.wrong, counts.received_either, counts.foreign);
    if (options_.latency) {
      const auto micros = [this](double share) { return latency_.Percentile(share) / hz_ * 1e6; };
      std::printf(",\"latency_p50_us\":%.2f,\"latency_p99_us\":%.2f,\"latency_p999_us\":%.2f",
                  micros(0.5), micros(0.99), micros(0.999));
    }
    std::printf("}\n");
    std::fflush(stdout);
  }

 private:
  void Clear() {
    for (Direction& direction : directions_) direction.Clear();
    latency_.Clear();
  }
  uint64_t Sent() const {
    uint64_t sent = 0;
    for (const Direction& direction : directions_) sent += direction.counts().sent;
    return sent;
  }
  DirectionCounts Total() const {
    DirectionCounts total;
    for (const Direction& direction : directions_) total.Add(direction.counts());
    return total;
  }
  void ReceiveAll() {
    for (Direction& direction : directions_) {
      direction.Receive(options_.latency ? &latency_ : nullptr);
    }
  }
  void Drain() {
    const uint64_t end = rte_rdtsc() + static_cast<uint64_t>(hz_ / 10);
    while (rte_rdtsc() < end) ReceiveAll();
  }
  bool IsLossFree(double rate) {
    for (int trial = 0; trial < 3 && stop_requested == 0; ++trial) {
      const RunResult result = Run(rate, options_.seconds);
      // A generator that could not keep up has not tried this rate.
      if (result.lost() == 0 && result.counts.wrong == 0 && result.rate() > 0.97 * rate)
        return true;
    }
    return false;
  }
  // Sends every flow's opening segment once.
  void Open(size_t which, Segment segment, double rate) {
    Direction& direction = directions_[which];
    direction.Rewind();
    const uint64_t start = rte_rdtsc();
    uint32_t done = 0;
    while (done < direction.count() && stop_requested == 0) {
      const double due = static_cast<double>(rte_rdtsc() - start) / hz_ * rate;
      if (done < due) {
        done += direction.SendOpening(segment, static_cast<uint16_t>(std::min<uint32_t>(
                                                   Direction::kBurst, direction.count() - done)));
      }
      ReceiveAll();
    }
    Drain();
    direction.Rewind();
  }

  const Options& options_;
  const double hz_;
  std::vector<Direction> directions_;
  LatencyHistogram latency_;
};

void StartPort(uint16_t port, uint16_t receive_queues, rte_mempool* pool) {
  const rte_eth_conf conf{};
  bool started = rte_eth_dev_configure(port, receive_queues, 1, &conf) == 0 &&
                 rte_eth_tx_queue_setup(port, 0, 1024, SOCKET_ID_ANY, nullptr) == 0;
  for (uint16_t queue = 0; queue < receive_queues && started; ++queue) {
    started = rte_eth_rx_queue_setup(port, queue, 1024, SOCKET_ID_ANY, nullptr, pool) == 0;
  }
  if (!started || rte_eth_dev_start(port) != 0) {
    Fail("port " + std::to_string(port) + " does not start");
  }
  rte_eth_promiscuous_enable(port);
}

void AwaitLinks() {
  for (int i = 0; i < 1200 && stop_requested == 0; ++i) {
    int up = 0;
    for (uint16_t port = 0; port < 2; ++port) {
      rte_eth_link link{};
      rte_eth_link_get_nowait(port, &link);
      up += link.link_status;
    }
    if (up == 2) return;
    rte_delay_us_sleep(10'000);
  }
  Fail("the links did not come up in 12 s");
}

// Nobody preempts the sink; its naps leave the core to others.
void RaisePriority() {
  const sched_param priority{.sched_priority = 10};
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) Fail("no real-time priority");
}

bool TakeOption(const std::string& name, const std::string& value, Options& options) {
  if (name == "--both") {
    options.both = value == "yes";
  } else if (name == "--latency") {
    options.latency = value == "yes";
  } else if (name == "--syn") {
    options.syn = value == "yes";
  } else if (name == "--polite") {
    options.polite = value == "yes";
  } else if (name == "--do") {
    options.what = value;
  } else if (name == "--time") {
    options.seconds = std::atof(value.c_str());
  } else if (name == "--runs") {
    options.runs = std::atoi(value.c_str());
  } else if (name == "--rate") {
    options.rate = std::atof(value.c_str()) * 1e6;
  } else if (name == "--open") {
    options.open_rate = std::atof(value.c_str()) * 1e6;
  } else if (name == "--receive-queues") {
    options.receive_queues = static_cast<uint16_t>(std::atoi(value.c_str()));
  } else {
    return TakeModelOption(name, value, options.traffic);
  }
  return true;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc || !TakeOption(argv[i], argv[i + 1], options)) {
      Fail(std::string("unknown option or value: ") + argv[i] + "\n  " + kModelUsage);
    }
  }
  if (options.what != "run" && options.what != "flows" && options.what != "search") {
    Fail("--do is run, flows or search");
  }
  return options;
}

void Measure(const Options& options, Bench& bench) {
  if (options.open_rate != 0) bench.OpenFlows();
  if (options.polite) RaisePriority();
  if (options.what == "search") {
    const double saturated = bench.Run(0, options.seconds).rate();
    std::printf("{\"saturated_mpps\":%.4f,\"loss_free_mpps\":%.4f}\n", saturated / 1e6,
                bench.Search(saturated) / 1e6);
    return;
  }
  for (int run = 0; run < options.runs && stop_requested == 0; ++run) {
    bench.Report(
        run, options.what == "flows" ? bench.RunFlows() : bench.Run(options.rate, options.seconds));
  }
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
    const Model model = MakeModel(options.traffic.model);
    Bench bench(options, model, pool);
    for (uint16_t port = 0; port < 2; ++port) StartPort(port, options.receive_queues, pool);
    AwaitLinks();
    Measure(options, bench);
  }
  for (uint16_t port = 0; port < 2; ++port) {
    rte_eth_dev_stop(port);
    rte_eth_dev_close(port);
  }
  rte_eal_cleanup();
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/gateway_metrics.h"

#include <algorithm>
#include <array>

#include "dataplane/telemetry/metrics_text.h"

namespace cordon::dp {
namespace {

constexpr std::array kVerdicts{Verdict::kDrop, Verdict::kForward, Verdict::kAudit};
constexpr std::array kSides{Side::kDevice, Side::kNetwork};

// Reasons that let a frame pass stand first in reason.def, behind kUndecided.
bool IsPassing(Reason reason) { return reason > Reason::kUndecided && reason < Reason::kNoPolicy; }

double Seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

void RenderPairs(const GatewayRuntime& runtime, MetricsText& text) {
  const auto render = [&](std::string_view name, std::string_view help, auto member) {
    text.Family(name, MetricType::kCounter, help);
    for (size_t pair = 0; pair < std::min(runtime.pairs.size(), kMaxCountedPairs); ++pair) {
      for (const Side side : kSides) {
        for (const Verdict verdict : kVerdicts) {
          uint64_t sum = 0;
          for (const WorkerInfo& worker : runtime.workers) {
            const PairCounters& counters = worker.counters->pairs[pair];
            sum +=
                (counters.*member)[static_cast<size_t>(side)][static_cast<size_t>(verdict)].Get();
          }
          text.Sample({{"pair", runtime.pairs[pair]},
                       {"side", ToString(side)},
                       {"verdict", ToString(verdict)}},
                      sum);
        }
      }
    }
  };
  render("cordon_frames_total", "Frames by the side they came from and what was done with them.",
         &PairCounters::frames);
  render("cordon_frame_bytes_total", "Bytes of frames by side and verdict, without FCS.",
         &PairCounters::bytes);
}

void RenderReasons(const GatewayRuntime& runtime, Verdict verdict, std::string_view name,
                   std::string_view help, MetricsText& text) {
  text.Family(name, MetricType::kCounter, help);
  for (size_t i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    const uint64_t frames = FramesOf(runtime, verdict, reason);
    const bool expected = IsPassing(reason) == (verdict == Verdict::kForward);
    // What cannot happen is shown only if it did.
    if (expected || frames > 0) text.Sample({{"reason", ToString(reason)}}, frames);
  }
}

void RenderFlows(const GatewayRuntime& runtime, MetricsText& text) {
  struct Row {
    std::string_view name;
    MetricType type;
    std::string_view help;
    Counter WorkerCounters::*counter;
  };
  static constexpr std::array kRows{
      Row{"cordon_flows", MetricType::kGauge, "Flows in the table.", &WorkerCounters::flows},
      Row{"cordon_flow_capacity", MetricType::kGauge, "Flows that fit in the table.",
          &WorkerCounters::flow_capacity},
      Row{"cordon_flows_admitted_total", MetricType::kCounter, "Flows opened.",
          &WorkerCounters::flows_admitted},
      Row{"cordon_flows_expired_total", MetricType::kCounter, "Flows forgotten after idle time.",
          &WorkerCounters::flows_expired},
      Row{"cordon_flow_evictions_total", MetricType::kCounter,
          "Half-open flows that made room in a full table.", &WorkerCounters::flows_evicted},
      Row{"cordon_leases", MetricType::kGauge, "DHCP leases that bind an address to a device.",
          &WorkerCounters::leases},
      Row{"cordon_leases_not_learned_total", MetricType::kCounter,
          "DHCP leases that could not bind an address: no room, or held by another device.",
          &WorkerCounters::leases_not_learned},
      Row{"cordon_flows_stale_total", MetricType::kCounter,
          "Flows decided again because the policy had changed.", &WorkerCounters::flows_stale},
      Row{"cordon_fragmented_datagrams", MetricType::kGauge,
          "Datagrams of which some fragments have come.", &WorkerCounters::fragments_open},
      Row{"cordon_fragments_held", MetricType::kGauge,
          "Frames that wait for the first fragment of their datagram.",
          &WorkerCounters::fragments_held},
      Row{"cordon_fragmented_datagrams_timed_out_total", MetricType::kCounter,
          "Datagrams of which some fragments never came.", &WorkerCounters::fragments_timed_out},
      Row{"cordon_fragmented_datagrams_evicted_total", MetricType::kCounter,
          "Datagrams that were forgotten to make room for fragments of others.",
          &WorkerCounters::fragments_evicted},
      Row{"cordon_refusals_suppressed_total", MetricType::kCounter,
          "Refused frames that were counted but not told as events, because there were too many.",
          &WorkerCounters::events_suppressed},
      Row{"cordon_transmit_failed_frames_total", MetricType::kCounter,
          "Frames that passed but found the port's transmit queue full.",
          &WorkerCounters::transmit_failed},
      Row{"cordon_worker_polls_total", MetricType::kCounter, "Receive calls.",
          &WorkerCounters::polls},
      Row{"cordon_worker_busy_cycles_total", MetricType::kCounter,
          "Processor cycles spent in bursts that held frames.", &WorkerCounters::busy_cycles},
      Row{"cordon_worker_cycles_total", MetricType::kCounter, "Processor cycles.",
          &WorkerCounters::total_cycles}};
  for (const Row& row : kRows) {
    text.Family(row.name, row.type, row.help);
    for (size_t i = 0; i < runtime.workers.size(); ++i) {
      const uint64_t value = (runtime.workers[i].counters->*row.counter).Get();
      text.Sample({{"worker", std::to_string(i)}}, value);
    }
  }
}

void RenderPorts(const GatewayRuntime& runtime, MetricsText& text) {
  struct Row {
    std::string_view name, help;
    uint64_t PortSample::*value;
  };
  static constexpr std::array kRows{
      Row{"cordon_port_received_frames_total", "Frames the port received.",
          &PortSample::received_frames},
      Row{"cordon_port_transmitted_frames_total", "Frames the port transmitted.",
          &PortSample::transmitted_frames},
      Row{"cordon_port_receive_missed_frames_total",
          "Frames lost because the port's receive queue was full.", &PortSample::receive_missed},
      Row{"cordon_port_receive_no_buffer_total", "Frames lost because no buffer was free.",
          &PortSample::receive_no_buffer},
      Row{"cordon_port_receive_errors_total", "Frames received damaged.",
          &PortSample::receive_errors},
      Row{"cordon_port_transmit_errors_total", "Frames the port failed to transmit.",
          &PortSample::transmit_errors},
      Row{"cordon_port_link_changes_total", "Times the port's link came or went.",
          &PortSample::link_changes}};
  const std::vector<PortSample> ports = runtime.ports();
  for (const Row& row : kRows) {
    text.Family(row.name, MetricType::kCounter, row.help);
    for (const PortSample& port : ports) {
      text.Sample({{"pair", port.pair}, {"side", ToString(port.side)}}, port.*row.value);
    }
  }
  const auto state = [&](std::string_view name, std::string_view help, bool PortSample::*value) {
    text.Family(name, MetricType::kGauge, help);
    for (const PortSample& port : ports) {
      text.Sample({{"pair", port.pair}, {"side", ToString(port.side)}}, uint64_t{port.*value});
    }
  };
  state("cordon_port_present", "0 if the port's interface or NIC has gone.", &PortSample::present);
  state("cordon_port_link_up", "1 if the port has a link.", &PortSample::link_up);
  state("cordon_port_link_held_down",
        "1 while the port is down because the other port of its pair has no link.",
        &PortSample::link_held_down);
}

void RenderPools(const GatewayRuntime& runtime, MetricsText& text) {
  const std::vector<PoolSample> pools = runtime.pools();
  text.Family("cordon_mbuf_pool_size", MetricType::kGauge, "Frame buffers of the pool.");
  for (const PoolSample& pool : pools) text.Sample({{"pool", pool.name}}, pool.size);
  text.Family("cordon_mbuf_pool_available", MetricType::kGauge, "Frame buffers that are free.");
  for (const PoolSample& pool : pools) text.Sample({{"pool", pool.name}}, pool.available);
}

void RenderPolicy(const AgentSnapshot& state, MetricsText& text) {
  const auto gauge = [&](std::string_view name, std::string_view help, auto value) {
    text.Family(name, MetricType::kGauge, help);
    text.Sample(value);
  };
  gauge("cordon_policy_generation", "Generation every worker decides under; 0: none.",
        state.generation);
  const auto now = std::chrono::system_clock::now();
  gauge("cordon_policy_age_seconds", "Time since that generation was received; 0: none.",
        state.received ? std::max(0.0, Seconds(now) - Seconds(*state.received)) : 0.0);
  gauge("cordon_policy_enforce_seconds",
        "Time from arrival of that generation until every worker used it.",
        std::chrono::duration<double>(state.took).count());
  gauge("cordon_policy_devices", "Devices of that generation.", state.devices);
  gauge("cordon_policy_rulesets", "Distinct rulesets of that generation.", state.rulesets);
  text.Family("cordon_policy_source", MetricType::kGauge,
              "1 for where the running policy came from.");
  for (const PolicySource source : {PolicySource::kNone, PolicySource::kController,
                                    PolicySource::kStored, PolicySource::kPrevious}) {
    text.Sample({{"source", ToString(source)}}, uint64_t{source == state.source});
  }
  text.Family("cordon_policy_pushes_total", MetricType::kCounter, "Pushes by outcome.");
  text.Sample({{"outcome", "enforced"}}, state.pushes_enforced);
  text.Sample({{"outcome", "refused"}}, state.pushes_refused);
  text.Family("cordon_policy_not_persisted_total", MetricType::kCounter,
              "Attempts to store an enforced policy that failed.");
  text.Sample(state.pushes_not_persisted);
  gauge("cordon_controller_connected", "1 while there is a session with the controller.",
        uint64_t{state.connected});
  text.Family("cordon_controller_sessions_total", MetricType::kCounter,
              "Sessions the controller has welcomed.");
  text.Sample(state.sessions);
  if (state.certificate_expiry) {
    gauge("cordon_certificate_expiry_seconds",
          "When the gateway's certificate expires, since the epoch.",
          Seconds(*state.certificate_expiry));
  }
  gauge("cordon_alarms", "Things an administrator should act on; see the gateway's status.",
        uint64_t{state.alarms.size()});
  gauge("cordon_start_time_seconds", "When the gateway started, since the epoch.",
        Seconds(state.started));
}

}  // namespace

uint64_t FramesOf(const GatewayRuntime& runtime, Verdict verdict, Reason reason) {
  uint64_t frames = 0;
  for (const WorkerInfo& worker : runtime.workers) {
    frames +=
        worker.counters->reasons[static_cast<size_t>(verdict)][static_cast<size_t>(reason)].Get();
  }
  return frames;
}

GatewayMetrics::GatewayMetrics(const GatewayRuntime& runtime, const AgentState& state,
                               const FlowReporter& reporter)
    : runtime_(runtime), state_(state), reporter_(reporter), cycles_(runtime.workers.size()) {}

// The share of the last second or more: scrapes that follow faster see the same value.
void GatewayMetrics::UpdateBusyRatios() {
  const auto now = std::chrono::steady_clock::now();
  if (now - measured_ < std::chrono::seconds(1)) return;
  measured_ = now;
  for (size_t i = 0; i < cycles_.size(); ++i) {
    const WorkerCounters& counters = *runtime_.workers[i].counters;
    const uint64_t busy = counters.busy_cycles.Get();
    const uint64_t total = counters.total_cycles.Get();
    const uint64_t elapsed = total - cycles_[i].total;
    const double share =
        elapsed == 0 ? 0
                     : static_cast<double>(busy - cycles_[i].busy) / static_cast<double>(elapsed);
    cycles_[i] = {busy, total, std::clamp(share, 0.0, 1.0)};
  }
}

std::string GatewayMetrics::Render() {
  MetricsText text;
  text.Family("cordon_build_info", MetricType::kGauge, "1, labelled with the software version.");
  text.Sample({{"version", runtime_.software_version}, {"gateway", runtime_.gateway}}, uint64_t{1});
  RenderPairs(runtime_, text);
  RenderReasons(runtime_, Verdict::kDrop, "cordon_dropped_frames_total",
                "Frames dropped, by reason.", text);
  RenderReasons(runtime_, Verdict::kAudit, "cordon_audited_frames_total",
                "Frames forwarded only because their device is in audit mode, by the reason they "
                "would have been dropped for.",
                text);
  RenderReasons(runtime_, Verdict::kForward, "cordon_forwarded_frames_total",
                "Frames forwarded, by reason.", text);
  RenderFlows(runtime_, text);
  {
    const std::lock_guard lock(mutex_);
    UpdateBusyRatios();
    text.Family("cordon_worker_busy_ratio", MetricType::kGauge,
                "Share of its time that the worker spent on frames lately, 0 to 1.");
    for (size_t i = 0; i < cycles_.size(); ++i) {
      text.Sample({{"worker", std::to_string(i)}}, cycles_[i].ratio);
    }
  }
  RenderPorts(runtime_, text);
  RenderPools(runtime_, text);
  RenderPolicy(state_.Snapshot(), text);
  text.Family("cordon_unknown_devices", MetricType::kGauge,
              "Distinct MAC addresses seen under this policy that no device owns.");
  text.Sample(reporter_.unknown_devices());
  text.Family("cordon_event_lost_total", MetricType::kCounter,
              "Flow events lost because a ring or the report backlog was full.");
  text.Sample(reporter_.lost());
  return text.Take();
}

}  // namespace cordon::dp

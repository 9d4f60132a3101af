// SPDX-License-Identifier: Apache-2.0
#include "controlplane/app/controller_metrics.h"

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "dataplane/daemon/tls_credentials.h"
#include "dataplane/telemetry/metrics_text.h"

namespace cordon::cp {
namespace {

using dp::MetricsText;
using dp::MetricType;

constexpr std::array<std::pair<GatewayState, const char*>, 5> kStates{
    {{GatewayState::kNeverSeen, "never_seen"},
     {GatewayState::kDisconnected, "disconnected"},
     {GatewayState::kPending, "pending"},
     {GatewayState::kRefused, "refused"},
     {GatewayState::kEnforcing, "enforcing"}}};

void WriteGateways(MetricsText& text, const std::vector<GatewayStatus>& gateways) {
  std::map<GatewayState, uint64_t> by_state;
  for (const GatewayStatus& gateway : gateways) ++by_state[gateway.view.state];
  text.Family("cordon_controller_gateways", MetricType::kGauge, "Configured gateways by state.");
  for (const auto& [state, name] : kStates) text.Sample({{"state", name}}, by_state[state]);

  using Read = uint64_t (*)(const GatewayStatus&);
  struct Row {
    const char* name;
    MetricType type;
    const char* help;
    Read read;
  };
  constexpr std::array<Row, 5> kRows{
      {{"cordon_controller_gateway_connected", MetricType::kGauge,
        "1 if the gateway has a session.",
        [](const GatewayStatus& g) -> uint64_t { return g.connected ? 1 : 0; }},
       {"cordon_controller_gateway_intended_generation", MetricType::kGauge,
        "Generation the gateway shall enforce.",
        [](const GatewayStatus& g) { return g.view.intended; }},
       {"cordon_controller_gateway_enforced_generation", MetricType::kGauge,
        "Generation the gateway last said every worker decides under.",
        [](const GatewayStatus& g) { return g.view.enforced; }},
       {"cordon_controller_gateway_unknown_devices", MetricType::kGauge,
        "MAC addresses the gateway saw that no device owns.",
        [](const GatewayStatus& g) { return g.vitals.unknown_devices; }},
       {"cordon_controller_gateway_events_lost_total", MetricType::kCounter,
        "Flow events lost on the gateway since it started.",
        [](const GatewayStatus& g) { return g.events_lost; }}}};
  for (const Row& row : kRows) {
    text.Family(row.name, row.type, row.help);
    for (const GatewayStatus& gateway : gateways) {
      text.Sample({{"gateway", gateway.gateway}}, row.read(gateway));
    }
  }
}

void WriteAckLatency(MetricsText& text, const LatencyHistogram& latency) {
  text.Family("cordon_controller_ack_latency_seconds", MetricType::kHistogram,
              "From push to the gateway's ACK or NACK.");
  text.Histogram({}, {.bounds = {latency.kBounds.begin(), latency.kBounds.end()},
                      .counts = {latency.counts.begin(), latency.counts.end()},
                      .sum = latency.sum});
}

void WriteConfiguration(MetricsText& text, const Snapshot& snapshot) {
  text.Family("cordon_controller_generation", MetricType::kGauge, "Newest generation.");
  text.Sample(snapshot.generation);
  const Configuration& configuration = snapshot.configuration;
  text.Family("cordon_controller_devices", MetricType::kGauge, "Devices in the configuration.");
  text.Sample(uint64_t{configuration.devices.size()});
  text.Family("cordon_controller_profiles", MetricType::kGauge, "Profiles in the configuration.");
  text.Sample(uint64_t{configuration.profiles.size()});
  text.Family("cordon_controller_peers", MetricType::kGauge, "Peers in the configuration.");
  text.Sample(uint64_t{configuration.peers.size()});
}

void WriteRpcs(MetricsText& text, const RpcCounters& rpcs) {
  text.Family("cordon_controller_rpcs_total", MetricType::kCounter,
              "RPCs that ended, by method and code.");
  for (const auto& [key, count] : rpcs.Read()) {
    text.Sample({{"method", key.first}, {"code", key.second}}, count);
  }
}

void WriteTotals(MetricsText& text, Engine& engine) {
  text.Family("cordon_controller_flow_records_total", MetricType::kCounter,
              "Flow records received from gateways.");
  text.Sample(engine.flow_records());
  text.Family("cordon_controller_events_dropped_total", MetricType::kCounter,
              "Events that a client missed because it read too slowly.");
  text.Sample(engine.events().dropped());
  text.Family("cordon_controller_observations_dropped_total", MetricType::kCounter,
              "Observations for learning that were dropped because the store was too slow.");
  text.Sample(engine.observations_dropped());
  text.Family("cordon_controller_store_errors_total", MetricType::kCounter,
              "Calls of the store that failed.");
  text.Sample(engine.store_errors());
}

}  // namespace

std::string ControllerMetrics::Render() const {
  MetricsText text;
  text.Family("cordon_controller_build_info", MetricType::kGauge,
              "1, labelled with the software version.");
  text.Sample({{"version", CORDON_VERSION}}, uint64_t{1});
  WriteConfiguration(text, *engine_.Current());
  WriteGateways(text, engine_.fleet().List());
  WriteAckLatency(text, engine_.fleet().ack_latency());
  WriteRpcs(text, rpcs_);
  WriteTotals(text, engine_);
  const auto expiry = tcp_ ? dp::CertificateExpiry(tcp_->tls.certificate) : std::nullopt;
  if (expiry) {
    text.Family("cordon_controller_certificate_expiry_timestamp_seconds", MetricType::kGauge,
                "When the controller's certificate stops being valid.");
    text.Sample(std::chrono::duration<double>(expiry->time_since_epoch()).count());
  }
  return text.Take();
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/gateway_agent.h"

#include <random>
#include <utility>

#include "dataplane/agent/controller_link.h"
#include "dataplane/agent/flow_reporter.h"
#include "dataplane/agent/gateway_metrics.h"
#include "dataplane/agent/policy_enforcer.h"
#include "dataplane/agent/status_service.h"

namespace cordon::dp {
namespace {

// Tells this process from an earlier one of the same name.
std::string RandomInstance() {
  std::random_device random;
  std::string text;
  for (int i = 0; i < 16; ++i) text += "0123456789abcdef"[random() & 15];
  return text;
}

ReporterOptions ReporterOptionsOf(const AgentOptions& options) {
  ReporterOptions reporter;
  reporter.drain_interval = options.drain_interval;
  return reporter;
}

}  // namespace

struct GatewayAgent::Impl {
  Impl(GatewayRuntime runtime_in, AgentOptions options_in)
      : runtime(std::move(runtime_in)),
        options(std::move(options_in)),
        reporter(runtime, ReporterOptionsOf(options)),
        metrics(runtime, state, reporter),
        enforcer(runtime, {options.state_directory, options.limits, options.enforce_timeout, {}},
                 state,
                 [this](v1::GatewayMessage answer) {
                   if (link) link->Send(std::move(answer));
                 }),
        status(
            runtime, state, reporter, [this] { return enforcer.Rules(); },
            options.controller_address) {
    state.Update([&](AgentSnapshot& s) {
      s.started = std::chrono::system_clock::now();
      s.certificate_expiry = options.certificate_expiry;
    });
    CheckCertificate();
    if (options.controller_address.empty()) return;
    link = std::make_unique<ControllerLink>(
        LinkOptions{.address = options.controller_address,
                    .credentials = options.credentials,
                    .backoff_min = options.backoff_min,
                    .backoff_max = options.backoff_max},
        LinkCallbacks{
            .hello = [this] { return MakeHello(); },
            .heartbeat = [this] { return MakeHeartbeat(); },
            .on_push = [this](v1::PolicySet set) { enforcer.Offer(std::move(set)); },
            .take_report = [this](v1::FlowReport& report) { return reporter.Take(report); },
            .return_report = [this](const v1::FlowReport& r) { reporter.Return(r); }},
        state);
  }

  void CheckCertificate() {
    if (!options.certificate_expiry) return;
    const auto left = *options.certificate_expiry - std::chrono::system_clock::now();
    const auto days = std::chrono::duration_cast<std::chrono::hours>(left).count() / 24;
    if (days >= 30) return;
    state.Raise("certificate", left.count() < 0
                                   ? "the gateway's certificate has expired: replace it"
                                   : "the gateway's certificate expires in " +
                                         std::to_string(days) + " days: replace it");
  }

  v1::Hello MakeHello() {
    CheckCertificate();
    v1::Hello hello;
    hello.set_gateway(runtime.gateway);
    hello.set_instance(instance);
    hello.set_software_version(runtime.software_version);
    hello.set_enforced_generation(state.Snapshot().generation);
    for (const std::string& pair : runtime.pairs) hello.add_pairs(pair);
    return hello;
  }

  v1::Heartbeat MakeHeartbeat() {
    CheckCertificate();
    v1::Heartbeat beat;
    beat.set_enforced_generation(state.Snapshot().generation);
    uint64_t flows = 0, capacity = 0;
    for (const WorkerInfo& worker : runtime.workers) {
      flows += worker.counters->flows.Get();
      capacity += worker.counters->flow_capacity.Get();
    }
    beat.set_flows(flows);
    beat.set_flow_capacity(capacity);
    beat.set_unknown_devices(reporter.unknown_devices());
    return beat;
  }

  const GatewayRuntime runtime;
  const AgentOptions options;
  const std::string instance = RandomInstance();
  AgentState state;
  FlowReporter reporter;
  GatewayMetrics metrics;
  PolicyEnforcer enforcer;
  StatusService status;
  std::unique_ptr<ControllerLink> link;  // null without a controller
};

GatewayAgent::GatewayAgent(GatewayRuntime runtime, AgentOptions options)
    : impl_(std::make_unique<Impl>(std::move(runtime), std::move(options))) {}

GatewayAgent::~GatewayAgent() { Stop(); }

std::vector<std::string> GatewayAgent::PublishStored() { return impl_->enforcer.PublishStored(); }

bool GatewayAgent::Start(std::string& error) {
  if (!impl_->options.status_socket.empty() &&
      !impl_->status.Start(impl_->options.status_socket, error)) {
    return false;
  }
  impl_->reporter.Start();
  impl_->enforcer.Start();
  if (impl_->link) impl_->link->Start();
  return true;
}

void GatewayAgent::Stop() {
  if (impl_->link) impl_->link->Stop();
  impl_->enforcer.Stop();
  impl_->status.Stop();
  impl_->reporter.Stop();
}

std::string GatewayAgent::RenderMetrics() { return impl_->metrics.Render(); }

std::optional<std::string> GatewayAgent::Unhealthy() const {
  const AgentSnapshot state = impl_->state.Snapshot();
  const auto workers = state.alarms.find("workers");
  if (workers != state.alarms.end()) return workers->second;
  if (state.generation == 0) return "no policy is enforced: everything is denied";
  return std::nullopt;
}

}  // namespace cordon::dp

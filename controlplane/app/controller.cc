// SPDX-License-Identifier: Apache-2.0
#include "controlplane/app/controller.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "spdlog/spdlog.h"

namespace cordon::cp {
namespace {

constexpr char kDatabase[] = "controller.db";

std::unique_ptr<Engine> OpenEngine(const ControllerConfig& config, std::string& error) {
  std::error_code failure;
  std::filesystem::create_directories(config.state_directory, failure);
  if (failure) {
    error = "state_directory " + config.state_directory + ": cannot be made: " + failure.message();
    return nullptr;
  }
  const std::string path = (std::filesystem::path(config.state_directory) / kDatabase).string();
  auto store = OpenSqliteStore({.path = path});
  if (!store.ok()) {
    error =
        "state_directory " + config.state_directory + ": " + std::string(store.status().message());
    return nullptr;
  }
  auto engine = Engine::Open(*std::move(store));
  if (!engine.ok()) {
    error =
        "state_directory " + config.state_directory + ": " + std::string(engine.status().message());
    return nullptr;
  }
  for (const InputFault& fault : (*engine)->startup_faults()) {
    spdlog::error("the stored configuration is not sound: {}: {}", fault.place, fault.message);
  }
  if (!(*engine)->startup_faults().empty()) {
    spdlog::error("gateways keep what they enforce; nothing is pushed until a sound change");
  }
  return *std::move(engine);
}

}  // namespace

std::unique_ptr<Controller> Controller::Start(const ControllerConfig& config, std::string& error) {
  std::unique_ptr<Controller> controller(new Controller());
  controller->engine_ = OpenEngine(config, error);
  if (!controller->engine_) return nullptr;
  if (!controller->StartServer(config, error)) return nullptr;
  if (!controller->StartHttp(config, error)) return nullptr;
  const auto snapshot = controller->engine_->Current();
  spdlog::info("cordon-controller {} runs: generation {}, {} gateways, {} devices", CORDON_VERSION,
               snapshot->generation, snapshot->configuration.gateways.size(),
               snapshot->configuration.devices.size());
  return controller;
}

bool Controller::StartServer(const ControllerConfig& config, std::string& error) {
  RpcServerOptions options;
  options.unix_socket = config.unix_socket;
  if (config.tcp) {
    auto made = dp::MakeServerCredentials(config.tcp->address, config.tcp->tls);
    for (const std::string& fault : made.faults) {
      error += (error.empty() ? "listen.tcp.tls: " : "; ") + fault;
    }
    if (!made.credentials) return false;
    options.tcp_address = config.tcp->address;
    options.tcp_credentials = std::move(made.credentials);
  }
  auto server = RpcServer::Start(*engine_, options);
  if (!server.ok()) {
    error = std::string(server.status().message());
    return false;
  }
  server_ = *std::move(server);
  return true;
}

bool Controller::StartHttp(const ControllerConfig& config, std::string& error) {
  if (!config.metrics) return true;
  metrics_ = std::make_unique<ControllerMetrics>(*engine_, server_->counters(), config.tcp);
  dp::HttpHandlers handlers;
  handlers.metrics = [this] { return metrics_->Render(); };
  // The controller answers, so it is healthy; a database that fails is a metric and an error of the
  // change that needed it. Restarting for it would only end sessions.
  handlers.unhealthy = [] { return std::nullopt; };
  http_ = dp::HttpServer::Start(*config.metrics, std::move(handlers), error);
  if (!http_) error = "metrics.listen: " + error;
  return http_ != nullptr;
}

}  // namespace cordon::cp

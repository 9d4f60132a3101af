// SPDX-License-Identifier: Apache-2.0
// The HTTP endpoint of both daemons: GET /metrics for Prometheus, GET /healthz for supervisors.
// One thread of its own; bounded in connections, request size and time, so that neither a slow nor
// a hostile client costs the daemon more than one connection of the bound.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace cordon::dp {

struct HttpServerOptions {
  std::string address = "127.0.0.1";        // IPv4 or IPv6 address; nothing else is bound
  uint16_t l4_port = 0;                     // 0: any free one, see HttpServer::l4_port
  size_t max_connections = 64;              // further ones are closed at once
  std::chrono::milliseconds timeout{5000};  // for a request to arrive, and for an answer to leave
  // Scrapes within this time of each other share one rendering.
  std::chrono::milliseconds metrics_age{100};
};

// Called on the server's thread.
struct HttpHandlers {
  std::function<std::string()> metrics;  // Prometheus text format
  // nullopt: healthy; else why not, in a sentence.
  std::function<std::optional<std::string>()> unhealthy;
};

class HttpServer {
 public:
  // Binds and starts. Null, with the reason in `error`, if the address cannot be bound.
  static std::unique_ptr<HttpServer> Start(const HttpServerOptions& options, HttpHandlers handlers,
                                           std::string& error);
  ~HttpServer();  // stops and joins
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t l4_port() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// "127.0.0.1:9464" or "[::1]:9464" into options; false if it is neither.
bool ParseListenAddress(const std::string& text, HttpServerOptions& options);

}  // namespace cordon::dp

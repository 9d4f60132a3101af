// SPDX-License-Identifier: Apache-2.0
// gateway.yaml as plain values. Every key is explained in configs/gateway.yaml; the defaults there
// and here are compared by a test.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/daemon/http_server.h"
#include "dataplane/daemon/tls_credentials.h"
#include "dataplane/flow/table.h"
#include "dataplane/io/options.h"
#include "dataplane/yaml/strict_yaml.h"

namespace cordon::dp {

struct GatewayConfig {
  IoOptions io;                    // gateway, pairs, workers, memory, mtu
  std::string controller_address;  // empty: no controller
  std::optional<TlsFiles> tls;
  std::string state_directory = "/var/lib/cordon";
  size_t flow_capacity = 262'144;  // of one worker
  FlowTimeouts timeouts;
  std::chrono::nanoseconds adopt_grace = std::chrono::seconds(30);
  std::optional<HttpServerOptions> metrics;                // absent: none
  std::string status_socket = "/run/cordon/gateway.sock";  // empty: none
  std::string log_level = "info";

  std::vector<std::string> PairNames() const;
};

struct ConfigResult {
  GatewayConfig config;
  std::vector<YamlFault> faults;  // all of them; if there are any, config must not be used
};

// Reads a configuration. `name` is what faults call the file. Touches nothing but the text.
ConfigResult ParseGatewayConfig(const std::string& name, std::string_view text);
// The same from disk.
ConfigResult ReadGatewayConfig(const std::string& path);

}  // namespace cordon::dp

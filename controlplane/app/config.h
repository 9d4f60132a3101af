// SPDX-License-Identifier: Apache-2.0
// controller.yaml as plain values. Every key is explained in configs/controller.yaml; the defaults
// there and here are compared by a test.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/daemon/http_server.h"
#include "dataplane/daemon/tls_credentials.h"
#include "dataplane/yaml/strict_yaml.h"

namespace cordon::cp {

struct TcpListen {
  std::string address;
  dp::TlsFiles tls;
};

struct ControllerConfig {
  std::string unix_socket = "/run/cordon/controller.sock";  // empty: none
  std::optional<TcpListen> tcp;
  std::string state_directory = "/var/lib/cordon-controller";
  std::optional<dp::HttpServerOptions> metrics;  // absent: none
  std::string log_level = "info";
};

struct ConfigResult {
  ControllerConfig config;
  std::vector<dp::YamlFault> faults;  // all of them; if there are any, config must not be used
};

// Reads a configuration. `name` is what faults call the file. Touches nothing but the text.
ConfigResult ParseControllerConfig(const std::string& name, std::string_view text);
// The same from disk.
ConfigResult ReadControllerConfig(const std::string& path);

}  // namespace cordon::cp

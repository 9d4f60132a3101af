// SPDX-License-Identifier: Apache-2.0
#include "controlplane/app/config.h"

#include <array>
#include <utility>

#include "dataplane/daemon/logging.h"

namespace cordon::cp {
namespace {

constexpr char kDefaultMetricsListen[] = "127.0.0.1:9465";
constexpr char kOff[] = "off";

class Reader {
 public:
  explicit Reader(ControllerConfig& config) : config_(config) {}

  void Read(const dp::YamlNode& document) {
    dp::YamlMap map = document.AsMap();
    ReadListen(document, map.Map("listen"));
    config_.state_directory = map.String("state_directory", config_.state_directory);
    ReadMetrics(map.Map("metrics"));
    ReadLog(map.Map("log"));
  }

 private:
  void ReadListen(const dp::YamlNode& document, dp::YamlMap map) {
    const std::string socket = map.String("unix", config_.unix_socket);
    config_.unix_socket = socket == kOff ? "" : socket;
    if (const auto node = map.Find("tcp")) ReadTcp(*node);
    if (config_.unix_socket.empty() && !config_.tcp) {
      document.Fail("listen: with unix off and no tcp nobody could reach the controller");
    }
  }

  void ReadTcp(const dp::YamlNode& node) {
    dp::YamlMap map = node.AsMap();
    TcpListen tcp;
    tcp.address = map.RequiredString("address");
    if (!tcp.address.empty() && tcp.address.rfind(':') == std::string::npos) {
      node.Fail("address '" + tcp.address + "' has no L4 port: ADDRESS:PORT, such as 0.0.0.0:9443");
    }
    const auto tls = map.Find("tls");
    if (tls) {
      dp::YamlMap files = tls->AsMap();
      tcp.tls = {.ca = files.RequiredString("ca"),
                 .certificate = files.RequiredString("certificate"),
                 .key = files.RequiredString("key")};
    } else {
      node.Fail(
          "TCP is only served with mutual TLS: give tls: {ca, certificate, key} "
          "(scripts/make-certificates makes them for a lab)");
    }
    config_.tcp = std::move(tcp);
  }

  void ReadMetrics(dp::YamlMap map) {
    const auto node = map.Find("listen");
    const std::string text = node ? node->AsString().value_or("") : kDefaultMetricsListen;
    if (text == kOff) return;
    dp::HttpServerOptions options;
    if (dp::ParseListenAddress(text, options)) {
      config_.metrics = options;
    } else if (node) {
      node->Fail("'" + text + "' is not ADDRESS:PORT, such as 127.0.0.1:9465, nor off");
    }
  }

  void ReadLog(dp::YamlMap map) {
    constexpr std::array<const char*, 5> kNames = {"trace", "debug", "info", "warn", "error"};
    const size_t info = 2;
    config_.log_level =
        kNames[map.OneOf("level", {"trace", "debug", "info", "warn", "error"}, info)];
  }

  ControllerConfig& config_;
};

ConfigResult ReadFile(dp::YamlFile file) {
  ConfigResult result;
  if (file.documents().size() > 1) file.Fail("has more than one document; a controller has one");
  if (!file.documents().empty()) {
    Reader(result.config).Read(file.documents().front());
  } else if (file.faults().empty()) {
    file.Fail("is empty; see configs/controller.yaml for what belongs there");
  }
  result.faults = file.faults();
  return result;
}

}  // namespace

ConfigResult ParseControllerConfig(const std::string& name, std::string_view text) {
  return ReadFile(dp::YamlFile::Parse(name, text));
}

ConfigResult ReadControllerConfig(const std::string& path) {
  return ReadFile(dp::YamlFile::Read(path));
}

}  // namespace cordon::cp

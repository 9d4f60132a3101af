// SPDX-License-Identifier: Apache-2.0
#include "dataplane/app/config.h"

#include <algorithm>
#include <map>
#include <utility>

#include "dataplane/daemon/logging.h"
#include "dataplane/policy/slot.h"
#include "dataplane/telemetry/counters.h"

namespace cordon::dp {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kMaxNameLength = 63;
constexpr int64_t kMaxCpu = 1023;

bool IsName(std::string_view text) {
  const auto is_inner = [](unsigned char c) {
    return isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= kMaxNameLength &&
         isalnum(static_cast<unsigned char>(text.front())) != 0 &&
         std::all_of(text.begin(), text.end(), is_inner);
}

std::string ReadName(YamlMap& map, std::string_view key) {
  const auto node = map.Require(key);
  const auto text = node ? node->AsString() : std::nullopt;
  if (!text) return {};
  if (!IsName(*text)) {
    node->Fail("'" + *text +
               "' is not a name: 1 to 63 letters, digits, '-', '_' or '.', beginning with a letter "
               "or digit");
  }
  return *text;
}

// A path or address that a scalar `off` switches off.
std::string ReadUnlessOff(YamlMap& map, std::string_view key, const std::string& fallback) {
  const std::string text = map.String(key, fallback);
  return text == "off" ? std::string() : text;
}

class Reader {
 public:
  explicit Reader(GatewayConfig& config) : config_(config) {}

  void Read(const YamlNode& document) {
    YamlMap map = document.AsMap();
    config_.io.gateway = ReadName(map, "gateway");
    ReadController(map);
    config_.state_directory = map.String("state_directory", config_.state_directory);
    ReadPairs(map);
    ReadWorkers(map);
    ReadMemory(map.Map("memory"));
    config_.io.mtu = static_cast<size_t>(
        map.Integer("mtu", static_cast<int64_t>(config_.io.mtu), {.min = 576, .max = 9216}));
    ReadTimeouts(map.Map("timeouts"));
    config_.adopt_grace =
        map.Duration("adopt_grace", config_.adopt_grace, {seconds(0), seconds(3600)});
    ReadMetrics(map.Map("metrics"));
    config_.status_socket = ReadUnlessOff(map, "status_socket", config_.status_socket);
    ReadLog(map.Map("log"));
  }

 private:
  void ReadController(YamlMap& top) {
    const auto node = top.Find("controller");
    if (!node) return;
    YamlMap map = node->AsMap();
    config_.controller_address = map.RequiredString("address");
    if (auto tls = map.Find("tls")) {
      YamlMap files = tls->AsMap();
      config_.tls = TlsFiles{.ca = files.RequiredString("ca"),
                             .certificate = files.RequiredString("certificate"),
                             .key = files.RequiredString("key")};
    }
    const std::string& address = config_.controller_address;
    if (address.empty() || IsUnixAddress(address)) return;
    if (address.rfind(':') == std::string::npos) {
      node->Fail("address '" + address + "' has no L4 port: HOST:PORT or unix:/PATH");
    }
    if (!config_.tls) {
      node->Fail("a controller over TCP needs mutual TLS: give tls: {ca, certificate, key}");
    }
  }

  void ReadPairs(YamlMap& top) {
    const auto list = top.Require("pairs");
    if (!list) return;
    const std::vector<YamlNode> nodes = list->AsList();
    if (list->IsList() && nodes.empty()) list->Fail("at least one pair is needed");
    if (nodes.size() > kMaxCountedPairs) {
      list->Fail(std::to_string(nodes.size()) + " pairs; a gateway has at most " +
                 std::to_string(kMaxCountedPairs));
    }
    std::map<std::string, std::string> names;
    for (const YamlNode& node : nodes) {
      YamlMap map = node.AsMap();
      PairOptions pair;
      pair.name = ReadName(map, "name");
      Unique(names, pair.name, node, "the name '" + pair.name + "'");
      pair.sides[0] = ReadPort(map, "device_side");
      pair.sides[1] = ReadPort(map, "network_side");
      pair.workers =
          static_cast<uint16_t>(map.Integer("workers", 1, {.min = 1, .max = kMaxWorkers}));
      const auto propagation = map.Find("link_propagation");
      pair.link_propagation = propagation && propagation->AsOneOf({"off", "on"}) == 1;
      config_.io.pairs.push_back(std::move(pair));
    }
  }

  PortOptions ReadPort(YamlMap& pair, std::string_view key) {
    PortOptions options;
    const auto node = pair.Require(key);
    if (!node) return options;
    options.key = node->path();
    YamlMap map = node->AsMap();
    options.interface = map.String("interface");
    options.port = map.String("port");
    const auto driver = map.Find("driver");
    if (driver && driver->AsOneOf({"af_packet", "af_xdp"}) == 1) {
      options.driver = PortOptions::Driver::kAfXdp;
    }
    if (!node->IsMap()) return options;
    if (options.interface.empty() == options.port.empty()) {
      node->Fail(
          "exactly one of 'interface' (of the kernel) and 'port' (PCI address or DPDK device "
          "string) is needed");
    } else if (driver && options.interface.empty()) {
      driver->Fail("only an 'interface' has a driver; a 'port' names its own");
    }
    const std::string device = options.interface + options.port;
    Unique(ports_, device.substr(0, device.find(',')), *node, "'" + device + "'");
    return options;
  }

  void ReadWorkers(YamlMap& top) {
    YamlMap map = top.Map("workers");
    if (const auto list = map.Require("cores")) {
      std::map<std::string, std::string> cpus;
      for (const YamlNode& node : list->AsListOrOne()) {
        const auto cpu = node.AsInteger({.min = 0, .max = kMaxCpu});
        if (!cpu) continue;
        Unique(cpus, std::to_string(*cpu), node, "core " + std::to_string(*cpu));
        config_.io.cores.push_back(static_cast<uint32_t>(*cpu));
      }
      CheckWorkerCount(*list);
    }
    config_.flow_capacity = static_cast<size_t>(
        map.Integer("flow_capacity", static_cast<int64_t>(config_.flow_capacity),
                    {.min = 1024, .max = int64_t{1} << 27}));
    if (const auto node = map.Find("idle_backoff")) ReadBackoff(*node);
  }

  void CheckWorkerCount(const YamlNode& list) {
    const size_t workers = config_.io.cores.size();
    size_t work = 0;
    for (size_t i = 0; i < config_.io.pairs.size(); ++i) {
      const size_t wanted = config_.io.pairs[i].workers;
      work += wanted;
      if (wanted <= workers) continue;
      list.Fail("pairs[" + std::to_string(i) + "].workers: " + std::to_string(wanted) +
                " workers for one pair, but only " + std::to_string(workers) + " cores");
    }
    if (workers == 0) list.Fail("at least one core is needed");
    if (workers > kMaxWorkers) {
      list.Fail("at most " + std::to_string(kMaxWorkers) + " cores can work");
    } else if (work != 0 && workers > work) {
      list.Fail(std::to_string(workers) + " cores, but the pairs have work for " +
                std::to_string(work) + ": drop cores, or raise pairs[].workers");
    }
  }

  void ReadBackoff(const YamlNode& node) {
    if (node.IsScalar()) {
      node.AsOneOf({"off"});
      return;
    }
    YamlMap map = node.AsMap();
    IdleBackoff& backoff = config_.io.idle_backoff;
    backoff.after_polls =
        static_cast<uint32_t>(map.Integer("after_polls", 1000, {.min = 1, .max = 1'000'000'000}));
    // A worker that sleeps sees a new policy when it wakes: hence the upper end.
    backoff.max_sleep = std::chrono::duration_cast<microseconds>(
        map.Duration("max_sleep", backoff.max_sleep, {microseconds(1), milliseconds(1)}));
  }

  void ReadMemory(YamlMap map) {
    IoOptions& io = config_.io;
    io.hugepages = map.Bool("hugepages", io.hugepages);
    io.megabytes = static_cast<size_t>(map.Integer("megabytes", static_cast<int64_t>(io.megabytes),
                                                   {.min = 64, .max = 1'048'576}));
    io.mbufs = static_cast<size_t>(map.Integer("mbufs", 0, {.min = 1024, .max = int64_t{1} << 26}));
  }

  void ReadTimeouts(YamlMap map) {
    FlowTimeouts& t = config_.timeouts;
    for (auto [key, value] :
         {std::pair{"tcp_half_open", &t.tcp_half_open},
          std::pair{"tcp_established", &t.tcp_established},
          std::pair{"tcp_closing", &t.tcp_closing}, std::pair{"tcp_closed", &t.tcp_closed},
          std::pair{"udp", &t.udp}, std::pair{"icmp", &t.icmp}}) {
      // Flow ages are kept in 32-bit milliseconds: 49 days is what fits.
      const auto duration =
          map.Duration(key, seconds(*value), {seconds(1), std::chrono::hours(24 * 30)});
      *value = static_cast<uint32_t>(std::chrono::duration_cast<seconds>(duration).count());
    }
  }

  void ReadMetrics(YamlMap map) {
    const auto node = map.Find("listen");
    const std::string text = node ? node->AsString().value_or("") : "127.0.0.1:9464";
    if (text == "off" || (node && !node->IsScalar())) return;
    HttpServerOptions options;
    if (!ParseListenAddress(text, options)) {
      node->Fail("'" + text + "' is not an address to listen at: IP:PORT, [IPV6]:PORT or off");
    }
    config_.metrics = options;
  }

  void ReadLog(YamlMap map) {
    const auto node = map.Find("level");
    if (!node) return;
    if (node->AsOneOf({"trace", "debug", "info", "warn", "error"})) {
      config_.log_level = *node->AsString();
    }
  }

  // Records `value` as taken by `node`; a fault if it is already.
  static void Unique(std::map<std::string, std::string>& taken, const std::string& value,
                     const YamlNode& node, const std::string& what) {
    if (value.empty()) return;
    const auto [other, fresh] = taken.emplace(value, node.path());
    if (!fresh) node.Fail(what + " is already used by " + other->second);
  }

  GatewayConfig& config_;
  std::map<std::string, std::string> ports_;
};

ConfigResult ReadFrom(YamlFile file) {
  ConfigResult result;
  if (file.documents().size() == 1) {
    Reader(result.config).Read(file.documents().front());
  } else if (file.faults().empty()) {
    file.Fail("one document is expected, found " + std::to_string(file.documents().size()));
  }
  result.faults = file.faults();
  return result;
}

}  // namespace

std::vector<std::string> GatewayConfig::PairNames() const {
  std::vector<std::string> names;
  for (const PairOptions& pair : io.pairs) names.push_back(pair.name);
  return names;
}

ConfigResult ParseGatewayConfig(const std::string& name, std::string_view text) {
  return ReadFrom(YamlFile::Parse(name, text));
}

ConfigResult ReadGatewayConfig(const std::string& path) { return ReadFrom(YamlFile::Read(path)); }

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// cordon-replay: captures in, a verdict a frame out, by the gateway's own pipeline. No port, no
// root.
#include <getopt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controlplane/documents/documents.h"
#include "controlplane/policy/assemble.h"
#include "dataplane/replay/replay.h"

namespace cordon {
namespace {

constexpr int kDone = 0, kUndecided = 1, kBadInput = 2;

constexpr char kUsage[] =
    "usage: cordon-replay --policy FILE_OR_DIR --gateway NAME --pair NAME\n"
    "                     [--device-side A.pcap] [--network-side B.pcap]\n"
    "                     [--adopt-grace SECONDS] [--flows COUNT] [--json]\n";

constexpr char kHelp[] =
    R"(
Decides every frame of a capture as the gateway would: same parser, same flow table, same rules.
Needs no network port and no root, and changes nothing.

  --policy FILE_OR_DIR   policy documents (YAML), as given to 'cordonctl apply -f'; a directory is
                         read with everything below it. May be given more than once.
  --gateway NAME         the gateway whose policy decides
  --pair NAME            the pair of that gateway that the frames came in on
  --device-side FILE     capture (pcap or pcapng, Ethernet) of what came from the devices
  --network-side FILE    capture of what came from the hospital network
                         At least one of them. Two are merged by time; at the same time the
                         device side is first.
  --adopt-grace SECONDS  how long after the first frame running connections are taken over
                         mid-stream where a rule allows them, as a gateway does after its start.
                         Default 0: a connection must begin in the capture.
  --flows COUNT          capacity of the flow table (default 262144)
  --json                 one JSON object a frame, and no summary:
    {"frame":1,"side":"device","verdict":"forward","reason":"rule","device":"ct-2","rule":"ct-scanner/store-images"}
                         verdict is forward, audit or drop; device and rule are "" where there is
                         none. frame counts the merged captures from 1.

Exit: 0 every frame was decided, 2 usage, or a policy or capture that cannot be read (the message
names the place), 1 a frame was left undecided (a bug: please report it).

Example: what would enforcing this policy have done to yesterday's traffic?
  cordon-replay --policy policy/ --gateway radiology-1 --pair ct-suite \
      --device-side yesterday-devices.pcap --network-side yesterday-network.pcap
)";

struct Options {
  std::vector<std::string> policies;
  std::string gateway, pair, device_side, network_side;
  uint64_t adopt_grace_seconds = 0;
  uint64_t flows = 262'144;
  bool json = false;
};

int UsageError(const std::string& what) {
  std::fprintf(stderr, "cordon-replay: %s\n%sTry 'cordon-replay --help'.\n", what.c_str(), kUsage);
  return kBadInput;
}

int PrintFaults(const std::vector<cp::InputFault>& faults) {
  for (const cp::InputFault& fault : faults) {
    std::fprintf(stderr, "%s: %s\n", fault.place.c_str(), fault.message.c_str());
  }
  std::fprintf(stderr, "cordon-replay: the policy has %zu fault%s; nothing was replayed\n",
               faults.size(), faults.size() == 1 ? "" : "s");
  return kBadInput;
}

bool ParseNumber(std::string_view text, uint64_t min, uint64_t max, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= min && value <= max;
}

// nullopt: `exit_code` says how the program ends.
std::optional<Options> ParseOptions(int argc, char** argv, int& exit_code) {
  const option kLong[] = {{"policy", required_argument, nullptr, 'p'},
                          {"gateway", required_argument, nullptr, 'g'},
                          {"pair", required_argument, nullptr, 'i'},
                          {"device-side", required_argument, nullptr, 'd'},
                          {"network-side", required_argument, nullptr, 'n'},
                          {"adopt-grace", required_argument, nullptr, 'a'},
                          {"flows", required_argument, nullptr, 'f'},
                          {"json", no_argument, nullptr, 'j'},
                          {"help", no_argument, nullptr, 'h'},
                          {nullptr, 0, nullptr, 0}};
  Options options;
  std::map<int, std::string*> texts = {{'g', &options.gateway},
                                       {'i', &options.pair},
                                       {'d', &options.device_side},
                                       {'n', &options.network_side}};
  exit_code = kBadInput;
  opterr = 0;
  int given;
  while ((given = getopt_long(argc, argv, ":h", kLong, nullptr)) != -1) {
    if (const auto text = texts.find(given); text != texts.end()) {
      if (!text->second->empty()) {
        UsageError(std::string("given twice: ") + argv[optind - 1]);
        return std::nullopt;
      }
      *text->second = optarg;
    } else if (given == 'p') {
      options.policies.push_back(optarg);
    } else if (given == 'j') {
      options.json = true;
    } else if (given == 'h') {
      std::printf("%s%s", kUsage, kHelp);
      exit_code = kDone;
      return std::nullopt;
    } else if (given == 'a' || given == 'f') {
      const bool grace = given == 'a';
      if (!ParseNumber(optarg, grace ? 0 : 1, grace ? 86'400 : 67'108'864,
                       grace ? options.adopt_grace_seconds : options.flows)) {
        UsageError(std::string(grace
                                   ? "--adopt-grace is a whole number of seconds, 0 to 86400, not "
                                   : "--flows is a whole number, 1 to 67108864, not ") +
                   optarg);
        return std::nullopt;
      }
    } else {
      UsageError(std::string(given == ':' ? "a value is missing behind " : "unknown option ") +
                 argv[optind - 1]);
      return std::nullopt;
    }
  }
  if (optind < argc) {
    UsageError(std::string("unexpected argument ") + argv[optind]);
  } else if (options.policies.empty()) {
    UsageError("--policy is missing");
  } else if (options.gateway.empty() || options.pair.empty()) {
    UsageError(options.gateway.empty() ? "--gateway is missing" : "--pair is missing");
  } else if (options.device_side.empty() && options.network_side.empty()) {
    UsageError("no capture: give --device-side, --network-side or both");
  } else {
    return options;
  }
  return std::nullopt;
}

template <typename Map>
std::string Names(const Map& map) {
  std::string names;
  for (const auto& [name, value] : map) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "(none)" : names;
}

// The compiled policy and the pair's number in it, or the faults.
struct Loaded {
  std::unique_ptr<dp::PolicyTable> table;
  uint16_t pair = 0;
  std::vector<cp::InputFault> faults;
};

Loaded LoadPolicy(const Options& options) {
  Loaded loaded;
  std::vector<cp::DocumentSource> sources;
  for (const std::string& path : options.policies) {
    for (auto& source : cp::ReadDocumentFiles(path, loaded.faults)) {
      sources.push_back(std::move(source));
    }
  }
  cp::ParsedDocuments parsed = cp::ParseDocuments(sources);
  loaded.faults.insert(loaded.faults.end(), parsed.faults.begin(), parsed.faults.end());
  if (!loaded.faults.empty()) return loaded;
  const cp::Configuration configuration = cp::Merge({}, parsed);
  loaded.faults = cp::Check(configuration, parsed.places).faults;
  if (!loaded.faults.empty()) return loaded;

  const auto gateway = configuration.gateways.find(options.gateway);
  if (gateway == configuration.gateways.end()) {
    loaded.faults.push_back({"--gateway", "the policy has no Gateway '" + options.gateway +
                                              "'; it has: " + Names(configuration.gateways)});
    return loaded;
  }
  dp::CompileResult compiled = dp::Compile(cp::Assemble(configuration, options.gateway, 1));
  for (const dp::Fault& fault : compiled.faults) {
    loaded.faults.push_back({fault.path, fault.message});
  }
  if (compiled.table == nullptr) return loaded;
  const int pair = compiled.table->PairNumber(options.pair);
  if (pair < 0) {
    std::string pairs;
    for (const std::string& name : gateway->second.pairs) pairs += " " + name;
    loaded.faults.push_back({"--pair", "gateway '" + options.gateway + "' has no pair '" +
                                           options.pair + "'; it has:" + pairs});
    return loaded;
  }
  loaded.pair = static_cast<uint16_t>(pair);
  loaded.table = std::move(compiled.table);
  return loaded;
}

// Prints what became of each frame, and sums it up.
class Printer {
 public:
  explicit Printer(const Options& options) : json_(options.json) {
    if (!json_) {
      std::printf("%8s %12s %-7s %-7s %-26s %-16s %s\n", "FRAME", "SECONDS", "SIDE", "VERDICT",
                  "REASON", "DEVICE", "RULE");
    }
  }

  void Print(const dp::ReplayedFrame& frame) {
    const dp::Verdict verdict = frame.decision.verdict;
    const dp::Reason reason = frame.decision.reason;
    ++counts_[static_cast<size_t>(verdict)][static_cast<size_t>(reason)];
    if (frame.number == 1) first_ns_ = frame.time_ns;
    line_.clear();
    if (json_) {
      AppendJson(frame);
    } else {
      const double seconds =
          (static_cast<double>(frame.time_ns) - static_cast<double>(first_ns_)) / 1e9;
      char text[160];
      std::snprintf(text, sizeof text, "%8" PRIu64 " %12.6f %-7.8s %-7.8s %-26.32s ", frame.number,
                    seconds, dp::ToString(frame.side).data(), dp::ToString(verdict).data(),
                    dp::ToString(reason).data());
      line_ += text;
      line_ += frame.device.empty() ? "-" : frame.device;
      if (frame.device.size() < 16)
        line_.append(16 - std::max<size_t>(frame.device.size(), 1), ' ');
      line_ += ' ';
      line_ += frame.rule.empty() ? "-" : frame.rule;
    }
    line_ += '\n';
    std::fwrite(line_.data(), 1, line_.size(), stdout);
  }

  // The exit code.
  int Finish() {
    if (!json_) PrintSummary();
    uint64_t undecided = 0;
    for (const auto& by_reason : counts_) {
      undecided += by_reason[static_cast<size_t>(dp::Reason::kUndecided)];
    }
    if (undecided != 0) {
      std::fprintf(stderr, "cordon-replay: %" PRIu64 " frames were left undecided (a bug)\n",
                   undecided);
      return kUndecided;
    }
    return kDone;
  }

 private:
  // Names of devices and rules, reasons and verdicts are all of characters that JSON need not
  // escape.
  void AppendJson(const dp::ReplayedFrame& frame) {
    line_ += "{\"frame\":";
    line_ += std::to_string(frame.number);
    AppendField("side", dp::ToString(frame.side));
    AppendField("verdict", dp::ToString(frame.decision.verdict));
    AppendField("reason", dp::ToString(frame.decision.reason));
    AppendField("device", frame.device);
    AppendField("rule", frame.rule);
    line_ += '}';
  }
  void AppendField(std::string_view key, std::string_view value) {
    line_ += ",\"";
    line_ += key;
    line_ += "\":\"";
    line_ += value;
    line_ += '"';
  }

  void PrintSummary() const {
    std::printf("\n%-8s %-30s %10s\n", "VERDICT", "REASON", "FRAMES");
    uint64_t total = 0;
    for (const dp::Verdict verdict :
         {dp::Verdict::kForward, dp::Verdict::kAudit, dp::Verdict::kDrop}) {
      const auto& by_reason = counts_[static_cast<size_t>(verdict)];
      for (size_t reason = 0; reason < dp::kReasonCount; ++reason) {
        if (by_reason[reason] == 0) continue;
        total += by_reason[reason];
        std::printf("%-8s %-30s %10" PRIu64 "\n", dp::ToString(verdict).data(),
                    dp::ToString(static_cast<dp::Reason>(reason)).data(), by_reason[reason]);
      }
    }
    std::printf("%-39s %10" PRIu64 "\n", "total", total);
  }

  const bool json_;
  uint64_t first_ns_ = 0;
  std::string line_;
  std::array<std::array<uint64_t, dp::kReasonCount>, dp::kVerdictCount> counts_{};
};

bool OpenCaptures(const Options& options, dp::MergedCapture& captures) {
  bool opened = true;
  const std::pair<dp::Side, const std::string*> given[] = {
      {dp::Side::kDevice, &options.device_side}, {dp::Side::kNetwork, &options.network_side}};
  for (const auto& [side, path] : given) {
    if (path->empty()) continue;
    std::string error;
    auto reader = dp::CaptureReader::Open(*path, side, error);
    if (reader == nullptr) {
      std::fprintf(stderr, "cordon-replay: %s\n", error.c_str());
      opened = false;
    }
    captures.Add(side, std::move(reader));
  }
  return opened;
}

int Run(const Options& options) {
  Loaded loaded = LoadPolicy(options);
  dp::MergedCapture captures;
  const bool opened = OpenCaptures(options, captures);
  if (!loaded.faults.empty()) return PrintFaults(loaded.faults);
  if (!opened) return kBadInput;

  Printer printer(options);
  dp::Replay replay(std::move(loaded.table),
                    {.pair = loaded.pair,
                     .adopt_grace_ns = options.adopt_grace_seconds * 1'000'000'000,
                     .flow_capacity = options.flows},
                    [&](const dp::ReplayedFrame& frame) { printer.Print(frame); });
  dp::CapturedFrame frame;
  dp::ReadResult result;
  while ((result = captures.Next(frame)) == dp::ReadResult::kFrame) replay.Add(std::move(frame));
  replay.Finish();
  int exit_code = printer.Finish();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fprintf(stderr, "cordon-replay: cannot write the output: %s\n", std::strerror(errno));
    exit_code = kBadInput;
  }
  if (result == dp::ReadResult::kError) {
    std::fprintf(stderr, "cordon-replay: %s\n", captures.error().c_str());
    exit_code = kBadInput;
  }
  return exit_code;
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  int exit_code = 0;
  try {
    const auto options = cordon::ParseOptions(argc, argv, exit_code);
    if (options) exit_code = cordon::Run(*options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cordon-replay: %s\n", error.what());
    exit_code = cordon::kBadInput;
  }
  return exit_code;
}

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <sched.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <regex>
#include <set>
#include <utility>
#include <vector>

namespace cordon::dp {

// DPDK writes its log to a stream; this stream ends in our logger, and keeps errors for the message
// of whoever caused them.
class Eal::Log {
 public:
  Log() {
    cookie_io_functions_t functions{};
    functions.write = [](void* cookie, const char* text, size_t size) -> ssize_t {
      static_cast<Log*>(cookie)->Write(std::string_view(text, size));
      return static_cast<ssize_t>(size);
    };
    stream_ = fopencookie(this, "w", functions);
    if (stream_ != nullptr) {
      setvbuf(stream_, nullptr, _IOLBF, 0);
      rte_openlog_stream(stream_);
    }
  }
  ~Log() {
    rte_openlog_stream(nullptr);
    if (stream_ != nullptr) fclose(stream_);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  std::string TakeErrors() {
    const std::lock_guard lock(mutex_);
    return std::exchange(errors_, {});
  }

 private:
  static constexpr size_t kMaxErrors = 2000;

  void Write(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    if (text.empty()) return;
    if (rte_log_cur_msg_loglevel() > static_cast<int>(RTE_LOG_ERR)) {
      spdlog::debug("dpdk: {}", text);
      return;
    }
    spdlog::warn("dpdk: {}", text);
    const std::lock_guard lock(mutex_);
    if (errors_.size() + text.size() > kMaxErrors) return;
    if (!errors_.empty()) errors_ += "; ";
    errors_ += text;
  }

  FILE* stream_ = nullptr;
  std::mutex mutex_;  // guards errors_
  std::string errors_;
};

namespace {

size_t ReadNumber(const std::filesystem::path& path) {
  size_t value = 0;
  std::ifstream(path) >> value;
  return value;
}

// Free hugepage memory of all sizes, in MiB.
size_t FreeHugepageMegabytes() {
  size_t kilobytes = 0;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", ignored)) {
    const std::string name = entry.path().filename();  // hugepages-2048kB
    std::smatch match;
    if (!std::regex_match(name, match, std::regex("hugepages-([0-9]+)kB"))) continue;
    kilobytes += ReadNumber(entry.path() / "free_hugepages") * std::stoul(match[1]);
  }
  return kilobytes / 1024;
}

std::string CheckHugepages(const IoOptions& options) {
  const size_t free = FreeHugepageMegabytes();
  if (!options.hugepages || free >= options.megabytes) return {};
  const size_t missing = (options.megabytes - free + 1) / 2;
  const size_t present = ReadNumber("/proc/sys/vm/nr_hugepages");
  return "memory.megabytes: " + std::to_string(options.megabytes) + " MiB of hugepages wanted, " +
         std::to_string(free) + " MiB are free: " + std::to_string(missing) +
         " pages of 2 MiB are missing. Reserve them (sysctl vm.nr_hugepages=" +
         std::to_string(present + missing) +
         "), or set memory.hugepages: false (slower; fine for interfaces of the kernel)";
}

std::set<unsigned> AllowedCpus() {
  std::set<unsigned> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.insert(cpu);
  }
  return cpus;
}

template <typename Numbers>
std::string Join(const Numbers& numbers) {
  std::string text;
  for (const unsigned number : numbers) text += (text.empty() ? "" : ",") + std::to_string(number);
  return text;
}

std::string CheckCores(const IoOptions& options, const std::set<unsigned>& allowed) {
  for (const unsigned cpu : options.cores) {
    if (!allowed.contains(cpu)) {
      return "workers.cores: core " + std::to_string(cpu) +
             " is not there or not given to this process; it may use " + Join(allowed);
    }
  }
  return {};
}

// Lcore 0 is the main thread. It, and every thread it starts later, keeps off the workers' cores
// where there are others.
std::string LcoreMap(const IoOptions& options, const std::set<unsigned>& allowed) {
  std::set<unsigned> others = allowed;
  for (const unsigned cpu : options.cores) others.erase(cpu);
  std::string map = "0@(" + Join(others.empty() ? allowed : others) + ")";
  for (size_t worker = 0; worker < options.cores.size(); ++worker) {
    map += "," + std::to_string(Eal::LcoreOf(worker)) + "@" + std::to_string(options.cores[worker]);
  }
  return map;
}

// Names a directory that stays empty: two gateways of one name do not meet in it.
std::string FilePrefix(const IoOptions& options) {
  std::string prefix = "cordon-" + options.gateway;
  std::replace_if(
      prefix.begin(), prefix.end(), [](unsigned char c) { return isalnum(c) == 0; }, '-');
  return prefix;
}

std::vector<std::string> Arguments(const IoOptions& options, const std::set<unsigned>& allowed) {
  std::vector<std::string> arguments = {"cordon-gateway",
                                        "--lcores=" + LcoreMap(options, allowed),
                                        "--main-lcore=0",
                                        "--file-prefix=" + FilePrefix(options),
                                        "--no-telemetry",
                                        "--iova-mode=va",
                                        "-m",
                                        std::to_string(options.megabytes)};
  if (options.hugepages) {
    // Anonymous memory: nothing is left in hugetlbfs, however the process ends.
    arguments.insert(arguments.end(), {"--in-memory", "--single-file-segments"});
  } else {
    // EAL refuses --in-memory together with --no-huge; this too leaves no files behind.
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
  }
  bool any_pci = false;
  for (const PairOptions& pair : options.pairs) {
    for (const PortOptions& side : pair.sides) {
      if (!IoOptions::IsPciAddress(side.port)) continue;
      arguments.insert(arguments.end(), {"-a", side.port});
      any_pci = true;
    }
  }
  if (!any_pci) arguments.emplace_back("--no-pci");
  return arguments;
}

}  // namespace

bool IoOptions::IsPciAddress(const std::string& port) {
  static const std::regex kPci("([0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]");
  return std::regex_match(port, kPci);
}

Eal::Eal() : log_(std::make_unique<Log>()) {}

std::unique_ptr<Eal> Eal::Start(const IoOptions& options, std::string& error) {
  const std::set<unsigned> allowed = AllowedCpus();
  error = CheckCores(options, allowed);
  if (error.empty()) error = CheckHugepages(options);
  if (!error.empty()) return nullptr;

  std::unique_ptr<Eal> eal(new Eal);
  std::vector<std::string> arguments = Arguments(options, allowed);
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    spdlog::debug("EAL argument: {}", argument);
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  if (rte_eal_init(static_cast<int>(arguments.size()), argv.data()) < 0) {
    const std::string cause = rte_strerror(rte_errno);
    const std::string said = eal->TakeErrors();
    error =
        "memory, workers.cores: DPDK cannot start: " + cause + (said.empty() ? "" : ": ") + said;
    return nullptr;
  }
  eal->runtime_directory_ = rte_eal_get_runtime_dir();
  return eal;
}

Eal::~Eal() {
  if (runtime_directory_.empty()) return;  // never started
  rte_eal_cleanup();
  std::error_code ignored;
  std::filesystem::remove(runtime_directory_, ignored);  // only if empty
}

int Eal::NumaNodeOf(size_t worker) {
  return static_cast<int>(rte_lcore_to_socket_id(LcoreOf(worker)));
}

std::string Eal::TakeErrors() { return log_->TakeErrors(); }

}  // namespace cordon::dp

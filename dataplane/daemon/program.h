// SPDX-License-Identifier: Apache-2.0
// What the mains of both daemons have in common: command line, configuration check, signals, exit
// codes. Everything a daemon is stands in its configuration file, so there are few options.
#pragma once

#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "dataplane/daemon/logging.h"

namespace cordon::dp {

struct Program {
  const char* name;
  const char* version;
  const char* help;
};

struct CommandLine {
  std::string config;
  bool check_only = false;
};

// The exit code if there is nothing more to do: 0 after --help and --version, 1 if this processor
// cannot run the program, 2 for wrong usage, which is explained on stderr.
std::optional<int> ReadCommandLine(const Program& program, int argc, char** argv,
                                   CommandLine& line);

// SIGTERM and SIGINT as something to wait for. Make it before any thread is started, so that all
// threads inherit that they do not see them. SIGPIPE is ignored from then on.
class StopSignals {
 public:
  StopSignals();
  int Await();

 private:
  sigset_t signals_;
};

// A daemon from start to end. `read(file)` gives {config, faults}; `start(config, error)` gives an
// owner of what runs, empty with `error` set if it does not. Returns the exit code of the process.
template <typename Read, typename Start>
int RunProgram(const Program& program, int argc, char** argv, Read read, Start start) {
  CommandLine line;
  if (const auto code = ReadCommandLine(program, argc, argv, line)) return *code;
  const auto result = read(line.config);
  for (const auto& fault : result.faults) {
    std::fprintf(stderr, "%s: %s\n", fault.place.c_str(), fault.message.c_str());
  }
  if (!result.faults.empty()) return 1;
  if (line.check_only) return std::printf("%s: no fault\n", line.config.c_str()), 0;
  ConfigureLogging(result.config.log_level);
  StopSignals signals;
  std::string error;
  const auto running = start(result.config, error);
  if (!running) {
    spdlog::error("{}", error);
    return 1;
  }
  spdlog::info("{}: stopping", strsignal(signals.Await()));
  return 0;
}

}  // namespace cordon::dp

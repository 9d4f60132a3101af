// SPDX-License-Identifier: Apache-2.0
// cordon-gateway: reads the command line, starts the gateway, waits for the signal to stop.
#include <getopt.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "dataplane/app/config.h"
#include "dataplane/app/gateway.h"
#include "dataplane/daemon/logging.h"

namespace {

using namespace cordon::dp;

constexpr char kHelp[] =
    R"(cordon-gateway: stands inline between medical devices and the hospital network, and lets each
device talk only as its allowlist says.

usage: cordon-gateway --config FILE [--check-config]

  --config FILE    what to run as: pairs of ports, worker cores, controller; every key is
                   explained in configs/gateway.yaml
  --check-config   read the file, name every fault with its line, and end; changes nothing
  --version        print the version
  --help           print this

It runs in the foreground and logs to stderr. It enforces the last policy it got from its controller
before it dials the controller; without any policy it denies everything. Nothing passes while it does
not run. SIGTERM or SIGINT ends it.

Look at a running gateway:
  cordonctl --gateway-socket /run/cordon/gateway.sock status
  curl http://127.0.0.1:9464/metrics

exit: 0 ended as asked, 1 could not start (the message names the key), 2 wrong usage
)";

struct CommandLine {
  std::string config;
  bool check_only = false;
};

// The exit code if there is nothing more to do.
int ReadCommandLine(int argc, char** argv, CommandLine& line) {
  const option options[] = {{"config", required_argument, nullptr, 'c'},
                            {"check-config", no_argument, nullptr, 'k'},
                            {"version", no_argument, nullptr, 'v'},
                            {"help", no_argument, nullptr, 'h'},
                            {}};
  for (int choice = 0; (choice = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    if (choice == 'h') return std::fputs(kHelp, stdout), 0;
    if (choice == 'v') return std::printf("cordon-gateway %s\n", CORDON_VERSION), 0;
    if (choice == '?') return std::fputs("see cordon-gateway --help\n", stderr), 2;
    if (choice == 'k') line.check_only = true;
    if (choice == 'c') line.config = optarg;
  }
  if (optind < argc || line.config.empty()) {
    std::fputs("usage: cordon-gateway --config FILE [--check-config]; see --help\n", stderr);
    return 2;
  }
  return -1;
}

int Run(const GatewayConfig& config) {
  // Before any thread is started, so that all inherit it and only sigwait sees them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  std::string error;
  const auto gateway = Gateway::Start(config, error);
  if (!gateway) {
    spdlog::error("{}", error);
    return 1;
  }
  int number = 0;
  sigwait(&signals, &number);
  spdlog::info("{}: stopping", strsignal(number));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  if (const int code = ReadCommandLine(argc, argv, line); code >= 0) return code;
  const ConfigResult read = ReadGatewayConfig(line.config);
  for (const auto& fault : read.faults) {
    std::fprintf(stderr, "%s: %s\n", fault.place.c_str(), fault.message.c_str());
  }
  if (!read.faults.empty()) return 1;
  if (line.check_only) return std::printf("%s: no fault\n", line.config.c_str()), 0;
  ConfigureLogging(read.config.log_level);
  return Run(read.config);
}

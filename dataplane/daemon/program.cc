// SPDX-License-Identifier: Apache-2.0
#include "dataplane/daemon/program.h"

#include <getopt.h>
#include <pthread.h>

namespace cordon::dp {
namespace {

// Compiled for a baseline that an old processor does not have, a program dies of SIGILL somewhere
// in the middle: say it at the start instead.
bool ProcessorSuffices() {
#if defined(__x86_64__) && defined(__AVX2__) && defined(__GNUC__)
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi2") != 0;
#else
  return true;
#endif
}

}  // namespace

std::optional<int> ReadCommandLine(const Program& program, int argc, char** argv,
                                   CommandLine& line) {
  const option options[] = {{"config", required_argument, nullptr, 'c'},
                            {"check-config", no_argument, nullptr, 'k'},
                            {"version", no_argument, nullptr, 'v'},
                            {"help", no_argument, nullptr, 'h'},
                            {}};
  for (int choice = 0; (choice = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    if (choice == 'h') return std::fputs(program.help, stdout), 0;
    if (choice == 'v') return std::printf("%s %s\n", program.name, program.version), 0;
    if (choice == '?') return std::fprintf(stderr, "see %s --help\n", program.name), 2;
    if (choice == 'k') line.check_only = true;
    if (choice == 'c') line.config = optarg;
  }
  if (optind < argc || line.config.empty()) {
    std::fprintf(stderr, "usage: %s --config FILE [--check-config]; see --help\n", program.name);
    return 2;
  }
  if (!ProcessorSuffices()) {
    std::fprintf(stderr,
                 "%s: this processor lacks AVX2, for which the program was built; build it with "
                 "-DCORDON_ARCH=x86-64-v2\n",
                 program.name);
    return 1;
  }
  return std::nullopt;
}

StopSignals::StopSignals() {
  sigemptyset(&signals_);
  for (const int number : {SIGTERM, SIGINT}) sigaddset(&signals_, number);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int StopSignals::Await() {
  int number = 0;
  sigwait(&signals_, &number);
  return number;
}

}  // namespace cordon::dp

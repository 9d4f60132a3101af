// SPDX-License-Identifier: Apache-2.0
// cordonctl: the process around CommandLine. Signals, terminal, standard streams.
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "controlplane/cli/command_line.h"

namespace {

using cordon::cp::cli::ExitCode;
using cordon::cp::cli::Interrupt;
using cordon::cp::cli::Style;

Style StyleOf(int descriptor) {
  Style style;
  if (isatty(descriptor) == 0) return style;
  const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org
  const char* terminal = std::getenv("TERM");
  const bool plain = (no_color != nullptr && *no_color != '\0') ||
                     (terminal != nullptr && std::strcmp(terminal, "dumb") == 0);
  style.color = plain ? Style::Color::kNever : Style::Color::kAlways;
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0) style.width = size.ws_col;
  return style;
}

// Waits for Ctrl-C on a thread of its own, so that cancelling may lock. The second one ends the
// process at once.
class SignalThread {
 public:
  explicit SignalThread(Interrupt& interrupt) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    // Before any other thread exists: they all inherit the mask.
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::thread([this, &interrupt] {
      int signal = 0;
      for (int count = 0; sigwait(&signals_, &signal) == 0 && !ended_; ++count) {
        if (count > 0) std::_Exit(static_cast<int>(ExitCode::kInterrupted));
        interrupt.Trigger();
      }
    });
  }
  ~SignalThread() {
    ended_ = true;
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
  }

 private:
  sigset_t signals_{};
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

// A closed pipe (`cordonctl ... | head`) is the reader's choice; any other fault loses output.
ExitCode FlushOutput(ExitCode code) {
  errno = 0;
  std::cout.flush();
  if (std::cout.good() || errno == EPIPE || errno == 0) return code;
  std::cerr << "error: cannot write to standard output: " << std::strerror(errno) << '\n';
  return code == ExitCode::kDone ? ExitCode::kRefused : code;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  // gRPC's own log would stand between our sentences; whoever debugs sets the variable.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  Interrupt interrupt;
  const SignalThread signals(interrupt);
  cordon::cp::cli::Console console{
      std::cin, std::cout, std::cerr, StyleOf(STDOUT_FILENO), StyleOf(STDERR_FILENO), [] {
        return std::chrono::system_clock::now();
      }};
  cordon::cp::cli::CommandLine command_line(CORDON_VERSION);
  const ExitCode code =
      command_line.Run(std::vector<std::string>(argv + 1, argv + argc), console, interrupt);
  return static_cast<int>(FlushOutput(code));
}

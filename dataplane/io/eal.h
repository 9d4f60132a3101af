// SPDX-License-Identifier: Apache-2.0
// DPDK's environment abstraction layer: memory and worker lcores. Once a process.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dataplane/io/options.h"

namespace cordon::dp {

class Eal {
 public:
  // Starts EAL for `options`. Null, with the configuration key and the cause in `error`, if it
  // cannot: too few hugepages, a core that is not there, no permission.
  static std::unique_ptr<Eal> Start(const IoOptions& options, std::string& error);
  ~Eal();  // all ports must be closed and all workers have ended
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;

  // The lcore that runs worker `worker`.
  static unsigned LcoreOf(size_t worker) { return static_cast<unsigned>(worker) + 1; }

  // The NUMA node of its core.
  static int NumaNodeOf(size_t worker);

  // What DPDK logged at level error since the last call, in one line; empty if nothing.
  std::string TakeErrors();

 private:
  class Log;
  Eal();
  std::unique_ptr<Log> log_;
  std::string runtime_directory_;
};

}  // namespace cordon::dp

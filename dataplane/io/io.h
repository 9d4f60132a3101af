// SPDX-License-Identifier: Apache-2.0
// The data plane as app/ sees it: EAL, the buffer pool, the ports, and workers on their cores. No
// DPDK type in sight.
//
//   std::string error;
//   auto io = Io::Start(options, warnings, error);  // ports are up, nothing passes yet
//   io->StartWorkers(parts);                        // frames pass as the policy says
//   ...
//   io->StopWorkers();                              // nothing passes any more
//   io.reset();                                     // ports closed, EAL gone
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/io/buffers.h"
#include "dataplane/io/link_watch.h"
#include "dataplane/io/options.h"
#include "dataplane/io/port.h"
#include "dataplane/io/worker.h"

namespace cordon::dp {

class Io {
 public:
  // Once a process. Null, with the configuration key and the cause in `error`, if anything fails;
  // then everything that was up is down again.
  static std::unique_ptr<Io> Start(const IoOptions& options, std::vector<std::string>& warnings,
                                   std::string& error);
  ~Io();
  Io(const Io&) = delete;
  Io& operator=(const Io&) = delete;

  // One worker for each core of the options, worker id = position. Call once.
  void StartWorkers(const std::vector<WorkerParts>& parts);
  // Returns when every worker has left its loop. Idempotent.
  void StopWorkers();

  // --- one thread at a time (the statistics of a port are not thread-safe)
  PortStatistics PortOf(size_t pair, Side side);
  // --- any thread
  LinkStatistics LinkOf(size_t pair, Side side) const;
  std::vector<PoolStatistics> Pools() const;
  uint64_t NowNanoseconds() const;

 private:
  struct State;
  explicit Io(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cordon::dp

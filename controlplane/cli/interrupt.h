// SPDX-License-Identifier: Apache-2.0
// Ctrl-C for calls that are under way.
#pragma once

#include <grpcpp/client_context.h>

#include <mutex>
#include <set>

namespace cordon::cp::cli {

// Trigger() cancels every call that is registered, and every one registered later. Thread-safe; not
// to be called from a signal handler (it locks): main waits for signals on a thread of its own.
class Interrupt {
 public:
  void Trigger();
  bool triggered() const;

  void Add(grpc::ClientContext& call);
  void Remove(grpc::ClientContext& call);

 private:
  mutable std::mutex mutex_;
  bool triggered_ = false;
  std::set<grpc::ClientContext*> calls_;
};

}  // namespace cordon::cp::cli

// SPDX-License-Identifier: Apache-2.0
// RPCs by method and code, for metrics.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "grpcpp/support/server_interceptor.h"

namespace cordon::cp {

// Thread-safe. Bounded: methods that are not of the API count as "other".
class RpcCounters {
 public:
  using Key = std::pair<std::string, std::string>;  // "PolicyService/Apply", "OK"

  RpcCounters();
  void Count(const std::string& method, grpc::StatusCode code);
  std::map<Key, uint64_t> Read() const;

 private:
  std::set<std::string> methods_;  // const after construction
  mutable std::mutex mutex_;
  std::map<Key, uint64_t> counts_;  // guarded by mutex_
};

// Counts every call of a server when its status is sent.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCountingInterceptor(
    RpcCounters& counters);

}  // namespace cordon::cp

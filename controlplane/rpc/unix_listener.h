// SPDX-License-Identifier: Apache-2.0
// The controller's local socket. gRPC's own listener does not tell who connected; this one asks the
// kernel at accept and hands the connection over.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace cordon::cp {

class UnixListener {
 public:
  // The connection's descriptor, which the function takes over, and the user at its other end.
  using AcceptFunction = std::function<void(int descriptor, std::string user)>;

  // Binds `path` for its owner and group (0660). A socket that a dead controller left is replaced;
  // FailedPrecondition if a live one listens there, or the path cannot be used.
  static absl::StatusOr<std::unique_ptr<UnixListener>> Bind(const std::string& path);
  ~UnixListener();  // stops and removes the socket
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  // Accepts on a thread of its own until Stop.
  void Start(AcceptFunction accept);
  void Stop();

 private:
  UnixListener(std::string path, int socket, int stop)
      : path_(std::move(path)), socket_(socket), stop_(stop) {}
  void Run();

  const std::string path_;
  const int socket_;
  const int stop_;  // eventfd
  AcceptFunction accept_;
  std::thread thread_;
};

}  // namespace cordon::cp

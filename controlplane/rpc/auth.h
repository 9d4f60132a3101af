// SPDX-License-Identifier: Apache-2.0
// Who is calling: the user at the other end of the Unix socket, or the holder of a certificate.
// There is no third way in. A certificate's common name is its holder; its role is an alternative
// name of kind URI, urn:cordon:administrator or urn:cordon:gateway. One without a role may do
// nothing, so a gateway's certificate never becomes an administrator's because its gateway is not
// configured.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"

namespace cordon::cp {

struct Caller {
  enum class Kind { kUnknown, kLocal, kCertificate };
  Kind kind = Kind::kUnknown;
  std::string name;  // "local:root" or a common name
  // Roles of a certificate; a local caller has both without saying so.
  bool is_administrator = false;
  bool is_gateway = false;
};

// Users at the other end of accepted Unix connections, by file descriptor, which is how gRPC names
// such a connection's peer ("fd:17"). Thread-safe.
class LocalUsers {
 public:
  // Called when a connection is accepted; a descriptor that is used again gets its new user.
  void Set(int descriptor, std::string user);
  std::string Find(int descriptor) const;  // "" if unknown

 private:
  mutable std::mutex mutex_;
  std::map<int, std::string> users_;  // guarded by mutex_; as many as descriptors are open at once
};

// Thread-safe.
class Authenticator {
 public:
  explicit Authenticator(const LocalUsers& users) : users_(users) {}

  Caller Identify(const grpc::ServerContextBase& context) const;
  // Whether the caller may ask and change things. Sets `caller` if so.
  grpc::Status CheckAdministrator(const grpc::ServerContextBase& context, Caller& caller) const;
  // Whether the caller may speak for that gateway.
  grpc::Status CheckGateway(const grpc::ServerContextBase& context,
                            const std::string& gateway) const;

 private:
  const LocalUsers& users_;
};

}  // namespace cordon::cp

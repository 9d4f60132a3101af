// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/auth.h"

#include <charconv>
#include <utility>

namespace cordon::cp {
namespace {

constexpr std::string_view kDescriptorPrefix = "fd:";
constexpr char kCommonNameProperty[] = "x509_common_name";
constexpr char kUriProperty[] = "peer_uri";
constexpr std::string_view kAdministratorUri = "urn:cordon:administrator";
constexpr std::string_view kGatewayUri = "urn:cordon:gateway";

// The descriptor in "fd:17"; -1 if it is not such a peer.
int DescriptorOf(const std::string& peer) {
  if (!peer.starts_with(kDescriptorPrefix)) return -1;
  int descriptor = -1;
  std::from_chars(peer.data() + kDescriptorPrefix.size(), peer.data() + peer.size(), descriptor);
  return descriptor;
}

}  // namespace

void LocalUsers::Set(int descriptor, std::string user) {
  std::lock_guard lock(mutex_);
  users_[descriptor] = std::move(user);
}

std::string LocalUsers::Find(int descriptor) const {
  std::lock_guard lock(mutex_);
  const auto found = users_.find(descriptor);
  return found == users_.end() ? "" : found->second;
}

Caller Authenticator::Identify(const grpc::ServerContextBase& context) const {
  const auto authenticated = context.auth_context();
  if (authenticated && authenticated->IsPeerAuthenticated()) {
    const auto names = authenticated->FindPropertyValues(kCommonNameProperty);
    if (names.size() != 1 || names[0].empty()) return {};
    Caller caller{Caller::Kind::kCertificate, std::string(names[0].data(), names[0].size())};
    for (const grpc::string_ref& uri : authenticated->FindPropertyValues(kUriProperty)) {
      caller.is_administrator |= std::string_view(uri.data(), uri.size()) == kAdministratorUri;
      caller.is_gateway |= std::string_view(uri.data(), uri.size()) == kGatewayUri;
    }
    return caller;
  }
  const int descriptor = DescriptorOf(context.peer());
  const std::string user = descriptor < 0 ? "" : users_.Find(descriptor);
  if (user.empty()) return {};
  return {Caller::Kind::kLocal, "local:" + user, true, true};
}

grpc::Status Authenticator::CheckAdministrator(const grpc::ServerContextBase& context,
                                               Caller& caller) const {
  Caller found = Identify(context);
  if (found.kind == Caller::Kind::kUnknown) {
    return {grpc::StatusCode::UNAUTHENTICATED,
            "the caller is not known: its certificate has no common name"};
  }
  if (!found.is_administrator) {
    return {grpc::StatusCode::PERMISSION_DENIED,
            "the certificate '" + found.name + "' is " +
                (found.is_gateway ? "a gateway's: it may enforce policy, not read or change it"
                                  : "nobody's: it has no role") +
                "; use one with the alternative name URI:" + std::string(kAdministratorUri)};
  }
  caller = std::move(found);
  return grpc::Status::OK;
}

grpc::Status Authenticator::CheckGateway(const grpc::ServerContextBase& context,
                                         const std::string& gateway) const {
  const Caller caller = Identify(context);
  if (caller.kind == Caller::Kind::kLocal) return grpc::Status::OK;
  if (caller.is_gateway && caller.name == gateway) return grpc::Status::OK;
  if (!caller.is_gateway) {
    return {grpc::StatusCode::PERMISSION_DENIED,
            "the certificate '" + caller.name + "' is not a gateway's: use one with the " +
                "alternative name URI:" + std::string(kGatewayUri)};
  }
  return {grpc::StatusCode::PERMISSION_DENIED,
          "the certificate names '" + caller.name + "', but the gateway says it is '" + gateway +
              "': the common name of a gateway's certificate must be its name"};
}

}  // namespace cordon::cp

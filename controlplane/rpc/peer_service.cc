// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/request_check.h"
#include "controlplane/rpc/services.h"
#include "cordon/v1/inventory_service.grpc.pb.h"

namespace cordon::cp {
namespace {

class PeerService final : public v1::PeerService::Service {
 public:
  explicit PeerService(const ServiceContext& context) : context_(context) {}

  grpc::Status ListPeers(grpc::ServerContext* call, const v1::ListPeersRequest*,
                         v1::ListPeersResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    const auto snapshot = context_.engine.Current();
    for (const auto& [name, peer] : snapshot->configuration.peers) {
      *response->add_peers() = ToProto(*snapshot, peer);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetPeer(grpc::ServerContext* call, const v1::GetPeerRequest* request,
                       v1::Peer* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.Name("name", request->name());
    if (!check.ok()) return check.ToStatus();
    const auto snapshot = context_.engine.Current();
    const auto found = snapshot->configuration.peers.find(request->name());
    if (found == snapshot->configuration.peers.end()) {
      return {grpc::StatusCode::NOT_FOUND, "no peer '" + request->name() + "'"};
    }
    *response = ToProto(*snapshot, found->second);
    return grpc::Status::OK;
  }

 private:
  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakePeerService(const ServiceContext& context) {
  return std::make_unique<PeerService>(context);
}

}  // namespace cordon::cp

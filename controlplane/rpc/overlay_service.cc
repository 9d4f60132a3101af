// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/request_check.h"
#include "controlplane/rpc/services.h"
#include "cordon/v1/inventory_service.grpc.pb.h"

namespace cordon::cp {
namespace {

class OverlayService final : public v1::OverlayService::Service {
 public:
  explicit OverlayService(const ServiceContext& context) : context_(context) {}

  grpc::Status ListOverlays(grpc::ServerContext* call, const v1::ListOverlaysRequest*,
                            v1::ListOverlaysResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    const auto snapshot = context_.engine.Current();
    for (const auto& [name, overlay] : snapshot->configuration.overlays) {
      *response->add_overlays() = ToProto(*snapshot, overlay);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetOverlay(grpc::ServerContext* call, const v1::GetOverlayRequest* request,
                          v1::Overlay* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.Name("name", request->name());
    if (!check.ok()) return check.ToStatus();
    const auto snapshot = context_.engine.Current();
    const auto found = snapshot->configuration.overlays.find(request->name());
    if (found == snapshot->configuration.overlays.end()) {
      return {grpc::StatusCode::NOT_FOUND, "no overlay '" + request->name() + "'"};
    }
    *response = ToProto(*snapshot, found->second);
    return grpc::Status::OK;
  }

 private:
  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeOverlayService(const ServiceContext& context) {
  return std::make_unique<OverlayService>(context);
}

}  // namespace cordon::cp

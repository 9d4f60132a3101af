// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/request_check.h"
#include "controlplane/rpc/services.h"
#include "cordon/v1/inventory_service.grpc.pb.h"

namespace cordon::cp {
namespace {

class GatewayService final : public v1::GatewayService::Service {
 public:
  explicit GatewayService(const ServiceContext& context) : context_(context) {}

  grpc::Status ListGateways(grpc::ServerContext* call, const v1::ListGatewaysRequest*,
                            v1::ListGatewaysResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    const auto snapshot = context_.engine.Current();
    for (const GatewayStatus& standing : context_.engine.fleet().List()) {
      const auto found = snapshot->configuration.gateways.find(standing.gateway);
      if (found == snapshot->configuration.gateways.end()) continue;  // removed just now
      *response->add_gateways() = ToProto(*snapshot, found->second, standing);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetGateway(grpc::ServerContext* call, const v1::GetGatewayRequest* request,
                          v1::Gateway* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.Name("name", request->name());
    if (!check.ok()) return check.ToStatus();
    const auto snapshot = context_.engine.Current();
    const auto found = snapshot->configuration.gateways.find(request->name());
    const auto standing = context_.engine.fleet().Find(request->name());
    if (found == snapshot->configuration.gateways.end() || !standing) {
      return {grpc::StatusCode::NOT_FOUND, "no gateway '" + request->name() + "'"};
    }
    *response = ToProto(*snapshot, found->second, *standing);
    return grpc::Status::OK;
  }

 private:
  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeGatewayService(const ServiceContext& context) {
  return std::make_unique<GatewayService>(context);
}

}  // namespace cordon::cp

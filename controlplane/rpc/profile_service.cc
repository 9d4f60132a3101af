// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/request_check.h"
#include "controlplane/rpc/services.h"
#include "cordon/v1/inventory_service.grpc.pb.h"

namespace cordon::cp {
namespace {

class ProfileService final : public v1::ProfileService::Service {
 public:
  explicit ProfileService(const ServiceContext& context) : context_(context) {}

  grpc::Status ListProfiles(grpc::ServerContext* call, const v1::ListProfilesRequest*,
                            v1::ListProfilesResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    const auto snapshot = context_.engine.Current();
    for (const auto& [name, profile] : snapshot->configuration.profiles) {
      *response->add_profiles() = ToProto(*snapshot, profile);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetProfile(grpc::ServerContext* call, const v1::GetProfileRequest* request,
                          v1::Profile* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.Name("name", request->name());
    if (!check.ok()) return check.ToStatus();
    const auto snapshot = context_.engine.Current();
    const auto found = snapshot->configuration.profiles.find(request->name());
    if (found == snapshot->configuration.profiles.end()) {
      return {grpc::StatusCode::NOT_FOUND, "no profile '" + request->name() + "'"};
    }
    *response = ToProto(*snapshot, found->second);
    return grpc::Status::OK;
  }

 private:
  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeProfileService(const ServiceContext& context) {
  return std::make_unique<ProfileService>(context);
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/request_check.h"
#include "controlplane/rpc/services.h"
#include "cordon/v1/policy_service.grpc.pb.h"

namespace cordon::cp {
namespace {

class LearnService final : public v1::LearnService::Service {
 public:
  explicit LearnService(const ServiceContext& context) : context_(context) {}

  grpc::Status Propose(grpc::ServerContext* call, const v1::ProposeRequest* request,
                       v1::ProposeResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    if (request->has_device()) {
      check.Name("device", request->device());
    } else if (request->has_profile()) {
      check.Name("profile", request->profile());
    } else {
      check.Fail("subject", "is missing: name a device or a profile");
    }
    if (!check.ok()) return check.ToStatus();
    const auto proposal = request->has_device()
                              ? context_.engine.ProposeForDevice(request->device())
                              : context_.engine.ProposeForProfile(request->profile());
    if (!proposal.ok()) return ToGrpc(proposal.status());
    *response = ToProto(*proposal);
    return grpc::Status::OK;
  }

 private:
  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeLearnService(const ServiceContext& context) {
  return std::make_unique<LearnService>(context);
}

}  // namespace cordon::cp

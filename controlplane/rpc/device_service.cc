// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/request_check.h"
#include "controlplane/rpc/services.h"
#include "cordon/v1/inventory_service.grpc.pb.h"
#include "spdlog/spdlog.h"

namespace cordon::cp {
namespace {

constexpr uint32_t kDefaultPage = 1'000;
constexpr uint32_t kMaxPage = 10'000;

bool Matches(const v1::ListDevicesRequest& request, const Snapshot& snapshot,
             const Device& device) {
  return (request.gateway().empty() || request.gateway() == device.gateway) &&
         (request.device_class().empty() || request.device_class() == device.device_class) &&
         (request.profile().empty() || request.profile() == snapshot.EffectiveProfile(device));
}

class DeviceService final : public v1::DeviceService::Service {
 public:
  explicit DeviceService(const ServiceContext& context) : context_(context) {}

  // A page token is the name of the last device of the page before: pages stay right while devices
  // come and go.
  grpc::Status ListDevices(grpc::ServerContext* call, const v1::ListDevicesRequest* request,
                           v1::ListDevicesResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.AtMost("page_size", request->page_size(), kMaxPage);
    check.OptionalName("page_token", request->page_token());
    check.OptionalName("gateway", request->gateway());
    check.OptionalName("device_class", request->device_class());
    check.OptionalName("profile", request->profile());
    if (!check.ok()) return check.ToStatus();

    const int page =
        static_cast<int>(request->page_size() == 0 ? kDefaultPage : request->page_size());
    const auto snapshot = context_.engine.Current();
    const auto& devices = snapshot->configuration.devices;
    auto next = request->page_token().empty() ? devices.begin()
                                              : devices.upper_bound(request->page_token());
    for (; next != devices.end(); ++next) {
      if (!Matches(*request, *snapshot, next->second)) continue;
      if (response->devices_size() == page) {
        response->set_next_page_token(response->devices(page - 1).name());
        break;
      }
      *response->add_devices() = ToProto(*snapshot, next->second);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetDevice(grpc::ServerContext* call, const v1::GetDeviceRequest* request,
                         v1::Device* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.Name("name", request->name());
    if (!check.ok()) return check.ToStatus();
    const auto snapshot = context_.engine.Current();
    const auto found = snapshot->configuration.devices.find(request->name());
    if (found == snapshot->configuration.devices.end()) {
      return {grpc::StatusCode::NOT_FOUND, "no device '" + request->name() + "'"};
    }
    *response = ToProto(*snapshot, found->second);
    return grpc::Status::OK;
  }

  grpc::Status ImportDevices(grpc::ServerContext* call, const v1::ImportDevicesRequest* request,
                             v1::ImportDevicesResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.Name("file", request->file());
    if (request->content().empty()) check.Fail("content", "is empty: give the CSV file's content");
    check.OptionalName("mapping_file", request->mapping_file());
    if (!check.ok()) return check.ToStatus();

    const ChangeContext change{
        .author = caller.name,
        .comment = "",
        .commitment = request->validate_only() ? Commitment::kValidateOnly : Commitment::kCommit};
    const std::string mapping_file =
        request->mapping_file().empty() ? "mapping" : request->mapping_file();
    const auto result = context_.engine.Import({.file = request->file(),
                                                .content = request->content(),
                                                .mapping_file = mapping_file,
                                                .mapping = request->mapping()},
                                               change);
    if (!result.ok()) return ToGrpc(result.status());
    if (result->generation != 0) {
      spdlog::info("generation {}: import {} by {}: {} added, {} changed", result->generation,
                   request->file(), caller.name, result->added.size(), result->changed.size());
    }
    *response = ToProto(*result);
    return grpc::Status::OK;
  }

 private:
  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeDeviceService(const ServiceContext& context) {
  return std::make_unique<DeviceService>(context);
}

}  // namespace cordon::cp

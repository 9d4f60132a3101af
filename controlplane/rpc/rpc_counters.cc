// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/rpc_counters.h"

#include <array>

#include "cordon/v1/gateway_control.pb.h"
#include "cordon/v1/inventory_service.pb.h"
#include "cordon/v1/policy_service.pb.h"
#include "google/protobuf/descriptor.h"

namespace cordon::cp {
namespace {

// By number, as gRPC defines them.
constexpr std::array<const char*, 17> kCodes = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

class CountingInterceptor final : public grpc::experimental::Interceptor {
 public:
  CountingInterceptor(RpcCounters& counters, std::string method)
      : counters_(counters), method_(std::move(method)) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using Hook = grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(Hook::PRE_SEND_STATUS)) {
      counters_.Count(method_, methods->GetSendStatus().error_code());
    }
    methods->Proceed();
  }

 private:
  RpcCounters& counters_;
  const std::string method_;
};

class Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(RpcCounters& counters) : counters_(counters) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    return new CountingInterceptor(counters_, info->method());
  }

 private:
  RpcCounters& counters_;
};

}  // namespace

RpcCounters::RpcCounters() {
  for (const auto* file :
       {v1::Hello::descriptor()->file(), v1::GetDeviceRequest::descriptor()->file(),
        v1::ApplyRequest::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      const auto* service = file->service(s);
      for (int m = 0; m < service->method_count(); ++m) {
        methods_.insert("/" + service->full_name() + "/" + service->method(m)->name());
      }
    }
  }
}

void RpcCounters::Count(const std::string& method, grpc::StatusCode code) {
  const auto number = static_cast<size_t>(code);
  const char* code_name = number < kCodes.size() ? kCodes[number] : "UNKNOWN";
  const bool known = methods_.contains(method);
  // "/cordon.v1.PolicyService/Apply" -> "PolicyService/Apply"
  const std::string name =
      known ? method.substr(method.find('.', method.find('.') + 1) + 1) : "other";
  std::lock_guard lock(mutex_);
  ++counts_[{name, code_name}];
}

std::map<RpcCounters::Key, uint64_t> RpcCounters::Read() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCountingInterceptor(
    RpcCounters& counters) {
  return std::make_unique<Factory>(counters);
}

}  // namespace cordon::cp

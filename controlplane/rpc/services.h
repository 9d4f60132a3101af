// SPDX-License-Identifier: Apache-2.0
// What every service needs, and how the server gets them: one file per service behind these.
#pragma once

#include <chrono>
#include <memory>

#include "controlplane/engine/engine.h"
#include "controlplane/rpc/auth.h"
#include "grpcpp/impl/codegen/service_type.h"

namespace cordon::cp {

struct ServiceContext {
  Engine& engine;
  const Authenticator& authenticator;
};

std::unique_ptr<grpc::Service> MakeDeviceService(const ServiceContext& context);
std::unique_ptr<grpc::Service> MakeProfileService(const ServiceContext& context);
std::unique_ptr<grpc::Service> MakePeerService(const ServiceContext& context);
std::unique_ptr<grpc::Service> MakeOverlayService(const ServiceContext& context);
std::unique_ptr<grpc::Service> MakeGatewayService(const ServiceContext& context);
std::unique_ptr<grpc::Service> MakePolicyService(const ServiceContext& context);
std::unique_ptr<grpc::Service> MakeEventService(const ServiceContext& context);
std::unique_ptr<grpc::Service> MakeLearnService(const ServiceContext& context);

struct GatewayControlOptions {
  // Between two heartbeats of a gateway. Four missed ones, and its session is over.
  std::chrono::milliseconds report_interval{5000};
  // From the start of a stream until its Hello.
  std::chrono::milliseconds hello_timeout{10'000};
  size_t max_streams = 4096;
};
std::unique_ptr<grpc::Service> MakeGatewayControl(const ServiceContext& context,
                                                  const GatewayControlOptions& options);

}  // namespace cordon::cp

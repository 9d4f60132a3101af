// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/server.h"

#include <chrono>
#include <utility>

#include "controlplane/rpc/request_check.h"
#include "dataplane/daemon/tls_credentials.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_posix.h"

namespace cordon::cp {
namespace {

// Bounds for what all clients together can cost.
constexpr int kMaxThreads = 64;
constexpr size_t kMaxBufferBytes = 1u << 30;
constexpr int kMaxStreamsPerConnection = 256;

void LimitResources(grpc::ServerBuilder& builder) {
  dp::ApplyServerLimits(builder, static_cast<int>(kMaxMessageBytes));
  grpc::ResourceQuota quota("cordon-controller");
  quota.SetMaxThreads(kMaxThreads);
  quota.Resize(kMaxBufferBytes);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(Engine& engine,
                                                            const RpcServerOptions& options) {
  std::unique_ptr<RpcServer> rpc(new RpcServer());
  if (!options.unix_socket.empty()) {
    auto listener = UnixListener::Bind(options.unix_socket);
    if (!listener.ok()) return listener.status();
    rpc->listener_ = *std::move(listener);
  }
  const ServiceContext context{.engine = engine, .authenticator = rpc->authenticator_};
  rpc->services_.push_back(MakeDeviceService(context));
  rpc->services_.push_back(MakeProfileService(context));
  rpc->services_.push_back(MakePeerService(context));
  rpc->services_.push_back(MakeOverlayService(context));
  rpc->services_.push_back(MakeGatewayService(context));
  rpc->services_.push_back(MakePolicyService(context));
  rpc->services_.push_back(MakeEventService(context));
  rpc->services_.push_back(MakeLearnService(context));
  rpc->services_.push_back(MakeGatewayControl(context, options.gateway_control));

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  LimitResources(builder);
  for (const auto& service : rpc->services_) builder.RegisterService(service.get());
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(MakeCountingInterceptor(rpc->counters_));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  if (!options.tcp_address.empty()) {
    builder.AddListeningPort(options.tcp_address, options.tcp_credentials, &rpc->tcp_port_);
  }
  rpc->server_ = builder.BuildAndStart();
  if (!rpc->server_ || (!options.tcp_address.empty() && rpc->tcp_port_ == 0)) {
    return absl::FailedPreconditionError("listen.tcp.address " + options.tcp_address +
                                         ": cannot be bound; is it this machine's and free?");
  }
  if (rpc->listener_) {
    rpc->listener_->Start([rpc = rpc.get()](int descriptor, std::string user) {
      rpc->users_.Set(descriptor, std::move(user));
      grpc::AddInsecureChannelFromFd(rpc->server_.get(), descriptor);
    });
  }
  return rpc;
}

RpcServer::~RpcServer() { Shutdown(); }

void RpcServer::Shutdown() {
  constexpr auto kGrace = std::chrono::seconds(1);
  listener_ = nullptr;
  if (!server_) return;
  server_->Shutdown(std::chrono::system_clock::now() + kGrace);
  server_->Wait();
  server_ = nullptr;
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// GatewayControl: opens a stream per gateway and ends those that fell silent.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "controlplane/rpc/gateway_stream.h"
#include "controlplane/rpc/services.h"
#include "cordon/v1/gateway_control.grpc.pb.h"

namespace cordon::cp {
namespace {

class GatewayControl final : public v1::GatewayControl::CallbackService {
 public:
  GatewayControl(const ServiceContext& context, const GatewayControlOptions& options)
      : context_(context), options_(options), streams_(options.max_streams) {
    watchdog_ = std::thread([this] { Watch(); });
  }
  // After the server's shutdown: no stream is left.
  ~GatewayControl() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    stop_.notify_all();
    watchdog_.join();
  }

  grpc::ServerBidiReactor<v1::GatewayMessage, v1::ControllerMessage>* Connect(
      grpc::CallbackServerContext* call) override {
    auto* stream = new GatewayStream(context_, *call, streams_, options_);
    stream->Begin();
    return stream;
  }

 private:
  void Watch() {
    const auto period = std::min(options_.report_interval, options_.hello_timeout) / 2;
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, period, [this] { return stopping_; })) {
      streams_.EndSilent(std::chrono::steady_clock::now());
    }
  }

  const ServiceContext context_;
  const GatewayControlOptions options_;
  GatewayStreams streams_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread watchdog_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeGatewayControl(const ServiceContext& context,
                                                  const GatewayControlOptions& options) {
  return std::make_unique<GatewayControl>(context, options);
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/request_check.h"
#include "controlplane/rpc/rollout_watch.h"
#include "controlplane/rpc/services.h"
#include "cordon/v1/policy_service.grpc.pb.h"
#include "spdlog/spdlog.h"

namespace cordon::cp {
namespace {

constexpr uint32_t kDefaultGenerations = 20;
constexpr uint32_t kMaxGenerations = 1'000;

std::vector<DocumentSource> SourcesOf(
    const google::protobuf::RepeatedPtrField<v1::DocumentFile>& files) {
  std::vector<DocumentSource> sources;
  for (const v1::DocumentFile& file : files) sources.push_back({file.file(), file.content()});
  return sources;
}

ChangeContext ContextOf(const Caller& caller, const std::string& comment, bool validate_only) {
  return {.author = caller.name,
          .comment = comment,
          .commitment = validate_only ? Commitment::kValidateOnly : Commitment::kCommit};
}

void LogChange(const ChangeResult& result, const Caller& caller, const char* what) {
  if (result.generation == 0) return;
  spdlog::info("generation {}: {} by {}: {} documents, {} gateways", result.generation, what,
               caller.name, result.changes.size(), result.gateways.size());
}

class RefusedWatch final : public RolloutStream {
 public:
  explicit RefusedWatch(grpc::Status status) : status_(std::move(status)) {}

 private:
  Next Fill(v1::RolloutUpdate&, std::optional<grpc::Status>& end) override {
    end = status_;
    return Next::kNothing;
  }

  const grpc::Status status_;
};

using Base = v1::PolicyService::WithCallbackMethod_WatchRollout<v1::PolicyService::Service>;

class PolicyService final : public Base {
 public:
  explicit PolicyService(const ServiceContext& context) : context_(context) {}

  grpc::Status Apply(grpc::ServerContext* call, const v1::ApplyRequest* request,
                     v1::ApplyResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.Files(request->files());
    check.Comment("comment", request->comment());
    if (!check.ok()) return check.ToStatus();
    const auto result =
        context_.engine.Apply(SourcesOf(request->files()),
                              ContextOf(caller, request->comment(), request->validate_only()));
    if (!result.ok()) return ToGrpc(result.status());
    LogChange(*result, caller, "apply");
    *response = ToProto(*result);
    return grpc::Status::OK;
  }

  grpc::Status Diff(grpc::ServerContext* call, const v1::DiffRequest* request,
                    v1::DiffResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.Files(request->files());
    if (!check.ok()) return check.ToStatus();
    *response = ToDiffProto(context_.engine.Diff(SourcesOf(request->files())));
    return grpc::Status::OK;
  }

  grpc::Status ListGenerations(grpc::ServerContext* call, const v1::ListGenerationsRequest* request,
                               v1::ListGenerationsResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.AtMost("limit", request->limit(), kMaxGenerations);
    if (!check.ok()) return check.ToStatus();
    const auto records = context_.engine.ListGenerations(request->limit() == 0 ? kDefaultGenerations
                                                                               : request->limit());
    if (!records.ok()) return ToGrpc(records.status());
    for (const GenerationRecord& record : *records) {
      *response->add_generations() = ToProto(record);
    }
    return grpc::Status::OK;
  }

  grpc::Status Rollback(grpc::ServerContext* call, const v1::RollbackRequest* request,
                        v1::ApplyResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    check.Comment("comment", request->comment());
    check.AtMost("to_generation", request->to_generation(), INT64_MAX);
    if (!check.ok()) return check.ToStatus();
    const auto result = context_.engine.Rollback(
        request->to_generation(), ContextOf(caller, request->comment(), request->validate_only()));
    if (!result.ok()) return ToGrpc(result.status());
    LogChange(*result, caller, "rollback");
    *response = ToProto(*result);
    return grpc::Status::OK;
  }

  grpc::ServerWriteReactor<v1::RolloutUpdate>* WatchRollout(
      grpc::CallbackServerContext* call, const v1::WatchRolloutRequest* request) override {
    RolloutStream* stream = Watch(*call, request->generation());
    stream->Pump();
    return stream;
  }

  grpc::Status Explain(grpc::ServerContext* call, const v1::ExplainRequest* request,
                       v1::ExplainResponse* response) override {
    Caller caller;
    auto status = context_.authenticator.CheckAdministrator(*call, caller);
    if (!status.ok()) return status;
    RequestCheck check;
    const Question question = FromProto(*request, check.faults());
    if (!check.ok()) return check.ToStatus();
    const auto result = context_.engine.Explain(question);
    if (!result.ok()) return ToGrpc(result.status());
    *response = ToProto(*result);
    return grpc::Status::OK;
  }

 private:
  RolloutStream* Watch(const grpc::CallbackServerContext& call, uint64_t generation) {
    Caller caller;
    grpc::Status status = context_.authenticator.CheckAdministrator(call, caller);
    if (!status.ok()) return new RefusedWatch(std::move(status));
    auto rollout = context_.engine.FindRollout(generation);
    if (!rollout.ok()) return new RefusedWatch(ToGrpc(rollout.status()));
    return new RolloutWatch(context_.engine, generation, *std::move(rollout));
  }

  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakePolicyService(const ServiceContext& context) {
  return std::make_unique<PolicyService>(context);
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// The lists of the status service: rules with their use, live flows.
#include <chrono>
#include <vector>

#include "dataplane/agent/status_service.h"

namespace cordon::dp {
namespace {

constexpr int kRulesAMessage = 1000;

void Fill(const RuleUseRecord& record, int64_t now, v1::RuleUse& rule) {
  rule.set_origin(record.origin);
  rule.set_overlay(record.overlay);
  rule.set_hits(record.hits);
  if (record.last_hit != 0) rule.mutable_last_hit()->set_seconds(record.last_hit);
  if (record.counted_since != 0) rule.mutable_counted_since()->set_seconds(record.counted_since);
  if (record.expires_at == 0) return;
  rule.mutable_expires_at()->set_seconds(record.expires_at);
  rule.set_expired(record.expires_at <= now);
}

}  // namespace

grpc::Status StatusService::ListRules(grpc::ServerContext*, const v1::ListRulesRequest* request,
                                      grpc::ServerWriter<v1::ListRulesResponse>* writer) {
  const int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  v1::ListRulesResponse response;
  for (const RuleUseRecord& record : rules_()) {
    if (!record.origin.starts_with(request->origin_prefix())) continue;
    if (request->unused() && record.hits != 0) continue;
    Fill(record, now, *response.add_rules());
    if (response.rules_size() < kRulesAMessage) continue;
    if (!writer->Write(response)) return grpc::Status::CANCELLED;
    response.Clear();
  }
  writer->Write(response);
  return grpc::Status::OK;
}

grpc::Status StatusService::ListFlows(grpc::ServerContext* context,
                                      const v1::ListFlowsRequest* request,
                                      grpc::ServerWriter<v1::ListFlowsResponse>* writer) {
  const auto write = [&](const v1::ListFlowsResponse& response) {
    return !stopping_ && !context->IsCancelled() && writer->Write(response);
  };
  switch (flows_.Run(*request, write)) {
    case FlowQuery::Outcome::kBusy:
      return {grpc::StatusCode::UNAVAILABLE, "another question about flows is being answered"};
    case FlowQuery::Outcome::kWorkerSilent:
      return {grpc::StatusCode::UNAVAILABLE, "a worker does not answer: see its status"};
    case FlowQuery::Outcome::kNobodyListens:
      return grpc::Status::CANCELLED;
    case FlowQuery::Outcome::kDone:
      break;
  }
  return grpc::Status::OK;
}

}  // namespace cordon::dp

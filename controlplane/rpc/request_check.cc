// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/request_check.h"

#include <algorithm>
#include <utility>

namespace cordon::cp {
namespace {

bool HasControlCharacter(const std::string& text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

void RequestCheck::Fail(std::string field, std::string message) {
  faults_.push_back({std::move(field), std::move(message)});
}

void RequestCheck::OptionalName(const char* field, const std::string& value) {
  if (value.size() > kMaxNameBytes) {
    Fail(field, "is longer than " + std::to_string(kMaxNameBytes) + " bytes");
  } else if (HasControlCharacter(value)) {
    Fail(field, "has control characters");
  }
}

void RequestCheck::Name(const char* field, const std::string& value) {
  if (value.empty()) Fail(field, "is missing");
  OptionalName(field, value);
}

void RequestCheck::Comment(const char* field, const std::string& value) {
  if (value.size() > kMaxCommentBytes) {
    Fail(field, "is longer than " + std::to_string(kMaxCommentBytes) + " bytes");
  }
  const bool odd = std::ranges::any_of(
      value, [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; });
  if (odd) Fail(field, "has control characters");
}

void RequestCheck::AtMost(const char* field, uint64_t value, uint64_t most) {
  if (value > most) {
    Fail(field, "is " + std::to_string(value) + "; it must be at most " + std::to_string(most));
  }
}

void RequestCheck::Files(const google::protobuf::RepeatedPtrField<v1::DocumentFile>& files) {
  if (files.empty()) Fail("files", "is empty: give at least one file of documents");
  if (files.size() > kMaxFiles) {
    Fail("files", "has " + std::to_string(files.size()) + " files; at most " +
                      std::to_string(kMaxFiles) + " can be read at once");
    return;
  }
  size_t total = 0;
  for (int i = 0; i < files.size(); ++i) {
    Name(("files[" + std::to_string(i) + "].file").c_str(), files[i].file());
    total += files[i].content().size();
  }
  if (total > kMaxMessageBytes) {
    Fail("files",
         "all content together is larger than " + std::to_string(kMaxMessageBytes) + " bytes");
  }
}

grpc::Status RequestCheck::ToStatus() const {
  if (faults_.empty()) return grpc::Status::OK;
  std::string message;
  for (const InputFault& fault : faults_) {
    message += (message.empty() ? "" : "; ") + fault.place + " " + fault.message;
  }
  return {grpc::StatusCode::INVALID_ARGUMENT, message};
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  // absl::StatusCode and grpc::StatusCode are the same list with the same numbers.
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

}  // namespace cordon::cp

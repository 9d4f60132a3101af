// SPDX-License-Identifier: Apache-2.0
// Checks of request fields: all faults at once, in one INVALID_ARGUMENT.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "controlplane/inventory/device.h"
#include "cordon/v1/policy_service.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "grpcpp/support/status.h"

namespace cordon::cp {

inline constexpr size_t kMaxMessageBytes = 64u << 20;
inline constexpr size_t kMaxNameBytes = 256;
inline constexpr size_t kMaxCommentBytes = 4096;
inline constexpr int kMaxFiles = 10'000;

class RequestCheck {
 public:
  void Fail(std::string field, std::string message);
  // A name that may be left out; no control characters.
  void OptionalName(const char* field, const std::string& value);
  void Name(const char* field, const std::string& value);  // must be there
  void Comment(const char* field, const std::string& value);
  void AtMost(const char* field, uint64_t value, uint64_t most);
  void Files(const google::protobuf::RepeatedPtrField<v1::DocumentFile>& files);

  std::vector<InputFault>& faults() { return faults_; }
  bool ok() const { return faults_.empty(); }
  grpc::Status ToStatus() const;  // OK, or INVALID_ARGUMENT that lists every fault

 private:
  std::vector<InputFault> faults_;
};

// The code carries over by name.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace cordon::cp

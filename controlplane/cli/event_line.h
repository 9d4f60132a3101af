// SPDX-License-Identifier: Apache-2.0
// A refused or audited flow as one line. Pure.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <array>
#include <string>

#include "controlplane/cli/table.h"
#include "cordon/v1/flow.pb.h"

namespace cordon::cp::cli {

// "tcp/445", "icmp/8", "arp", "ethertype 0x88cc": protocol and the L4 port of who is called.
std::string FormatService(const v1::FlowRecord& record);

// Lines whose columns stay aligned from one batch to the next: they widen, and never narrow.
class EventLines {
 public:
  explicit EventLines(const Style& style) : style_(style) {}

  void Print(const google::protobuf::RepeatedPtrField<v1::FlowRecord>& records, std::ostream& out);

 private:
  static constexpr size_t kColumns = 5;

  Style style_;
  std::array<size_t, kColumns> widths_{};
};

}  // namespace cordon::cp::cli

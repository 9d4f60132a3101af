// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet/reason.h"

#include <array>

namespace cordon::dp {
namespace {

struct ReasonText {
  std::string_view name;
  std::string_view help;
};

constexpr std::array<ReasonText, kReasonCount> kReasons = {{
#define CORDON_REASON(enumerator, name, help) {name, help},
#include "dataplane/packet/reason.def"
#undef CORDON_REASON
}};

}  // namespace

std::string_view ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kDrop:
      return "drop";
    case Verdict::kForward:
      return "forward";
    case Verdict::kAudit:
      return "audit";
  }
  return "invalid";
}

std::string_view ToString(Reason reason) {
  const auto index = static_cast<size_t>(reason);
  return index < kReasonCount ? kReasons[index].name : "invalid";
}

std::string_view HelpFor(Reason reason) {
  const auto index = static_cast<size_t>(reason);
  return index < kReasonCount ? kReasons[index].help : "not a reason";
}

std::optional<Reason> ParseReason(std::string_view name) {
  for (size_t i = 0; i < kReasonCount; ++i) {
    if (kReasons[i].name == name) return static_cast<Reason>(i);
  }
  return std::nullopt;
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet/check.h"

#include <array>

namespace cordon::dp {
namespace {

struct CheckText {
  std::string_view name;
  std::string_view help;
  Reason reason;
};

constexpr std::array<CheckText, kCheckCount> kChecks = {{
#define CORDON_CHECK(enumerator, name, reason, level, help) {name, help, Reason::reason},
#include "dataplane/packet/check.def"
#undef CORDON_CHECK
}};

constexpr std::array<std::string_view, 3> kProtections = {"off", "standard", "strict"};

}  // namespace

Reason ReasonOf(CheckMask failed) noexcept {
  const auto first = static_cast<size_t>(std::countr_zero(failed));
  return first < kCheckCount ? kChecks[first].reason : Reason::kUndecided;
}

std::string_view ToString(Check check) {
  const auto index = static_cast<size_t>(check);
  return index < kCheckCount ? kChecks[index].name : "invalid";
}

std::string_view HelpFor(Check check) {
  const auto index = static_cast<size_t>(check);
  return index < kCheckCount ? kChecks[index].help : "not a check";
}

std::optional<Check> ParseCheck(std::string_view name) {
  for (size_t i = 0; i < kCheckCount; ++i) {
    if (kChecks[i].name == name) return static_cast<Check>(i);
  }
  return std::nullopt;
}

std::string_view ToString(Protection protection) {
  const auto index = static_cast<size_t>(protection);
  return index < kProtections.size() ? kProtections[index] : "invalid";
}

std::optional<Protection> ParseProtection(std::string_view name) {
  for (size_t i = 0; i < kProtections.size(); ++i) {
    if (kProtections[i] == name) return static_cast<Protection>(i);
  }
  return std::nullopt;
}

}  // namespace cordon::dp

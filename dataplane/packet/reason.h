// SPDX-License-Identifier: Apache-2.0
// Verdict and reason: what was done with a frame, and why. See reason.def for the list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cordon::dp {

// kAudit: the policy would drop the frame, but its device is in audit mode, so it was forwarded.
// Never shown as "allowed". The order is part of the counters' layout.
enum class Verdict : uint8_t { kDrop = 0, kForward = 1, kAudit = 2 };
inline constexpr size_t kVerdictCount = 3;

enum class Reason : uint8_t {
#define CORDON_REASON(enumerator, name, help) enumerator,
#include "dataplane/packet/reason.def"
#undef CORDON_REASON
};

inline constexpr size_t kReasonCount = 0
#define CORDON_REASON(enumerator, name, help) +1
#include "dataplane/packet/reason.def"
#undef CORDON_REASON
    ;

std::string_view ToString(Verdict verdict);  // "drop", "forward", "audit"
std::string_view ToString(Reason reason);    // "no_rule"
std::string_view HelpFor(Reason reason);     // a sentence
std::optional<Reason> ParseReason(std::string_view name);

}  // namespace cordon::dp

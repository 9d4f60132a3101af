// SPDX-License-Identifier: Apache-2.0
// Checks: what an administrator may refuse or let pass, per device, of what is well-formed. See
// check.def for the list, reason.def for what is always refused.
//
//   if (packet.anomalies & policy.ChecksOf(device)) -> refuse with ReasonOf(that)
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/packet/reason.h"

namespace cordon::dp {

enum class Check : uint8_t {
#define CORDON_CHECK(enumerator, name, reason, level, help) enumerator,
#include "dataplane/packet/check.def"
#undef CORDON_CHECK
};

inline constexpr size_t kCheckCount = 0
#define CORDON_CHECK(enumerator, name, reason, level, help) +1
#include "dataplane/packet/check.def"
#undef CORDON_CHECK
    ;

// A bit per check: which a packet fails, or which a device refuses.
using CheckMask = uint64_t;
static_assert(kCheckCount <= 64);

constexpr CheckMask MaskOf(Check check) { return CheckMask{1} << static_cast<unsigned>(check); }

// What all packets of a flow fail or none does: these checks look at nothing but addresses.
inline constexpr CheckMask kFlowChecks = MaskOf(Check::kIpv6) | MaskOf(Check::kReservedAddress) |
                                         MaskOf(Check::kIpv4LinkLocal) |
                                         MaskOf(Check::kIpv6LinkLocal);

// How much a rule set refuses beyond what its rules say; the order is that of strictness.
enum class Protection : uint8_t { kOff, kStandard, kStrict };

// The checks that are refused under a level.
constexpr CheckMask ChecksOf(Protection protection) {
  CheckMask mask = 0;
#define CORDON_CHECK(enumerator, name, reason, level, help)                     \
  if (Protection::level != Protection::kOff && Protection::level <= protection) \
    mask |= MaskOf(Check::enumerator);
#include "dataplane/packet/check.def"
#undef CORDON_CHECK
  return mask;
}

// The reason of the first check in `failed`; kUndecided if there is none.
Reason ReasonOf(CheckMask failed) noexcept;

std::string_view ToString(Check check);  // "tcp_mss"
std::string_view HelpFor(Check check);   // what fails it
std::optional<Check> ParseCheck(std::string_view name);
std::string_view ToString(Protection protection);  // "off", "standard", "strict"
std::optional<Protection> ParseProtection(std::string_view name);

}  // namespace cordon::dp

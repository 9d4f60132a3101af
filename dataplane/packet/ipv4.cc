// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet/ipv4.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kEndOfOptions = 0, kNoOperation = 1, kRecordRoute = 7, kLooseSourceRoute = 131,
                  kStrictSourceRoute = 137;

}  // namespace

// At most 40 bytes, at least one of which each turn consumes.
Reason CheckIpv4Options(Reader options) noexcept {
  while (const auto type = options.Take<1>()) {
    if (type->U8<0>() == kEndOfOptions) break;
    if (type->U8<0>() == kNoOperation) continue;
    const auto length = options.Take<1>();
    if (!length || length->U8<0>() < 2 || !options.Skip(length->U8<0>() - 2u)) {
      return Reason::kIpv4OptionMalformed;
    }
    switch (type->U8<0>()) {
      case kRecordRoute:
      case kLooseSourceRoute:
      case kStrictSourceRoute:
        return Reason::kIpv4SourceRoute;  // RFC 7126
      default:
        break;
    }
  }
  return Reason::kUndecided;
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
// TCP options (RFC 9293 3.2): what the state machine needs of them, and lengths that break stacks
// (CVE-2019-12258, CVE-2019-12260, CVE-2020-11912).
#include "dataplane/packet/layers.h"

namespace cordon::dp {
namespace {

constexpr uint8_t kEndOfOptions = 0, kNoOperation = 1, kMaximumSegmentSize = 2, kWindowScale = 3,
                  kSackPermitted = 4, kSack = 5, kTimestamps = 8, kMd5 = 19, kAuthentication = 29,
                  kMultipath = 30, kFastOpen = 34;
constexpr uint16_t kLeastSegmentSize = 256;  // below it a few frames of data become thousands
constexpr uint8_t kMostWindowScale = 14;     // RFC 7323 2.3

// `length` with kind and length bytes, at least 2. Kinds that are not named here may have any.
bool HasLengthOfKind(uint8_t kind, size_t length) {
  switch (kind) {
    case kMaximumSegmentSize:
      return length == 4;
    case kWindowScale:
      return length == 3;
    case kSackPermitted:
      return length == 2;
    case kSack:  // RFC 2018 3: one to four blocks
      return length >= 10 && length <= 34 && length % 8 == 2;
    case kTimestamps:
      return length == 10;
    case kMd5:  // RFC 2385 3
      return length == 18;
    case kAuthentication:  // RFC 5925 2.2
      return length >= 4;
    case kMultipath:  // RFC 8684 3
      return length >= 3;
    case kFastOpen:  // RFC 7413 4.1.1: a request, or a cookie of 4 to 16 bytes
      return length == 2 || (length >= 6 && length <= 18 && length % 2 == 0);
    default:
      return true;
  }
}

// Both mean something in a SYN only. RFC 7323 2.3: a larger shift counts as 14.
void ReadSynOption(uint8_t kind, const Reader& value, Packet& packet) {
  if ((packet.tcp_flags & tcp_flag::kSyn) == 0) return;
  if (kind == kMaximumSegmentSize) {
    const auto size = value.Peek<2>();
    if (size && size->U16<0>() < kLeastSegmentSize) packet.anomalies |= MaskOf(Check::kTcpMss);
  } else if (kind == kWindowScale) {
    const auto shift = value.Peek<1>();
    if (shift) packet.tcp_window_scale = std::min(shift->U8<0>(), kMostWindowScale);
  }
}

}  // namespace

// At most 40 bytes, at least one of which each turn consumes.
Reason ParseTcpOptions(Reader options, Packet& packet) noexcept {
  while (const auto kind = options.Take<1>()) {
    if (kind->U8<0>() == kEndOfOptions) break;
    if (kind->U8<0>() == kNoOperation) continue;
    const auto length = options.Take<1>();
    if (!length || length->U8<0>() < 2) return Reason::kTcpOptionMalformed;
    const auto value = options.Split(length->U8<0>() - 2u);
    if (!value) return Reason::kTcpOptionMalformed;
    if (HasLengthOfKind(kind->U8<0>(), length->U8<0>())) {
      ReadSynOption(kind->U8<0>(), *value, packet);
    } else {
      packet.anomalies |= MaskOf(Check::kTcpOptionLength);
    }
  }
  return Reason::kUndecided;
}

}  // namespace cordon::dp

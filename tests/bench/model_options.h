// SPDX-License-Identifier: Apache-2.0
// What the tools of this folder have in common on their command lines.
#pragma once

#include <string>

#include "tests/bench/frame.h"
#include "tests/bench/model.h"

namespace cordon::bench {

struct TrafficOptions {
  ModelOptions model;
  FrameShape shape = FrameShape::kIpv4;
  // Bytes of a frame without FCS; 0: the smallest; kImix: 7 of 60, 4 of 590 and 1 of 1514 in 12.
  size_t size = 0;
  static constexpr size_t kImix = 1;

  size_t SizeOf(uint32_t flow) const;
};

inline constexpr char kModelUsage[] =
    "[--devices 1000] [--rules 16] [--flows 10000] [--deny PERCENT] [--two-policies yes|no]\n"
    "  [--shape v4|vlan|v6] [--size BYTES|imix]";

// True if the option was one of kModelUsage and its value makes sense.
bool TakeModelOption(const std::string& name, const std::string& value, TrafficOptions& options);

}  // namespace cordon::bench

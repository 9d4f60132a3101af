// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/model_options.h"

#include <algorithm>
#include <charconv>

namespace cordon::bench {
namespace {

bool TakeNumber(const std::string& value, uint32_t highest, uint32_t& number) {
  const char* const end = value.data() + value.size();
  const auto [at, error] = std::from_chars(value.data(), end, number);
  return error == std::errc() && at == end && number <= highest;
}

bool TakeShape(const std::string& value, FrameShape& shape) {
  if (value != "v4" && value != "vlan" && value != "v6") return false;
  shape = value == "v6"     ? FrameShape::kIpv6
          : value == "vlan" ? FrameShape::kIpv4Vlan
                            : FrameShape::kIpv4;
  return true;
}

bool TakeSize(const std::string& value, size_t& size) {
  if (value == "imix") {
    size = TrafficOptions::kImix;
    return true;
  }
  uint32_t number = 0;
  if (!TakeNumber(value, 1514, number) || number < 60) return false;
  size = number;
  return true;
}

}  // namespace

size_t TrafficOptions::SizeOf(uint32_t flow) const {
  if (size != kImix) return std::max(size, SmallestFrame(shape));
  const uint32_t place = flow % 12;
  return std::max<size_t>(place < 7 ? 60 : place < 11 ? 590 : 1514, SmallestFrame(shape));
}

bool TakeModelOption(const std::string& name, const std::string& value, TrafficOptions& options) {
  ModelOptions& model = options.model;
  if (name == "--devices") return TakeNumber(value, 1'000'000, model.devices) && model.devices > 0;
  if (name == "--rules") return TakeNumber(value, 1000, model.rules) && model.rules > 0;
  if (name == "--flows") return TakeNumber(value, kFlowMask, model.flows) && model.flows > 0;
  if (name == "--deny") return TakeNumber(value, 100, model.deny_percent);
  if (name == "--shape") return TakeShape(value, options.shape);
  if (name == "--size") return TakeSize(value, options.size);
  if (name != "--two-policies" || (value != "yes" && value != "no")) return false;
  model.two_policies = value == "yes";
  return true;
}

}  // namespace cordon::bench

// SPDX-License-Identifier: Apache-2.0
// Words of faults. Private to agent/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cordon::dp {

// What a fault shows of a value from outside: short and printable.
inline std::string Quote(std::string_view text) {
  constexpr size_t kLongest = 64;
  std::string quoted = "'";
  for (const char c : text.substr(0, kLongest)) {
    quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return quoted + (text.size() > kLongest ? "...'" : "'");
}

inline std::string At(const std::string& path, int i) {
  return path + "[" + std::to_string(i) + "]";
}

inline std::string Join(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/profile/profile.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace cordon::cp {
namespace {

constexpr uint8_t kIgmp = 2;
constexpr std::array<std::string_view, 5> kProtocols = {"tcp", "udp", "icmp", "icmpv6", "any"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Backtracks to the last star only, so the cost is at most pattern times text.
bool GlobFits(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && Lower(pattern[p]) == Lower(text[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool FieldFits(const std::string& pattern, const std::string& text) {
  return pattern.empty() || GlobFits(pattern, text);
}

// 0 where the match does not fit. A match without any field fits nothing: it would take every
// device.
int Specificity(const ProfileMatch& match, const Device& device) {
  if (!FieldFits(match.device_class, device.device_class) ||
      !FieldFits(match.vendor, device.vendor) || !FieldFits(match.model, device.model)) {
    return 0;
  }
  return (match.model.empty() ? 0 : 4) + (match.vendor.empty() ? 0 : 2) +
         (match.device_class.empty() ? 0 : 1);
}

}  // namespace

std::string ProtocolText(RuleProtocol protocol, uint8_t protocol_number) {
  const auto index = static_cast<size_t>(protocol);
  if (index < kProtocols.size()) return std::string(kProtocols[index]);
  return protocol_number == kIgmp ? "igmp" : std::to_string(protocol_number);
}

bool ParseProtocol(std::string_view text, RuleProtocol& protocol, uint8_t& protocol_number) {
  for (size_t i = 0; i < kProtocols.size(); ++i) {
    if (text != kProtocols[i]) continue;
    protocol = static_cast<RuleProtocol>(i);
    protocol_number = 0;
    return true;
  }
  int number = text == "igmp" ? kIgmp : 0;
  if (number == 0) {
    const bool digits =
        !text.empty() && text.size() <= 3 &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    for (const char c : digits ? text : std::string_view()) number = number * 10 + (c - '0');
  }
  if (number < 1 || number > 255) return false;
  protocol = RuleProtocol::kNumber;
  protocol_number = static_cast<uint8_t>(number);
  return true;
}

const Profile* AssignProfile(const Device& device, const std::vector<Profile>& profiles) {
  const Profile* best = nullptr;
  const Profile* unknown = nullptr;
  int best_specificity = 0;
  for (const Profile& profile : profiles) {
    if (!device.profile.empty()) {
      if (profile.name == device.profile) return &profile;
      continue;
    }
    if (profile.name == "unknown") unknown = &profile;
    for (const ProfileMatch& match : profile.match) {
      const int specificity = Specificity(match, device);
      if (specificity == 0 || specificity < best_specificity) continue;
      if (specificity == best_specificity && best->name <= profile.name) continue;
      best = &profile;
      best_specificity = specificity;
    }
  }
  return best != nullptr ? best : unknown;
}

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// What is wrong with one rule of a profile or an overlay. Private to controlplane/policy.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "controlplane/policy/configuration.h"

namespace cordon::cp {

size_t EditDistance(std::string_view a, std::string_view b);

// "; did you mean 'x'?", or nothing.
template <typename T>
std::string DidYouMean(std::string_view word, const std::map<std::string, T>& known) {
  const std::string* nearest = nullptr;
  size_t distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const auto& [name, value] : known) {
    const size_t d = EditDistance(word.substr(0, 64), name);
    if (d < distance) {
      distance = d;
      nearest = &name;
    }
  }
  return nearest == nullptr ? "" : "; did you mean '" + *nearest + "'?";
}

class RuleChecker {
 public:
  // Takes the field of the rule, and what is wrong.
  using Report = std::function<void(const std::string& field, std::string message)>;
  RuleChecker(const Configuration& configuration, Report fault)
      : configuration_(configuration), fault_(std::move(fault)) {}

  void Check(const ProfileRule& rule) const;
  void Check(const OverlayRule& rule) const;
  void CheckVlan(dp::VlanTags vlan) const;

 private:
  void CheckPeers(const std::vector<std::string>& peers) const;
  void CheckPreset(const ProfileRule& rule) const;
  void CheckGroup(const ProfileRule& rule) const;
  void CheckProtocol(RuleProtocol protocol, uint8_t number) const;
  void CheckPorts(const std::string& field, const std::vector<dp::PortRange>& ranges) const;

  const Configuration& configuration_;
  const Report fault_;
};

// What is allowed but rarely meant; empty if there is nothing.
std::string RuleWarning(const ProfileRule& rule);

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/policy/configuration.h"

#include <algorithm>

#include "controlplane/policy/describe.h"

namespace cordon::cp {
namespace {

using Details = std::vector<std::string>;

void Compare(Details& details, const std::string& field, const std::string& before,
             const std::string& after) {
  if (before == after) return;
  details.push_back(field + ": " + (before.empty() ? "(none)" : before) + " -> " +
                    (after.empty() ? "(none)" : after));
}

template <typename T>
bool Contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

Details Changes(const Device& before, const Device& after) { return DescribeChange(before, after); }

Details Changes(const Peer& before, const Peer& after) {
  Details details;
  Compare(details, "description", before.description, after.description);
  for (const dp::IpPrefix& prefix : before.addresses) {
    if (!Contains(after.addresses, prefix))
      details.push_back("addresses: - " + DescribePrefix(prefix));
  }
  for (const dp::IpPrefix& prefix : after.addresses) {
    if (!Contains(before.addresses, prefix))
      details.push_back("addresses: + " + DescribePrefix(prefix));
  }
  if (details.empty()) details.push_back("addresses: in another order");
  return details;
}

void Append(Details& details, const std::string& prefix,
            const std::map<std::string, std::string>& before,
            const std::map<std::string, std::string>& after) {
  for (const std::string& detail : DescribeChange(before, after)) {
    details.push_back(prefix + detail);
  }
}

dp::GuardSpec GuardsOf(const GatewayConfig& gateway, const std::string& pair) {
  const auto guards = gateway.guards.find(pair);
  return guards == gateway.guards.end() ? dp::GuardSpec{} : guards->second;
}

Details Changes(const Overlay& before, const Overlay& after) {
  Details details;
  Compare(details, "description", before.description, after.description);
  std::map<std::string, std::string> old, now;
  for (const OverlayRule& rule : before.rules) {
    old["rules." + rule.id] = DescribeOverlayRule(rule) + " (" + rule.reason + ")";
  }
  for (const OverlayRule& rule : after.rules) {
    now["rules." + rule.id] = DescribeOverlayRule(rule) + " (" + rule.reason + ")";
  }
  Append(details, "", old, now);
  if (details.empty()) details.push_back("rules: in another order");
  return details;
}

Details Changes(const GatewayConfig& before, const GatewayConfig& after) {
  Details details;
  Compare(details, "pairs", Join(before.pairs), Join(after.pairs));
  Compare(details, "unknown_device", before.unknown_device, after.unknown_device);
  Append(details, "", DescribeKnobs(before.protection), DescribeKnobs(after.protection));
  for (const std::string& pair : after.pairs) {
    Append(details, "pairs." + pair + ".guards.", DescribeGuards(GuardsOf(before, pair)),
           DescribeGuards(GuardsOf(after, pair)));
  }
  return details;
}

void CompareRules(Details& details, const ProfileRule& before, const ProfileRule& after) {
  const std::string field = "rules." + after.id;
  Compare(details, field, DescribeRule(before), DescribeRule(after));
  Compare(details, field + ".reason", before.reason, after.reason);
}

Details Changes(const Profile& before, const Profile& after) {
  Details details;
  Compare(details, "description", before.description, after.description);
  if (before.match != after.match) {
    Compare(details, "match", DescribeMatch(before.match), DescribeMatch(after.match));
  }
  Append(details, "", DescribeKnobs(before.knobs), DescribeKnobs(after.knobs));
  for (const ProfileRule& rule : before.rules) {
    if (FindRule(after, rule.id) == nullptr) {
      details.push_back("rules: - " + rule.id + " (" + DescribeRule(rule) + ")");
    }
  }
  for (const ProfileRule& rule : after.rules) {
    if (const ProfileRule* old = FindRule(before, rule.id)) {
      CompareRules(details, *old, rule);
    } else {
      details.push_back("rules: + " + rule.id + " (" + DescribeRule(rule) + ")");
    }
  }
  if (details.empty()) details.push_back("rules: in another order");
  return details;
}

template <typename T>
void DiffKind(const std::string& kind, const std::map<std::string, T>& before,
              const std::map<std::string, T>& after, std::vector<ResourceChange>& changes) {
  auto old = before.begin();
  auto now = after.begin();
  while (old != before.end() || now != after.end()) {
    if (now == after.end() || (old != before.end() && old->first < now->first)) {
      changes.push_back({kind, old->first, ChangeType::kRemoved, {}});
      ++old;
    } else if (old == before.end() || now->first < old->first) {
      changes.push_back({kind, now->first, ChangeType::kAdded, {}});
      ++now;
    } else {
      if (!(old->second == now->second)) {
        Details details = Changes(old->second, now->second);
        // A device's source alone is not a change of the configuration.
        if (!details.empty()) {
          changes.push_back({kind, now->first, ChangeType::kChanged, std::move(details)});
        }
      }
      ++old, ++now;
    }
  }
}

}  // namespace

bool IsResourceName(std::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  if (!letter_or_digit(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return letter_or_digit(c) || c == '.' || c == '_' || c == '-';
  });
}

std::string RefuseName(std::string_view kind, std::string_view name) {
  if (!IsResourceName(name)) {
    return "a name has 1 to 63 characters of a-z, 0-9, '.', '_' and '-', and begins with a letter "
           "or a digit";
  }
  if (kind == "Peer" && name == "any") return "'any' stands for every address; choose another name";
  if (kind == "Peer" && dp::ParsePrefix(name)) {
    return "a peer's name may not look like an address, or rules that use it would be ambiguous";
  }
  if (kind == "Profile" && name == "deny") {
    return "'deny' is what unknown_device says for no profile; choose another name";
  }
  return "";
}

std::vector<ResourceChange> DiffConfigurations(const Configuration& before,
                                               const Configuration& after) {
  std::vector<ResourceChange> changes;
  DiffKind("Peer", before.peers, after.peers, changes);
  DiffKind("Profile", before.profiles, after.profiles, changes);
  DiffKind("Gateway", before.gateways, after.gateways, changes);
  DiffKind("Overlay", before.overlays, after.overlays, changes);
  DiffKind("Device", before.devices, after.devices, changes);
  return changes;
}

}  // namespace cordon::cp

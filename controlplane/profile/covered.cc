// SPDX-License-Identifier: Apache-2.0
#include "controlplane/profile/covered.h"

#include <algorithm>
#include <string>
#include <vector>

namespace cordon::cp {
namespace {

bool PeerCovers(const std::string& earlier, const std::string& later) {
  if (earlier == "any" || earlier == later) return true;
  const auto block = dp::ParsePrefix(earlier), part = dp::ParsePrefix(later);
  return block && part && block->address.IsV4() == part->address.IsV4() &&
         block->length <= part->length && block->Contains(part->address);
}

// No port at all means every port.
bool PortsCover(const std::vector<dp::PortRange>& earlier,
                const std::vector<dp::PortRange>& later) {
  if (earlier.empty()) return true;
  const auto is_covered = [&](const dp::PortRange& range) {
    return std::any_of(earlier.begin(), earlier.end(), [&](const dp::PortRange& wide) {
      return wide.first <= range.first && wide.last >= range.last;
    });
  };
  return !later.empty() && std::all_of(later.begin(), later.end(), is_covered);
}

// No type at all means those that need not be named.
bool TypesCover(const std::vector<uint8_t>& earlier, const std::vector<uint8_t>& later) {
  if (earlier.empty() || later.empty()) return earlier.empty() && later.empty();
  return std::all_of(later.begin(), later.end(), [&](uint8_t type) {
    return std::find(earlier.begin(), earlier.end(), type) != earlier.end();
  });
}

bool Covers(const ProfileRule& earlier, const ProfileRule& later) {
  const bool is_protocol = earlier.protocol == later.protocol ||
                           (earlier.protocol == RuleProtocol::kAny && later.icmp_types.empty());
  const bool is_peer =
      std::all_of(later.peer.begin(), later.peer.end(), [&](const std::string& peer) {
        return std::any_of(earlier.peer.begin(), earlier.peer.end(),
                           [&](const std::string& wide) { return PeerCovers(wide, peer); });
      });
  const bool is_vlan = !earlier.vlan || earlier.vlan == later.vlan;
  const bool is_kept = earlier.keep_alive || !later.keep_alive;
  if (!is_protocol || !is_peer || !is_vlan || !is_kept ||
      !PortsCover(earlier.peer_ports, later.peer_ports) ||
      !PortsCover(earlier.device_ports, later.device_ports) ||
      !TypesCover(earlier.icmp_types, later.icmp_types)) {
    return false;
  }
  // Whatever else a rule says must be the same.
  ProfileRule alike = later;
  alike.id = earlier.id;
  alike.peer = earlier.peer;
  alike.protocol = earlier.protocol;
  alike.peer_ports = earlier.peer_ports;
  alike.device_ports = earlier.device_ports;
  alike.icmp_types = earlier.icmp_types;
  alike.vlan = earlier.vlan;
  alike.idle_timeout = earlier.idle_timeout;
  alike.keep_alive = earlier.keep_alive;
  alike.reason = earlier.reason;
  return alike == earlier;
}

}  // namespace

const ProfileRule* FindCovering(const Profile& profile, size_t index) {
  const auto end = profile.rules.begin() + static_cast<ptrdiff_t>(index);
  const auto found = std::find_if(profile.rules.begin(), end, [&](const ProfileRule& earlier) {
    return Covers(earlier, profile.rules[index]);
  });
  return found == end ? nullptr : &*found;
}

}  // namespace cordon::cp

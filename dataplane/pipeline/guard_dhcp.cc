// SPDX-License-Identifier: Apache-2.0
// DHCP and DHCPv6 (RFC 2131, RFC 8415, shield of RFC 7610): servers are on the network side and
// those that are listed, clients speak for themselves, and nobody is given another device's
// address. What passes here still needs a rule. A lease that passes binds the address to the
// device.
#include <algorithm>

#include "dataplane/pipeline/guard.h"

namespace cordon::dp {
namespace {

bool IsV6(const Packet& packet) { return packet.layer3 == Layer3::kIpv6; }

LeaseHolder HolderOf(const FlowKey& key, MacAddress mac) { return {mac, key.pair(), key.vlan()}; }

// DHCP names its client; DHCPv6 is sent to it.
MacAddress ClientOf(const Packet& packet, Side side) {
  if (!IsV6(packet)) return packet.dhcp.client;
  return side == Side::kDevice ? packet.source_mac : packet.destination_mac;
}

Reason FromDevice(const Packet& packet) {
  const DhcpFacts& dhcp = packet.dhcp;
  const bool is_v6 = IsV6(packet);
  const uint16_t client_port = is_v6 ? l4_port::kDhcpv6Client : l4_port::kDhcpClient;
  if (packet.destination_port == client_port || dhcp.role == DhcpRole::kServer) {
    return Reason::kDhcpServerOnDeviceSide;
  }
  if (dhcp.is_relayed || dhcp.role == DhcpRole::kRelay) return Reason::kDhcpRelay;
  if (packet.source_port != client_port) return Reason::kDhcpPorts;
  if (!is_v6 && dhcp.client != packet.source_mac) return Reason::kDhcpClientMac;
  return Reason::kUndecided;
}

// If any server of the family is named, only those are.
bool IsListedServer(const PairGuards& guards, const IpAddress& ip) {
  const auto& servers = guards.dhcp_servers;
  const bool any = std::ranges::none_of(
      servers, [&](const IpAddress& server) { return server.IsV4() == ip.IsV4(); });
  return any || std::ranges::find(servers, ip) != servers.end();
}

bool IsForDevice(const GuardedFrame& frame) {
  const Packet& packet = frame.packet();
  if (IsV6(packet)) return true;  // told by the frame's address alone
  if (frame.device() != kGroupDevice) return packet.dhcp.client == packet.destination_mac;
  return frame.IsDeviceMac(packet.dhcp.client) || frame.policy().HasUnknownDeviceRules();
}

// Whether the inventory, or the lease of another device, has it that the address is not the
// client's. The first one keeps it.
bool IsGivenWrongly(const GuardedFrame& frame) {
  const Packet& packet = frame.packet();
  const IpAddress& ip = packet.dhcp.address;
  const FlowKey& key = frame.key();
  if (ip.IsUnspecified()) return false;
  const MacAddress client = ClientOf(packet, Side::kNetwork);
  const DeviceIndex device = frame.policy().FindByMac(key.pair(), key.vlan(), client);
  const DeviceIndex owner = frame.policy().FindByIp(key.pair(), key.vlan(), ip);
  if (owner != kNoDevice) return owner != device;
  if (frame.policy().HasBoundAddresses(device)) return true;
  const MacAddress holder =
      frame.context().bindings.HolderOf(key.pair(), key.vlan(), ip, frame.context().now);
  return !holder.IsZero() && holder != client && frame.IsDeviceMac(holder);
}

// Without authentication anybody could make a device ask anew (RFC 3203, RFC 8415 20.4).
bool IsSummons(const Packet& packet) {
  return packet.dhcp.type ==
         (IsV6(packet) ? dhcpv6_type::kReconfigure : uint8_t{dhcp_type::kForceRenew});
}

Reason FromNetwork(const GuardedFrame& frame) {
  const Packet& packet = frame.packet();
  const bool is_v6 = IsV6(packet);
  const uint16_t server_port = is_v6 ? l4_port::kDhcpv6Server : l4_port::kDhcpServer;
  if (packet.destination_port == server_port) return Reason::kDhcpClientOnNetworkSide;
  if (packet.source_port != server_port || packet.dhcp.role != DhcpRole::kServer) {
    return Reason::kDhcpPorts;
  }
  if (!IsListedServer(frame.guards(), packet.source)) return Reason::kDhcpServerNotListed;
  if (IsSummons(packet)) return Reason::kDhcpSummons;
  if (!IsForDevice(frame)) return Reason::kDhcpClientMac;
  return IsGivenWrongly(frame) ? Reason::kDhcpAddressTaken : Reason::kUndecided;
}

enum class Lesson : uint8_t { kNone, kAsks, kGivesBack, kGranted, kRefused };

Lesson LessonOf(const DhcpFacts& dhcp) {
  switch (dhcp.type) {
    case 0:
      return dhcp.role == DhcpRole::kServer ? Lesson::kGranted : Lesson::kAsks;
    case dhcp_type::kDiscover:
    case dhcp_type::kRequest:
      return Lesson::kAsks;
    case dhcp_type::kRelease:
    case dhcp_type::kDecline:
      return Lesson::kGivesBack;
    case dhcp_type::kAck:
      return Lesson::kGranted;
    case dhcp_type::kNak:
      return Lesson::kRefused;
    default:
      return Lesson::kNone;
  }
}

Lesson LessonOfV6(const DhcpFacts& dhcp) {
  switch (dhcp.type) {
    case dhcpv6_type::kSolicit:
    case dhcpv6_type::kRequest:
    case dhcpv6_type::kRenew:
    case dhcpv6_type::kRebind:
      return Lesson::kAsks;
    case dhcpv6_type::kRelease:
    case dhcpv6_type::kDecline:
      return Lesson::kGivesBack;
    case dhcpv6_type::kReply:
      // A device that holds several addresses is not held to one of them.
      return dhcp.several_addresses ? Lesson::kRefused : Lesson::kGranted;
    default:
      return Lesson::kNone;
  }
}

// Leases of devices that are gone from the policy hold nobody up.
void ForgetFormerHolder(const Context& context, const FlowKey& key, const IpAddress& ip) {
  const MacAddress holder = context.bindings.HolderOf(key.pair(), key.vlan(), ip, context.now);
  if (holder.IsZero()) return;
  if (context.policy.FindByMac(key.pair(), key.vlan(), holder) != kNoDevice) return;
  context.bindings.Release(HolderOf(key, holder), FamilyOf(ip));
}

void Learn(const Context& context, const LeaseHolder& device, const Slot& slot) {
  const DhcpFacts& dhcp = slot.packet.dhcp;
  if (dhcp.address.IsUnspecified()) return;
  ForgetFormerHolder(context, slot.key, dhcp.address);
  const auto outcome =
      context.bindings.Learn(device, dhcp.address, dhcp.lease_seconds, context.now);
  if (outcome != Bindings::Outcome::kLearned) context.counters.leases_not_learned.Add(1);
}

}  // namespace

Decision JudgeDhcp(const GuardedFrame& frame) noexcept {
  const Reason reason = frame.from_device() ? FromDevice(frame.packet()) : FromNetwork(frame);
  return reason == Reason::kUndecided ? Decision{} : frame.Refused(reason);
}

// A device of the policy that the inventory binds to no address: what the others have is known.
void LearnFromDhcp(const Context& context, const Slot& slot) noexcept {
  const Packet& packet = slot.packet;
  const LeaseHolder client = HolderOf(slot.key, ClientOf(packet, slot.side));
  const DeviceIndex device = context.policy.FindByMac(client.pair, client.vlan, client.mac);
  if (device == kNoDevice || context.policy.HasBoundAddresses(device)) return;
  const bool is_v6 = IsV6(packet);
  const LeaseFamily family = is_v6 ? LeaseFamily::kV6 : LeaseFamily::kV4;
  const uint32_t transaction = packet.dhcp.transaction;
  const auto is_awaited = [&] {
    return context.bindings.AwaitsAnswer(client, family, transaction, context.now);
  };
  switch (is_v6 ? LessonOfV6(packet.dhcp) : LessonOf(packet.dhcp)) {
    case Lesson::kAsks:
      if (!context.bindings.NoteRequest(client, family, transaction, context.now)) {
        context.counters.leases_not_learned.Add(1);
      }
      break;
    case Lesson::kGivesBack:
      context.bindings.Release(client, family);
      break;
    case Lesson::kGranted:
      if (is_awaited()) Learn(context, client, slot);
      break;
    case Lesson::kRefused:
      if (is_awaited()) context.bindings.Release(client, family);
      break;
    case Lesson::kNone:
      break;
  }
  context.counters.leases.Set(context.bindings.leases());
}

}  // namespace cordon::dp

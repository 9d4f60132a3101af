// SPDX-License-Identifier: Apache-2.0
// ARP (RFC 826, RFC 5227). What a frame claims must belong to who sends it, in requests, replies
// and gratuitous ones alike; what it asks for must be a device's.
//
// Broadcast questions for an address that may be anybody's (a device of the pair has no bound
// addresses, or unknown devices are allowed) cannot be told apart from questions for that device,
// so they pass. So does a probe of the network side for a device's address: the device defends it,
// which keeps the other one from taking it.
#include "dataplane/pipeline/guard.h"

namespace cordon::dp {
namespace {

constexpr uint16_t kArpRequest = 1;

// What a station may call its own.
bool IsHostAddress(const IpAddress& ip) {
  const uint32_t address = ip.AsV4();
  return address >> 24 != 0 && address >> 24 != 127 && address >> 28 < 14;
}

Reason FromDevice(const GuardedFrame& frame) {
  const Packet& packet = frame.packet();
  const ArpFacts& arp = packet.arp;
  if (arp.sender_mac != packet.source_mac) return Reason::kArpSenderMac;
  // A probe asks with the sender 0.0.0.0 whether an address that it is about to take is free.
  if (arp.sender_ip.IsUnspecified()) {
    const bool may_take = IsHostAddress(arp.target_ip) && frame.BelongsToDevice(arp.target_ip);
    return may_take ? Reason::kUndecided : Reason::kArpProbeNotBound;
  }
  if (!IsHostAddress(arp.sender_ip)) return Reason::kArpMalformed;
  return frame.BelongsToDevice(arp.sender_ip) ? Reason::kUndecided : Reason::kArpSenderNotBound;
}

Reason FromNetwork(const GuardedFrame& frame) {
  const ArpFacts& arp = frame.packet().arp;
  if (frame.IsDeviceIp(arp.sender_ip) || frame.IsDeviceMac(arp.sender_mac)) {
    return Reason::kArpSenderNotBound;
  }
  const bool is_probe = arp.sender_ip.IsUnspecified();
  // RFC 1812 3.3.2: nobody is at a group MAC.
  const bool has_sender = (is_probe || IsHostAddress(arp.sender_ip)) && !arp.sender_mac.IsGroup() &&
                          !arp.sender_mac.IsZero();
  if (!has_sender) return Reason::kArpMalformed;
  const bool is_gratuitous = arp.sender_ip == arp.target_ip;
  if (is_gratuitous) {
    return frame.SomebodyListens() ? Reason::kUndecided : Reason::kArpTargetNotBound;
  }
  const bool is_request = arp.operation == kArpRequest;
  const bool is_for_device =
      frame.device() == kGroupDevice
          ? frame.IsDeviceIp(arp.target_ip) || (is_request && frame.MayBeAnybodys())
          : frame.BelongsToDevice(arp.target_ip);
  return is_for_device ? Reason::kUndecided : Reason::kArpTargetNotBound;
}

}  // namespace

Decision JudgeArp(const GuardedFrame& frame) noexcept {
  if (!frame.from_device() && frame.IsDeviceMac(frame.packet().source_mac)) {
    return frame.Refused(Reason::kDeviceMacOnNetworkSide);
  }
  const Reason reason = frame.from_device() ? FromDevice(frame) : FromNetwork(frame);
  return reason == Reason::kUndecided ? frame.Passed(Reason::kArpGuard) : frame.Refused(reason);
}

}  // namespace cordon::dp

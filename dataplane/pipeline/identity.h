// SPDX-License-Identifier: Apache-2.0
// Whose flow it is, which addresses are its own, and what its device's policy says: questions that
// several stages ask, and that are answered from a flow key and what is known of leases. Private to
// pipeline/.
#pragma once

#include <cstdint>

#include "dataplane/flow/key.h"
#include "dataplane/policy/decide.h"

namespace cordon::dp {

struct Context;

// The key of the packet itself; what does not apply is 0, so that each frame with an Ethernet
// header has one. Of an ICMP error this is not the key of the flow that it quotes.
FlowKey KeyOf(const Packet& packet, Side side, uint16_t pair) noexcept;

// The key of the flow that an ICMP error belongs to. False if the error does not go from an end of
// the quoted packet (on the device side) or any router (on the network side) back to the sender.
bool QuotedKeyOf(const Packet& packet, Side side, uint16_t pair, FlowKey& key) noexcept;

// The device of a key: by MAC, else (behind a router) by address; kGroupDevice for a group MAC;
// kUnknownDeviceIndex if nobody owns it and there are rules for that; else kNoDevice.
DeviceIndex FindDevice(const PolicyTable& policy, const FlowKey& key) noexcept;

// Whether `ip` belongs to the device: it is bound to it, or the device has no bound addresses and
// the address is bound or leased to no other device of the pair and VLAN. A device that was seen to
// get a lease has that address only, in the lease's family. Also for kUnknownDeviceIndex.
bool MayUse(const Context& context, DeviceIndex device, const FlowKey& key,
            const IpAddress& ip) noexcept;

// Whether `ip` is bound or leased to any device of the key's pair and VLAN.
bool IsTaken(const Context& context, const FlowKey& key, const IpAddress& ip) noexcept;

// Whether a packet to `ip` is for many: multicast, limited broadcast, or the broadcast address of a
// subnet that `sender` is in, as far as the address itself can tell: /8 to /28.
bool IsGroupAddress(const IpAddress& ip, const IpAddress& sender) noexcept;

// The MAC that a link-local address was made from (RFC 4291, appendix A); zero if from none.
MacAddress MacOfLinkLocal(const IpAddress& ip) noexcept;

// Why nobody owns the MAC of the key: kUnknownDevice, or, on the device side, kMacOnOtherPair.
Reason ReasonOfStranger(const PolicyTable& policy, const FlowKey& key, Initiator sender) noexcept;

// Why a packet of this key may not even be asked about: identity, spoofing, binding. kUndecided if
// it may. `sender` is who sent it.
Reason CheckIdentity(const Context& context, DeviceIndex device, const FlowKey& key,
                     Initiator sender) noexcept;

// What a drop for `reason` becomes for the device of the key, the group device included.
Decision RefuseFlow(const PolicyTable& policy, DeviceIndex device, const FlowKey& key,
                    Reason reason) noexcept;

// A frame from the network side with a device's own MAC as its source: switches on the device side
// would learn that the device is elsewhere. The key of a flow does not tell, so each frame is
// asked.
bool CarriesDeviceMac(const PolicyTable& policy, const Packet& packet, Side side,
                      const FlowKey& key) noexcept;

// UDP whose every frame a guard looks at: DHCP and DHCPv6.
bool IsGuardedUdp(const FlowKey& key) noexcept;

FlowQuestion QuestionOf(const FlowKey& key, Initiator initiator) noexcept;

// What mode and rules of the device say; its identity and addresses were looked at.
Decision DecideByRules(const PolicyTable& policy, DeviceIndex device, const FlowKey& key,
                       Initiator initiator) noexcept;

// Decides a flow by its key and initiator: identity, binding, mode and rules.
Decision DecideFlow(const Context& context, const FlowKey& key, Initiator initiator) noexcept;

}  // namespace cordon::dp

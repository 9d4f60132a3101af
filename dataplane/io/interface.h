// SPDX-License-Identifier: Apache-2.0
// Makes a Linux interface fit to be a port: frames must look to the gateway as they do on the wire,
// and the machine's own network stack must keep quiet on it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace cordon::dp {

struct InterfaceFacts {
  int index = 0;
  size_t mtu = 0;
};

// Switches off what would change, merge or split frames (checksum and segmentation offloads, GRO,
// LRO, VLAN acceleration), switches on promiscuous mode and the link, and stops the stack of this
// machine from answering there (ARP, IPv6). What cannot be done is a warning that says what follows
// from it. nullopt, with `error`, if there is no such interface or it must not be touched.
// The other end of a veth pair belongs to the device: its offloads must be off too, or its frames
// arrive with unfinished checksums.
std::optional<InterfaceFacts> PrepareInterface(const std::string& name,
                                               std::vector<std::string>& warnings,
                                               std::string& error);

}  // namespace cordon::dp

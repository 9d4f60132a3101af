// SPDX-License-Identifier: Apache-2.0
// A flow as a gateway reported it: refused, audited or forwarded. Addresses and numbers only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "dataplane/packet/address.h"
#include "dataplane/packet/reason.h"
#include "dataplane/policy/spec.h"

namespace cordon::cp {

struct FlowRecord {
  std::string gateway;
  std::string pair;
  std::string device;  // empty: unknown device or group traffic
  dp::MacAddress device_mac;
  dp::MacAddress peer_mac;  // zero: not known
  dp::VlanTags vlan;
  dp::Initiator initiator = dp::Initiator::kDevice;
  uint8_t protocol = 0;  // IANA number; 0 for frames that are not IP
  uint16_t ethertype = 0;
  std::optional<dp::IpAddress> device_ip;
  std::optional<dp::IpAddress> peer_ip;
  uint16_t device_port = 0;  // L4 ports
  uint16_t peer_port = 0;
  uint8_t icmp_type = 0;
  dp::Verdict verdict = dp::Verdict::kDrop;
  std::string reason;  // by name: a newer gateway may know reasons that this controller does not
  std::string rule;
  uint64_t generation = 0;
  std::chrono::system_clock::time_point first_seen;
  std::chrono::system_clock::time_point last_seen;
  uint64_t count = 1;  // 0: only the frames and bytes of flows that earlier records have counted
  uint64_t initiator_frames = 0;
  uint64_t initiator_bytes = 0;
  uint64_t responder_frames = 0;
  uint64_t responder_bytes = 0;
};

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
// May this pass? The single implementation: pipeline, replay, explain, simulate and the fuzzers all
// call Decide.
#pragma once

#include "dataplane/packet/reason.h"
#include "dataplane/policy/table.h"

namespace cordon::dp {

struct Decision {
  Verdict verdict = Verdict::kDrop;
  Reason reason = Reason::kUndecided;
  DeviceIndex device = kNoDevice;
  RuleIndex rule = kNoRuleIndex;
  uint32_t idle_timeout_seconds = 0;  // of the rule; 0: the default of the protocol
};

// Decides a flow of `device`. What the overlay denies is dropped in every mode, under the overlay's
// rule. The rest goes by the mode and rules of the device: observe: forward (with the rule, if one
// matches; reason observe_mode if none). audit: as enforce, but drop becomes audit.
Decision Decide(const PolicyTable& policy, DeviceIndex device,
                const FlowQuestion& question) noexcept;

// Decides a broadcast or multicast flow from the network side toward the devices of a pair.
Decision DecideGroup(const PolicyTable& policy, uint16_t pair,
                     const FlowQuestion& question) noexcept;

// What a drop for `reason` becomes for this device: observe forwards, audit audits. Frames of
// no device and of unknown devices stay dropped.
Decision Refuse(const PolicyTable& policy, DeviceIndex device, Reason reason) noexcept;

// The same for a group frame toward the devices of (pair, VLAN): GroupMode stands for the mode.
Decision RefuseGroup(const PolicyTable& policy, uint16_t pair, VlanTags vlan,
                     Reason reason) noexcept;

}  // namespace cordon::dp

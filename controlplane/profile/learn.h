// SPDX-License-Identifier: Apache-2.0
// From flows that were seen to the rules that would cover them. Proposes, never decides.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "controlplane/profile/profile.h"

namespace cordon::cp {

// What a gateway saw of one conversation, summed up over time.
struct Observation {
  std::string device;
  RuleInitiator initiator = RuleInitiator::kDevice;
  uint8_t protocol = 0;  // IANA number
  dp::IpAddress peer;
  uint16_t peer_port = 0;  // of the side that listens; the ephemeral side's port is not kept
  uint16_t device_port = 0;
  uint8_t icmp_type = 0;
  bool answered = false;  // the responder sent at least one frame
  std::chrono::system_clock::time_point first_seen;
  std::chrono::system_clock::time_point last_seen;
  std::vector<int32_t> days;  // days since 1970 with traffic, sorted
  uint64_t flows = 0;
  uint64_t bytes = 0;
};

struct ProposedRule {
  ProfileRule rule;
  uint32_t devices = 0, days = 0;
  uint64_t flows = 0, bytes = 0;
  std::chrono::system_clock::time_point first_seen, last_seen;
  std::string covered_by;  // rule of the present profile that already allows it, or empty
};

struct Proposal {
  std::string name;  // of the proposed profile: the device's or profile's name + "-learned"
  std::vector<ProposedRule> rules;
  std::vector<std::string> left_out;  // sentences: what was not proposed and why (half-open, scans)
};

// Deterministic: the same observations in any order give the same proposal. One rule per initiator,
// protocol, listening port and set of peers; addresses are named by `peers` only where a peer is
// exactly that address set, and never widened.
Proposal Propose(const std::string& name, const std::vector<Observation>& observations,
                 const Profile* present, const std::vector<Peer>& peers);

// The proposal as YAML documents with its evidence in comments, ready to edit and apply.
std::string ToYaml(const Proposal& proposal);

}  // namespace cordon::cp

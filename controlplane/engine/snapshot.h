// SPDX-License-Identifier: Apache-2.0
// The configuration at one moment with everything made from it: immutable, shared by all readers.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/policy/assemble.h"
#include "dataplane/policy/table.h"

namespace cordon::cp {

// What one gateway shall enforce, as it is pushed and as the gateway compiles it. Both null: the
// configuration of this gateway is not sound (only after a start with a database that an older
// Cordon accepted).
struct AssembledGateway {
  std::shared_ptr<const PolicySet> set;  // its generation is when the content last changed
  std::shared_ptr<const dp::PolicyTable> table;
};

struct Snapshot {
  uint64_t generation = 0;  // newest in the ledger
  Configuration configuration;
  std::vector<Profile> profiles;  // of the configuration, as AssignProfile wants them
  std::map<std::string, AssembledGateway> gateways;
  // "Device ct-2" -> when it was last changed, as far back as the ledger is read at start.
  std::map<std::string, std::chrono::system_clock::time_point> changed;

  // Profile in force for a device; "" if none.
  std::string EffectiveProfile(const Device& device) const;
};

// What a change of configuration would do.
struct Evaluation {
  std::vector<InputFault> faults;  // if any, nothing else but warnings is set
  std::vector<InputFault> warnings;
  std::vector<ResourceChange> changes;
  std::map<std::string, AssembledGateway> gateways;
  std::vector<std::string> changed_gateways;  // whose policy set has other content, or must be sent
};

struct EvaluationInput {
  const Configuration& after;
  const Places& places;
  uint64_t generation = 0;  // that changed policy sets get
  // Gateways that get a new policy set even if its content is the same.
  std::vector<std::string> resend;
};

// Checks, assembles and compiles a configuration. Pure; the expensive part of every change: seconds
// for tens of thousands of devices, so no lock that a session needs is held meanwhile.
Evaluation Evaluate(const Snapshot& before, const EvaluationInput& input);

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/engine/snapshot.h"

#include <algorithm>
#include <utility>

namespace cordon::cp {

std::string Snapshot::EffectiveProfile(const Device& device) const {
  const Profile* profile = AssignProfile(device, profiles);
  return profile == nullptr ? "" : profile->name;
}

Evaluation Evaluate(const Snapshot& before, const EvaluationInput& input) {
  Evaluation result;
  Checked checked = Check(input.after, input.places);
  result.warnings = std::move(checked.warnings);
  result.faults = std::move(checked.faults);
  if (!result.faults.empty()) return result;

  result.changes = DiffConfigurations(before.configuration, input.after);
  for (const auto& [name, gateway] : input.after.gateways) {
    auto set = std::make_shared<const PolicySet>(Assemble(input.after, name, input.generation));
    const auto known = before.gateways.find(name);
    const bool resend = std::ranges::find(input.resend, name) != input.resend.end();
    if (!resend && known != before.gateways.end() && known->second.set &&
        SameContent(*known->second.set, *set)) {
      result.gateways[name] = known->second;
      continue;
    }
    dp::CompileResult compiled = dp::Compile(*set);
    for (dp::Fault& fault : compiled.faults) {
      result.faults.push_back({"Gateway " + name + ": " + fault.path, std::move(fault.message)});
    }
    result.gateways[name] = {.set = std::move(set), .table = std::move(compiled.table)};
    result.changed_gateways.push_back(name);
  }
  if (!result.faults.empty()) {
    result.changes.clear();
    result.gateways.clear();
    result.changed_gateways.clear();
  }
  return result;
}

}  // namespace cordon::cp

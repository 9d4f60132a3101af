// SPDX-License-Identifier: Apache-2.0
// Knobs and guards as JSON. What is not set is not written, so databases of older versions read as
// before. Private to store/.
#pragma once

#include <optional>

#include "controlplane/policy/configuration.h"
#include "controlplane/store/json_object.h"

namespace cordon::cp {

// Key "protection": the level; "checks": texts such as "ipv6=drop".
void WriteProtection(Writer& writer, const Protection& protection);
Protection ReadProtection(Reader& reader);
// And "limits": texts such as "max_flows=64".
void WriteKnobs(Writer& writer, const Knobs& knobs);
Knobs ReadKnobs(Reader& reader);
// Key "guards": an object a pair.
void WriteGuards(Writer& writer, const std::map<std::string, dp::GuardSpec>& guards);
std::map<std::string, dp::GuardSpec> ReadGuards(Reader& reader);

}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/agent/agent_state.h"

namespace cordon::dp {

std::string_view ToString(PolicySource source) {
  switch (source) {
    case PolicySource::kNone:
      return "none";
    case PolicySource::kController:
      return "controller";
    case PolicySource::kStored:
      return "stored";
    case PolicySource::kPrevious:
      return "previous";
  }
  return "none";
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet/packet.h"

namespace cordon::dp {

std::string_view ToString(Side side) { return side == Side::kDevice ? "device" : "network"; }

}  // namespace cordon::dp

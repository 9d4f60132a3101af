// SPDX-License-Identifier: Apache-2.0
// `cordonctl --gateway-socket PATH status`: a look at the box itself.
#pragma once

#include "controlplane/cli/context.h"

namespace cordon::cp::cli {

ExitCode RunGatewayStatus(Context& context);

}  // namespace cordon::cp::cli

// SPDX-License-Identifier: Apache-2.0
// The table of gateways, shown by `gateways`, `get gateways` and `status`.
#pragma once

#include "controlplane/cli/context.h"
#include "cordon/v1/inventory_service.pb.h"

namespace cordon::cp::cli {

ExitCode ListGateways(Context& context, v1::ListGatewaysResponse* response);
void PrintGateways(Context& context, const v1::ListGatewaysResponse& response);

}  // namespace cordon::cp::cli

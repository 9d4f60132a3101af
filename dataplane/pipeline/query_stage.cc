// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/stages.h"

namespace cordon::dp {

void QueryStage(const Context& context) noexcept {
  FlowMailbox* mailbox = context.options.flow_mailbox;
  if (mailbox == nullptr || !mailbox->HasQuestion()) [[likely]]
    return;
  const FlowTable& flows = context.flows;
  mailbox->Answer(flows.high_water(), [&](FlowIndex flow, FlowEvent& event) {
    if (!flows.At(flow).in_use()) return false;
    event = LiveEventOf(flows, flow, context.now);
    return true;
  });
}

}  // namespace cordon::dp

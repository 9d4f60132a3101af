// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/interrupt.h"

namespace cordon::cp::cli {

void Interrupt::Trigger() {
  const std::lock_guard lock(mutex_);
  triggered_ = true;
  for (grpc::ClientContext* call : calls_) call->TryCancel();
}

bool Interrupt::triggered() const {
  const std::lock_guard lock(mutex_);
  return triggered_;
}

void Interrupt::Add(grpc::ClientContext& call) {
  const std::lock_guard lock(mutex_);
  calls_.insert(&call);
  if (triggered_) call.TryCancel();
}

void Interrupt::Remove(grpc::ClientContext& call) {
  const std::lock_guard lock(mutex_);
  calls_.erase(&call);
}

}  // namespace cordon::cp::cli

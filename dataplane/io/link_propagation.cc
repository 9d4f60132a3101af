// SPDX-License-Identifier: Apache-2.0
#include "dataplane/io/link_propagation.h"

namespace cordon::dp {
namespace {

Side OtherSide(Side side) { return side == Side::kDevice ? Side::kNetwork : Side::kDevice; }

}  // namespace

LinkPropagation::Step LinkPropagation::Next(const std::array<bool, kSideCount>& up, TimePoint now) {
  const auto is_up = [&](Side side) { return up[static_cast<size_t>(side)]; };
  if (held_down_) {
    const Side side = *held_down_;
    if (!is_up(OtherSide(side))) return {};
    held_down_.reset();
    settled_[static_cast<size_t>(side)] = now + kSettle;
    return {Action::kBringUp, side};
  }
  for (const Side side : {Side::kDevice, Side::kNetwork}) {
    TimePoint& settled = settled_[static_cast<size_t>(side)];
    if (is_up(side)) settled = now;
    if (is_up(side) || now < settled || !is_up(OtherSide(side))) continue;
    held_down_ = OtherSide(side);
    return {Action::kTakeDown, *held_down_};
  }
  return {};
}

}  // namespace cordon::dp

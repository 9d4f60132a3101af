// SPDX-License-Identifier: Apache-2.0
// Carries the link state of one port of a pair to the other, so that a switch or device behind it
// notices at once that the way is broken. Only the decision: no port is touched here.
#pragma once

#include <array>
#include <chrono>
#include <optional>

#include "dataplane/packet/packet.h"

namespace cordon::dp {

// One pair. It takes down at most one port, remembers that it was itself, and brings no other up.
// Not thread-safe.
class LinkPropagation {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // A port that was just brought up is given this long to find its link again before that it has
  // none counts as a loss: negotiation takes seconds, and two ports that wait for each other would
  // never come up.
  static constexpr std::chrono::seconds kSettle{5};

  explicit LinkPropagation(TimePoint now) { settled_.fill(now + kSettle); }

  enum class Action { kNone, kTakeDown, kBringUp };
  struct Step {
    Action action = Action::kNone;
    Side side = Side::kDevice;
  };

  // What to do now that the links of the ports, by Side, are as `up` says.
  Step Next(const std::array<bool, kSideCount>& up, TimePoint now);

  // The port that is down because the other one is.
  std::optional<Side> held_down() const { return held_down_; }

 private:
  std::optional<Side> held_down_;
  std::array<TimePoint, kSideCount> settled_{};
};

}  // namespace cordon::dp

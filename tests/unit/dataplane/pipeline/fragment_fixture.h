// SPDX-License-Identifier: Apache-2.0
// A gateway that is sent pieces of datagrams, and what finally becomes of each frame.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <vector>

#include "tests/support/gateway.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {

inline const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
inline const Station kCt{Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}};
inline const Station kServer{Mac("0a:00:00:00:00:09"), Ip("10.0.0.9"), {}};
inline const Station kPumpV6{Mac("02:00:00:00:00:06"), Ip("fd00::6"), {}};
inline const Station kServerV6{Mac("0a:00:00:00:00:09"), Ip("fd00::9"), {}};

inline FrameBuilder Out(const Station& device = kPump, const Station& server = kServer) {
  return FrameBuilder().FromDevice(device).DestinationMac(server.mac).To(server.ip);
}
inline FrameBuilder OutV6() { return Out(kPumpV6, kServerV6); }

// Devices that may send to udp/5000 and tcp/104 of the servers and ping them.
inline Policy FragmentPolicy(Mode mode = Mode::kEnforce, uint16_t udp_port = 5000) {
  constexpr Initiator kOut = Initiator::kDevice;
  return Policy()
      .Rules({Allow(kOut, RuleProtocol::kUdp, "10.0.0.9").Peer("fd00::9").PeerPort(udp_port),
              Allow(kOut, RuleProtocol::kTcp, "10.0.0.9").Peer("fd00::9").PeerPort(104),
              Allow(kOut, RuleProtocol::kIcmp, "10.0.0.9").IcmpType(8)})
      .Device("pump", kPump, mode)
      .Device("ct", kCt, mode)
      .Device("pump6", kPumpV6, mode);
}

class FragmentTest : public ::testing::Test {
 protected:
  explicit FragmentTest(const FragmentLimits& limits = {}) : gateway_({.fragments = limits}) {
    gateway_.Enforce(FragmentPolicy());
  }
  // The number of the first of these frames, which come in one burst.
  size_t Send(const std::vector<Bytes>& frames, Side side = Side::kDevice) {
    const size_t begin = final_.size();
    const std::vector<Decision> decisions = gateway_.SendBurst(side, frames);
    for (size_t i = 0; i < frames.size(); ++i) {
      const bool is_held = gateway_.burst().IsHeld(i);
      if (is_held) waiting_[gateway_.burst().tickets[i]] = begin + i;
      final_.push_back(is_held ? std::nullopt : std::optional(decisions[i]));
    }
    for (const ReleasedFrame& frame : gateway_.burst().released) {
      final_[waiting_.at(frame.ticket)] = frame.decision;
      released_.push_back(waiting_.at(frame.ticket));
      waiting_.erase(frame.ticket);
    }
    return begin;
  }
  size_t Send(const Bytes& frame, Side side = Side::kDevice) {
    return Send(std::vector<Bytes>{frame}, side);
  }
  void Advance(TimePoint by) {
    gateway_.Advance(by);
    Send(std::vector<Bytes>{});
  }
  bool IsHeld(size_t frame) const { return !final_[frame]; }
  ::testing::AssertionResult Is(size_t frame, Verdict verdict, Reason reason) const {
    if (!final_[frame]) return ::testing::AssertionFailure() << "held";
    const Decision& decision = *final_[frame];
    if (decision.verdict == verdict && decision.reason == reason) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure()
           << ToString(decision.verdict) << "/" << ToString(decision.reason);
  }
  ::testing::AssertionResult Forwards(size_t frame, Reason reason = Reason::kRule) const {
    return Is(frame, Verdict::kForward, reason);
  }
  ::testing::AssertionResult Drops(size_t frame, Reason reason) const {
    return Is(frame, Verdict::kDrop, reason);
  }
  uint64_t Counted(Verdict verdict, Reason reason) {
    return gateway_.counters()
        .reasons[static_cast<size_t>(verdict)][static_cast<size_t>(reason)]
        .Get();
  }

  TestGateway gateway_;
  std::vector<std::optional<Decision>> final_;  // by frame; nothing: held
  std::vector<size_t> released_;                // frames, in the order of their release
  std::map<HoldTicket, size_t> waiting_;
};

}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
// A ward with a pump, a CT and a server, for tests of the guards.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/dhcp_builder.h"
#include "tests/support/gateway.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {

inline constexpr Initiator kOut = Initiator::kDevice, kIn = Initiator::kPeer;
inline constexpr Side kDevice = Side::kDevice, kNetwork = Side::kNetwork;
inline const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
inline const Station kCt{Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}};
inline const Station kPump6{kPump.mac, Ip("fd00::1"), {}};
inline const Station kServer{Mac("0a:00:00:00:00:09"), Ip("10.0.0.9"), {}};
inline const Station kServer6{kServer.mac, Ip("fd00::9"), {}};
inline const Station kStranger{Mac("02:00:00:00:00:77"), Ip("10.0.0.77"), {}};

inline FrameBuilder Out(const Station& device = kPump) {
  return FrameBuilder()
      .FromDevice(device)
      .DestinationMac(kServer.mac)
      .To(device.ip.IsV4() ? kServer.ip : kServer6.ip);
}
inline FrameBuilder In(const Station& device = kPump) {
  return FrameBuilder().FromDevice(device.ip.IsV4() ? kServer : kServer6).ToDevice(device);
}
// Rules that allow everything: what is refused is refused by a guard.
inline Policy AllowAll(Mode mode = Mode::kEnforce) {
  Policy policy;
  policy.Rules({Allow(kOut, RuleProtocol::kAny, "any"), Allow(kIn, RuleProtocol::kAny, "any")})
      .Device("pump", kPump, mode)
      .Device("ct", kCt);
  policy.spec().devices[0].ips.push_back(kPump6.ip);
  return policy;
}

class GuardTest : public ::testing::Test {
 protected:
  GuardTest() { gateway_.Enforce(AllowAll()); }

  static ::testing::AssertionResult Is(const Decision& decision, Verdict verdict, Reason reason) {
    if (decision.verdict == verdict && decision.reason == reason) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure()
           << ToString(decision.verdict) << "/" << ToString(decision.reason);
  }
  ::testing::AssertionResult Forwards(Side side, const Bytes& frame,
                                      Reason reason = Reason::kRule) {
    return Is(gateway_.Send(side, frame), Verdict::kForward, reason);
  }
  ::testing::AssertionResult Forwards(Side side, const FrameBuilder& frame,
                                      Reason reason = Reason::kRule) {
    return Forwards(side, frame.Build(), reason);
  }
  ::testing::AssertionResult Drops(Side side, const Bytes& frame, Reason reason) {
    return Is(gateway_.Send(side, frame), Verdict::kDrop, reason);
  }
  ::testing::AssertionResult Drops(Side side, const FrameBuilder& frame, Reason reason) {
    return Drops(side, frame.Build(), reason);
  }

  TestGateway gateway_;
};

}  // namespace cordon::dp::testing

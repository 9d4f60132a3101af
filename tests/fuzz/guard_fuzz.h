// SPDX-License-Identifier: Apache-2.0
// A ward for the fuzzers of the guards: a pump and a CT whose addresses the inventory knows, one
// device that it binds to none, and rules that allow everything. What is refused is refused by a
// guard.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "tests/support/gateway.h"
#include "tests/support/policy_builder.h"

namespace cordon::dp::testing {

inline const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
inline const Station kCt{Mac("02:00:00:00:00:02"), Ip("10.0.0.2"), {}};
inline const Station kNew{Mac("02:00:00:00:00:05"), {}, {}};
inline const Station kServer{Mac("0a:00:00:00:00:09"), Ip("10.0.0.9"), {}};
inline const IpAddress kPump6 = Ip("fd00::1");

inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "guard fuzzer: broken: %s\n", what);
  std::abort();
}

struct FuzzedWard {
  FuzzedWard() {
    Policy policy;
    policy
        .Rules({Allow(Initiator::kDevice, RuleProtocol::kAny, "any"),
                Allow(Initiator::kPeer, RuleProtocol::kAny, "any")})
        .Device("pump", kPump)
        .Device("ct", kCt)
        .Device("new", kNew);
    policy.spec().devices[0].ips.push_back(kPump6);
    gateway.Enforce(policy);
  }

  // Sends the frame; whether it passed, and what the parser made of it.
  bool Passes(Side side, const Bytes& frame) {
    ParseFrame(View(frame), packet);
    gateway.Advance(kMillisecond);
    return gateway.Send(side, frame).verdict != Verdict::kDrop;
  }
  // Whatever was said before: the pump speaks under its own address, and nobody else does.
  void RequireBindingsHold() {
    const auto says = [](const Station& who) {
      return FrameBuilder().FromDevice({who.mac, kPump.ip, {}}).To(kServer.ip).Udp(5000);
    };
    Require(Passes(Side::kDevice, says(kPump).Build()), "the pump lost its address");
    Require(!Passes(Side::kDevice, says(kCt).Build()), "the CT took the pump's address");
    Require(!Passes(Side::kDevice, says(kNew).Build()), "a new device took the pump's address");
  }

  TestGateway gateway;
  Packet packet;
};

}  // namespace cordon::dp::testing

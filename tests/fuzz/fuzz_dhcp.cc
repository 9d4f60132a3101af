// SPDX-License-Identifier: Apache-2.0
// Arbitrary DHCP and DHCPv6 messages through the guard, question and answer, so that leases are
// learned too. The first byte says family, side and direction, the rest is the message.
#include "tests/fuzz/guard_fuzz.h"

namespace cordon::dp::testing {
namespace {

Bytes FrameOf(uint8_t how, const Bytes& message, Side side) {
  const bool is_v6 = (how & 1) != 0, to_server = (how & 4) != 0;
  FrameBuilder frame;
  frame.SourceMac(side == Side::kDevice ? kNew.mac : kServer.mac)
      .DestinationMac(side == Side::kDevice ? kServer.mac : kNew.mac);
  if (is_v6) {
    frame.From("fe80::5").To("fe80::9").Udp(to_server ? 546 : 547, to_server ? 547 : 546);
  } else {
    frame.From(side == Side::kDevice ? "0.0.0.0" : "10.0.0.9").To("255.255.255.255");
    if (side == Side::kDevice) frame.DestinationMac(MacAddress::Broadcast());
    frame.Udp(to_server ? 68 : 67, to_server ? 67 : 68);
  }
  return frame.Payload(message).Build();
}

void Run(uint8_t how, const Bytes& message) {
  FuzzedWard ward;
  const Side side = (how & 2) != 0 ? Side::kDevice : Side::kNetwork;
  for (int i = 0; i < 2; ++i) {
    const bool passed = ward.Passes(side, FrameOf(how, message, side));
    if (!passed) continue;
    Require(ward.packet.guard == GuardKind::kDhcp, "passed without the guard");
    Require((ward.packet.dhcp.role == DhcpRole::kClient) == (side == Side::kDevice), "role");
    const IpAddress& given = ward.packet.dhcp.address;
    Require(side == Side::kDevice || (given != kPump.ip && given != kPump6), "address given away");
  }
  ward.RequireBindingsHold();
}

}  // namespace
}  // namespace cordon::dp::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 1400) return 0;
  cordon::dp::testing::Run(data[0], {data + 1, data + size});
  return 0;
}

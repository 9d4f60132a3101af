// SPDX-License-Identifier: Apache-2.0
// Arbitrary neighbour discovery through the guard, with a right checksum. First byte: side, to all
// or to one, whether from the unspecified address; second: ICMPv6 type, from 133 on; then the four
// bytes behind the checksum, then the body.
#include "tests/fuzz/guard_fuzz.h"

namespace cordon::dp::testing {
namespace {

constexpr uint8_t kRouterAdvertisement = 134, kAdvertisement = 136, kRedirect = 137;

bool IsPumpsOrItsLink(const IpAddress& ip) { return ip == kPump6 || ip.IsV6LinkLocal(); }

void Run(const uint8_t* head, const Bytes& body) {
  FuzzedWard ward;
  const bool from_device = (head[0] & 1) != 0;
  const auto type = static_cast<uint8_t>(133 + head[1] % 5);
  FrameBuilder frame;
  frame.SourceMac(from_device ? kPump.mac : kServer.mac)
      .DestinationMac(from_device ? kServer.mac : kPump.mac)
      .From((head[0] & 4) != 0 ? Ip("::")
            : from_device      ? kPump6
                               : Ip("fd00::9"))
      .To((head[0] & 2) != 0 ? Ip("ff02::1:ff00:1")
          : from_device      ? Ip("fd00::9")
                             : kPump6)
      .HopLimit(255);
  if ((head[0] & 2) != 0) frame.DestinationMac(Mac("33:33:ff:00:00:01"));
  uint32_t rest = 0;
  for (int i = 2; i < 6; ++i) rest = rest << 8 | head[i];
  const bool passed = ward.Passes(from_device ? Side::kDevice : Side::kNetwork,
                                  frame.Icmp(type, 0, rest).Payload(body).Build());
  if (passed) {
    const NdFacts& nd = ward.packet.nd;
    Require(type != kRedirect && type != kRouterAdvertisement, "router or redirect");
    Require(nd.hop_limit_ok, "not well-formed");
    const MacAddress own = from_device ? kPump.mac : MacAddress{};
    for (const MacAddress mac : {nd.source_link_layer, nd.target_link_layer}) {
      Require(mac.IsZero() || (from_device ? mac == own : mac != kPump.mac), "link layer");
    }
    const bool claims = type == kAdvertisement;
    Require(!claims || IsPumpsOrItsLink(nd.target) == from_device || nd.target.IsV6LinkLocal(),
            "false claim");
  }
  ward.RequireBindingsHold();
}

}  // namespace
}  // namespace cordon::dp::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 6 || size > 512) return 0;
  cordon::dp::testing::Run(data, {data + 6, data + size});
  return 0;
}

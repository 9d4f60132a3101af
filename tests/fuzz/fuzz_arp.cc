// SPDX-License-Identifier: Apache-2.0
// Arbitrary ARP bodies through the guard. The first byte says from which side, and whether to all;
// the rest is what lies behind the Ethernet header.
#include "tests/fuzz/guard_fuzz.h"

namespace cordon::dp::testing {
namespace {

void Run(uint8_t how, const Bytes& body) {
  FuzzedWard ward;
  const bool from_device = (how & 1) != 0;
  const MacAddress to = (how & 2) != 0 ? MacAddress::Broadcast()
                        : from_device  ? kServer.mac
                                       : kPump.mac;
  Bytes frame = FrameBuilder()
                    .SourceMac(from_device ? kPump.mac : kServer.mac)
                    .DestinationMac(to)
                    .Ethertype(0x0806)
                    .Build();
  frame.resize(14);
  frame.insert(frame.end(), body.begin(), body.end());
  const bool passed = ward.Passes(from_device ? Side::kDevice : Side::kNetwork, frame);
  if (passed) {
    const ArpFacts& arp = ward.packet.arp;
    Require(ward.packet.layer3 == Layer3::kArp, "no ARP");
    const bool is_probe = arp.sender_ip.IsUnspecified();
    const IpAddress& claimed = is_probe ? arp.target_ip : arp.sender_ip;
    Require(!from_device || (claimed == kPump.ip && arp.sender_mac == kPump.mac), "false claim");
    Require(from_device || (arp.sender_ip != kPump.ip && arp.sender_ip != kCt.ip), "spoofed");
    Require(from_device || (arp.sender_mac != kPump.mac && !arp.sender_mac.IsGroup()), "MAC");
  }
  ward.RequireBindingsHold();
}

}  // namespace
}  // namespace cordon::dp::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 256) return 0;
  cordon::dp::testing::Run(data[0], {data + 1, data + size});
  return 0;
}

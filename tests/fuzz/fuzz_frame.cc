// SPDX-License-Identifier: Apache-2.0
// ParseFrame on arbitrary bytes. What must hold: no read outside (sanitizers), the same answer
// whatever the packet held before, and facts that later stages may rely on.
//
// The first byte is not part of the frame: it says how much of the frame lies in the first segment.
// A frame is also tried with its IPv4 header checksum made right, or most would end there.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "dataplane/packet/packet.h"
#include "tests/support/repair.h"

namespace cordon::dp {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz_frame: broken: %s\n", what);
  std::abort();
}

void CheckEthernet(const Packet& packet, const Frame& frame) {
  Require(packet.has_ethernet == (frame.bytes.size() >= 14), "has_ethernet");
  Require((packet.reason == Reason::kFrameTooShort) == !packet.has_ethernet, "too short");
  Require(packet.vlan.outer < 4095 && packet.vlan.inner < 4095, "reserved VLAN id");
  Require(packet.vlan.inner == 0 || packet.vlan.outer != 0, "inner VLAN without outer");
  if (packet.reason != Reason::kUndecided) return;
  Require(!packet.source_mac.IsGroup() && !packet.source_mac.IsZero(), "source MAC");
  Require(packet.layer3 != Layer3::kNone, "no layer 3");
}

void CheckAddresses(const Packet& packet) {
  const bool is_v6 = packet.layer3 == Layer3::kIpv6;
  if (packet.layer3 != Layer3::kIpv4 && !is_v6) {
    Require(packet.source == IpAddress{} && packet.destination == IpAddress{}, "stray addresses");
    return;
  }
  Require(packet.source.IsV4() != is_v6 && packet.destination.IsV4() != is_v6, "family");
  Require(((packet.anomalies & MaskOf(Check::kIpv6)) != 0) == is_v6, "check of IPv6");
  if (packet.reason != Reason::kUndecided) return;
  Require(!packet.source.IsMulticast() && !packet.source.IsLimitedBroadcast(), "source");
  Require(packet.source != packet.destination, "land");
  Require(!packet.destination.IsUnspecified(), "destination");
}

// What every check that a packet may fail needs.
void CheckAnomalies(const Packet& packet) {
  Require(packet.anomalies >> kCheckCount == 0, "unknown check");
  const auto fails = [&](Check check) { return (packet.anomalies & MaskOf(check)) != 0; };
  Require(fails(Check::kFragments) == packet.is_fragment, "check of fragments");
  Require(!packet.is_fragment || !fails(Check::kL4Checksum), "checksum of a fragment");
  const CheckMask tcp = MaskOf(Check::kTcpUrgent) | MaskOf(Check::kTcpUrgentEmpty) |
                        MaskOf(Check::kTcpUrgentStray) | MaskOf(Check::kTcpMss) |
                        MaskOf(Check::kTcpOptionLength);
  Require((packet.anomalies & tcp) == 0 || packet.protocol == protocol::kTcp, "checks of TCP");
  Require(packet.tcp_window_scale <= 14 || packet.tcp_window_scale == kNoWindowScale, "scale");
  const CheckMask v4 = MaskOf(Check::kIpv4Timestamp) | MaskOf(Check::kIpv4RouterAlert) |
                       MaskOf(Check::kIpv4OtherOption) | MaskOf(Check::kIpv4LinkLocal);
  Require((packet.anomalies & v4) == 0 || packet.layer3 == Layer3::kIpv4, "checks of IPv4");
}

void CheckTransport(const Packet& packet, const Frame& frame) {
  Require(packet.payload_length <= frame.length, "payload longer than the frame");
  Require((packet.tcp_flags & ~0x3f) == 0, "TCP flags");
  if (packet.reason != Reason::kUndecided || packet.layer3 == Layer3::kArp) return;
  if (packet.IsLaterFragment()) {
    Require(packet.source_port == 0 && packet.icmp_kind == IcmpKind::kNone, "middle of a datagram");
    return;
  }
  const bool is_v6 = packet.layer3 == Layer3::kIpv6;
  switch (packet.protocol) {
    case protocol::kTcp:
      Require(packet.tcp_flags != 0, "TCP without flags");
      [[fallthrough]];
    case protocol::kUdp:
      Require(packet.source_port != 0 && packet.destination_port != 0, "port 0");
      Require(packet.icmp_kind == IcmpKind::kNone, "ICMP kind of TCP or UDP");
      break;
    case protocol::kIcmp:
    case protocol::kIcmpv6:
      Require((packet.protocol == protocol::kIcmpv6) == is_v6, "family of ICMP");
      Require(packet.icmp_kind != IcmpKind::kNone, "ICMP without kind");
      Require(packet.source_port == 0 && packet.destination_port == 0, "L4 ports of ICMP");
      if (packet.icmp_kind == IcmpKind::kError) {
        Require(packet.quoted.source.IsV4() != is_v6, "family of the quote");
      }
      break;
    default:
      Require(packet.source_port == 0 && packet.icmp_kind == IcmpKind::kNone, "other protocol");
  }
}

// The fields outside the union, as they must not depend on what `packet` held.
bool SameFacts(const Packet& a, const Packet& b) {
  return a.source_mac == b.source_mac && a.destination_mac == b.destination_mac &&
         a.vlan == b.vlan && a.ethertype == b.ethertype && a.layer3 == b.layer3 &&
         a.reason == b.reason && a.has_ethernet == b.has_ethernet &&
         a.is_fragment == b.is_fragment && a.protocol == b.protocol && a.tcp_flags == b.tcp_flags &&
         a.icmp_type == b.icmp_type && a.icmp_code == b.icmp_code && a.icmp_kind == b.icmp_kind &&
         a.icmp_id == b.icmp_id && a.source_port == b.source_port &&
         a.destination_port == b.destination_port && a.tcp_window == b.tcp_window &&
         a.tcp_sequence == b.tcp_sequence && a.tcp_acknowledgment == b.tcp_acknowledgment &&
         a.payload_length == b.payload_length && a.frame_length == b.frame_length &&
         a.source == b.source && a.destination == b.destination && a.anomalies == b.anomalies &&
         a.hop_limit == b.hop_limit && a.tcp_window_scale == b.tcp_window_scale &&
         a.fragment_id == b.fragment_id && a.fragment_offset == b.fragment_offset &&
         a.fragment_length == b.fragment_length && a.more_fragments == b.more_fragments;
}

enum class Header { kAsIs, kRepaired };

void ParseAndCheck(const uint8_t* data, size_t size, size_t readable, Header header) {
  const auto copy = std::make_unique_for_overwrite<uint8_t[]>(readable);  // of exactly that size
  std::copy_n(data, readable, copy.get());
  if (header == Header::kRepaired) testing::RepairIpv4Checksum({copy.get(), readable});
  const Frame frame{{copy.get(), readable}, static_cast<uint32_t>(size)};
  Packet packet;
  Require(ParseFrame(frame, packet) == packet.reason, "returned reason");
  Require(static_cast<size_t>(packet.reason) < kReasonCount, "reason out of range");
  CheckEthernet(packet, frame);
  CheckAddresses(packet);
  CheckTransport(packet, frame);
  CheckAnomalies(packet);

  Packet used;
  std::memset(static_cast<void*>(&used), 1, sizeof(used));
  ParseFrame(frame, used);
  Require(SameFacts(packet, used), "facts depend on what the packet held before");
}

}  // namespace
}  // namespace cordon::dp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t length = size - 1;
  const size_t readable = std::min<size_t>(length, data[0]);
  for (const auto header : {cordon::dp::Header::kAsIs, cordon::dp::Header::kRepaired}) {
    cordon::dp::ParseAndCheck(data + 1, length, length, header);
    cordon::dp::ParseAndCheck(data + 1, length, readable, header);
  }
  return 0;
}

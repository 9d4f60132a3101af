// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/frame.h"

#include <algorithm>
#include <cstring>

namespace cordon::bench {
namespace {

constexpr uint64_t kPeerMac = 0x02ff00000001u;
constexpr size_t kEthernet = 14, kVlanTag = 4, kTag = 4, kTcpHeader = 20;
constexpr uint32_t kDeviceFirst = 1000, kPeerFirst = 2000;  // initial sequence numbers
constexpr uint8_t kSynFlag = 0x02, kAckFlag = 0x10;

void Put16(uint8_t* at, size_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}
void Put32(uint8_t* at, uint32_t value) {
  Put16(at, value >> 16);
  Put16(at + 2, value & 0xffff);
}
void PutMac(uint8_t* at, uint64_t mac) {
  Put16(at, mac >> 32 & 0xffff);
  Put32(at + 2, static_cast<uint32_t>(mac));
}

uint32_t Sum(uint32_t sum, const uint8_t* bytes, size_t size) {
  for (size_t i = 0; i + 1 < size; i += 2) {
    sum += static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  }
  if (size % 2 != 0) sum += static_cast<uint32_t>(bytes[size - 1] << 8);
  return sum;
}
uint16_t Fold(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// Header sizes of a shape: where layer 3 and layer 4 begin.
struct Layout {
  size_t l3, l4;
};
Layout LayoutOf(FrameShape shape) {
  const size_t l3 = kEthernet + (shape == FrameShape::kIpv4Vlan ? kVlanTag : 0);
  return {l3, l3 + (shape == FrameShape::kIpv6 ? 40 : 20)};
}

void PutEthernet(const FrameRequest& request, const ModelDevice& device, uint8_t* out) {
  PutMac(out, request.from_device ? kPeerMac : device.mac);
  PutMac(out + 6, request.from_device ? device.mac : kPeerMac);
  uint8_t* type = out + 12;
  if (request.shape == FrameShape::kIpv4Vlan) {
    Put16(type, 0x8100);
    Put16(type + 2, kBenchVlan);
    type += kVlanTag;
  }
  Put16(type, request.shape == FrameShape::kIpv6 ? 0x86dd : 0x0800);
}

void PutIpv4(uint8_t* ip, uint8_t protocol, size_t l4_size, uint32_t from, uint32_t to) {
  ip[0] = 0x45;
  Put16(ip + 2, 20 + l4_size);
  ip[8] = 64;
  ip[9] = protocol;
  Put32(ip + 12, from);
  Put32(ip + 16, to);
  Put16(ip + 10, Fold(Sum(0, ip, 20)));
}

// fd00::/96 with the IPv4 address in the last four bytes.
void PutIpv6(uint8_t* ip, uint8_t protocol, size_t l4_size, uint32_t from, uint32_t to) {
  ip[0] = 0x60;
  Put16(ip + 4, l4_size);
  ip[6] = protocol;
  ip[7] = 64;
  ip[8] = ip[24] = 0xfd;
  Put32(ip + 20, from);
  Put32(ip + 36, to);
}

void PutTcp(const FrameRequest& request, uint8_t* tcp) {
  uint32_t sequence = request.from_device ? kDeviceFirst : kPeerFirst;
  uint32_t acknowledgment = (request.from_device ? kPeerFirst : kDeviceFirst) + 1;
  uint8_t flags = kAckFlag;
  if (request.segment == Segment::kSyn) {
    flags = kSynFlag;
    acknowledgment = 0;
  } else if (request.segment == Segment::kSynAck) {
    flags = kSynFlag | kAckFlag;
  } else {
    ++sequence;
  }
  Put32(tcp + 4, sequence);
  Put32(tcp + 8, acknowledgment);
  tcp[12] = 0x50;
  tcp[13] = flags;
  Put16(tcp + 14, 65535);
}

// Over the pseudo header of either family: addresses, protocol and length.
uint16_t L4Checksum(const uint8_t* addresses, size_t addresses_size, uint8_t protocol,
                    const uint8_t* l4, size_t l4_size) {
  const uint32_t pseudo =
      Sum(0, addresses, addresses_size) + protocol + static_cast<uint32_t>(l4_size);
  return Fold(Sum(pseudo, l4, l4_size));
}

}  // namespace

size_t SmallestFrame(FrameShape shape) {
  const size_t tag = shape == FrameShape::kIpv4Vlan ? kVlanTag : 0;
  return std::max(60 + tag, LayoutOf(shape).l4 + kTcpHeader + kTag);
}

uint32_t TagOf(const ModelFlow& flow, uint32_t number) {
  if (flow.allowed && flow.other_allowed) return number;
  return number | (flow.allowed || flow.other_allowed ? kEitherBit : kRefusedBit);
}

size_t BuildFrame(const FrameRequest& request, const ModelDevice& device, const ModelFlow& flow,
                  uint8_t* out) {
  const Layout layout = LayoutOf(request.shape);
  const size_t size = std::max(request.size, SmallestFrame(request.shape));
  const bool is_tcp = flow.protocol == kTcp;
  // What opens a connection carries no data: the tag is then padding behind the packet.
  const bool bare = is_tcp && request.segment != Segment::kData;
  const size_t l4_size = bare ? kTcpHeader : size - layout.l4;
  std::memset(out, 0, size);
  PutEthernet(request, device, out);
  uint8_t* const ip = out + layout.l3;
  uint8_t* const l4 = out + layout.l4;
  const uint32_t from = request.from_device ? device.ip : flow.peer;
  const uint32_t to = request.from_device ? flow.peer : device.ip;
  const bool is_v6 = request.shape == FrameShape::kIpv6;
  (is_v6 ? PutIpv6 : PutIpv4)(ip, flow.protocol, l4_size, from, to);
  Put16(l4, request.from_device ? flow.device_port : flow.peer_port);
  Put16(l4 + 2, request.from_device ? flow.peer_port : flow.device_port);
  Put32(out + size - kTag, request.tag);
  if (is_tcp) {
    PutTcp(request, l4);
  } else {
    Put16(l4 + 4, l4_size);
  }
  const uint16_t checksum = is_v6 ? L4Checksum(ip + 8, 32, flow.protocol, l4, l4_size)
                                  : L4Checksum(ip + 12, 8, flow.protocol, l4, l4_size);
  // A UDP checksum of 0 is sent as all ones (RFC 768).
  Put16(l4 + (is_tcp ? 16 : 6), checksum == 0 && !is_tcp ? 0xffff : checksum);
  return size;
}

}  // namespace cordon::bench

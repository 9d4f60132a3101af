// SPDX-License-Identifier: Apache-2.0
#include "dataplane/fragment/datagram.h"

namespace cordon::dp {
namespace {

constexpr uint32_t kMaxDatagram = 65'535;
constexpr uint32_t kMinIpv4Header = 20;
constexpr uint16_t kMinTcpHeader = 20;
constexpr uint8_t kFragmentHeader = 44;
constexpr uint16_t kUnit = 8;  // of the offset field

}  // namespace

DatagramKey DatagramKeyOf(const Packet& packet, Side side, uint16_t pair) noexcept {
  DatagramKey key;
  key.source = packet.source;
  key.destination = packet.destination;
  key.device_mac = side == Side::kDevice ? packet.source_mac : packet.destination_mac;
  key.id = packet.fragment_id;
  key.vlan = packet.vlan;
  key.pair = pair;
  key.protocol = packet.layer3 == Layer3::kIpv4 ? packet.protocol : uint8_t{0};
  key.side = side;
  return key;
}

uint64_t Hash(const DatagramKey& key, const HashSeed& seed) noexcept {
  const uint64_t place = key.device_mac.value << 16 | static_cast<uint64_t>(key.pair) << 1 |
                         static_cast<uint64_t>(key.side);
  const uint64_t name = static_cast<uint64_t>(key.id) << 32 |
                        static_cast<uint64_t>(key.vlan.outer) << 16 | key.vlan.inner;
  const uint64_t low = MultiplyMix(key.source.lo ^ seed.word[0], key.destination.lo ^ seed.word[1]);
  const uint64_t high =
      MultiplyMix(key.source.hi ^ seed.word[2], std::rotl(key.destination.hi, 32) ^ seed.word[3]);
  const uint64_t rest = MultiplyMix(place ^ seed.word[4], name ^ seed.word[5]);
  return MultiplyMix(low + rest + seed.word[2],
                     high ^ std::rotl(rest, 29) ^ seed.word[0] ^ key.protocol);
}

Piece PieceOf(const Packet& packet) noexcept {
  return {packet.fragment_offset, packet.fragment_length, packet.more_fragments,
          packet.fragment_digest};
}

Reason CheckPiece(const Piece& piece, uint8_t protocol, Layer3 layer3) noexcept {
  // RFC 8200 4.5: nothing in front of the first piece's payload is fragmented again.
  if (layer3 == Layer3::kIpv6 && protocol == kFragmentHeader) return Reason::kIpv6ExtensionChain;
  // RFC 791 3.2, RFC 8200 4.5: all pieces but the last are whole units of 8 bytes.
  if (piece.more && piece.length % kUnit != 0) return Reason::kFragmentMisaligned;
  // Bytes behind the longest datagram there can be (the ping of death).
  const uint32_t header = layer3 == Layer3::kIpv4 ? kMinIpv4Header : 0;
  if (header + piece.end() > kMaxDatagram) return Reason::kFragmentTooBig;
  if (piece.length == 0) return Reason::kFragmentTooSmall;
  // RFC 1858, RFC 3128: the first piece holds the TCP header, and none begins inside of it.
  if (protocol == protocol::kTcp) {
    if (piece.is_first() ? piece.length < kMinTcpHeader : piece.offset < kMinTcpHeader) {
      return Reason::kFragmentTooSmall;
    }
  }
  return Reason::kUndecided;
}

}  // namespace cordon::dp

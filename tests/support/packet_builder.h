// SPDX-License-Identifier: Apache-2.0
// Builds real frames for tests, lengths and checksums included:
//
//   const Bytes frame = FrameBuilder().FromDevice(kPump).To("10.0.0.9").Udp(5000).Build();
//   ParseFrame(View(frame), packet);
//
// Whatever is not said has a legal default: two stations, IPv4, UDP 40000 to 5000, no payload.
// The family follows the source address. Texts that do not parse abort: they are part of the test.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/packet/packet.h"

namespace cordon::dp::testing {

using Bytes = std::vector<uint8_t>;

// A frame that is entirely in memory. The bytes must outlive it.
inline Frame View(const Bytes& bytes) { return {bytes, static_cast<uint32_t>(bytes.size())}; }

MacAddress Mac(std::string_view text);
IpAddress Ip(std::string_view text);
Bytes Text(std::string_view text);  // its bytes, for payloads

// Raw mutations of a built frame.
Bytes Truncated(Bytes frame, size_t length);
Bytes WithByte(Bytes frame, size_t offset, uint8_t value);

// One end of a conversation.
struct Station {
  MacAddress mac;
  IpAddress ip;
  VlanTags vlan;
};

class FrameBuilder {
 public:
  FrameBuilder();

  // --- who talks to whom
  FrameBuilder& FromDevice(const Station& station);  // source MAC, source IP and VLAN
  FrameBuilder& ToDevice(const Station& station);    // destination MAC, destination IP and VLAN
  FrameBuilder& From(const IpAddress& ip);
  FrameBuilder& From(std::string_view ip) { return From(Ip(ip)); }
  FrameBuilder& To(const IpAddress& ip);
  FrameBuilder& To(std::string_view ip) { return To(Ip(ip)); }
  FrameBuilder& SourceMac(MacAddress mac);
  FrameBuilder& DestinationMac(MacAddress mac);
  FrameBuilder Reversed() const;  // addresses and L4 ports swapped; the rest as it is

  // --- Ethernet
  FrameBuilder& Vlan(VlanTags vlan);  // 802.1Q, or 802.1ad outside 802.1Q
  FrameBuilder& Vlan(uint16_t vid) { return Vlan(VlanTags{vid, 0}); }
  FrameBuilder& Tag(uint16_t tpid, uint16_t tci);  // one more tag, whatever its sense
  FrameBuilder& Ethertype(uint16_t ethertype);     // instead of the right one
  FrameBuilder& PadTo(size_t frame_length);        // zeros behind the packet

  // --- IP
  FrameBuilder& HopLimit(uint8_t hop_limit);  // TTL in IPv4
  FrameBuilder& Ipv4Options(Bytes options);   // filled up to 4 bytes with end-of-options
  FrameBuilder& Extension(uint8_t type, Bytes body = {});  // IPv6, in the order of the calls
  // A fragment header (IPv6) or the fragment fields (IPv4). `offset` in bytes, a multiple of 8.
  FrameBuilder& FirstFragment() { return FragmentAt(0, true); }
  FrameBuilder& AtomicFragment() { return FragmentAt(0, false); }  // IPv6 only
  FrameBuilder& NextFragment(uint16_t offset) { return FragmentAt(offset, true); }
  FrameBuilder& LastFragment(uint16_t offset) { return FragmentAt(offset, false); }
  FrameBuilder& Identification(uint32_t id);  // of the datagram; IPv4 uses 16 bits of it

  // --- layer 4
  FrameBuilder& Udp(uint16_t source_port, uint16_t destination_port);
  FrameBuilder& Udp(uint16_t destination_port) { return Udp(40000, destination_port); }
  FrameBuilder& Tcp(uint16_t source_port, uint16_t destination_port,
                    uint8_t flags = tcp_flag::kSyn);
  FrameBuilder& Tcp(uint16_t destination_port) { return Tcp(40000, destination_port); }
  FrameBuilder& Flags(uint8_t tcp_flags);
  FrameBuilder& Sequence(uint32_t sequence, uint32_t acknowledgment = 0);
  FrameBuilder& Window(uint16_t window);
  FrameBuilder& TcpOptions(Bytes options);  // a multiple of 4 bytes
  FrameBuilder& UrgentPointer(uint16_t pointer);
  FrameBuilder& EchoRequest(uint16_t id, uint16_t sequence = 1);
  FrameBuilder& EchoReply(uint16_t id, uint16_t sequence = 1);
  // `rest`: the 4 bytes behind the checksum; the payload follows.
  FrameBuilder& Icmp(uint8_t type, uint8_t code, uint32_t rest = 0);
  // Quotes the IP packet of `offender`, at most `quote_length` bytes of it. Where the type has a
  // path MTU it is 1400.
  FrameBuilder& IcmpError(uint8_t type, uint8_t code, const FrameBuilder& offender,
                          size_t quote_length = 548);
  FrameBuilder& NeighbourSolicitation(std::string_view target);
  FrameBuilder& NeighbourAdvertisement(std::string_view target);  // after From and To
  FrameBuilder& RouterSolicitation();
  FrameBuilder& Igmp(uint8_t type, std::string_view group);
  FrameBuilder& Protocol(uint8_t protocol);  // no layer 4 header of ours: the payload is all
  FrameBuilder& Payload(Bytes payload);
  FrameBuilder& Payload(std::string_view text) { return Payload(Text(text)); }
  FrameBuilder& PayloadSize(size_t size);

  // --- ARP; the sender's MAC is the frame's
  FrameBuilder& ArpRequest(std::string_view sender_ip, std::string_view target_ip);
  FrameBuilder& ArpReply(std::string_view sender_ip, std::string_view target_ip);

  Bytes Build() const;
  Bytes BuildIpPacket() const;  // without Ethernet
  // The datagram in pieces of `size` bytes (a multiple of 8), in order.
  std::vector<Bytes> BuildFragments(size_t size) const;

 private:
  struct FragmentFields {
    uint16_t offset;
    bool more;
  };
  bool IsV6() const { return !source_.IsV4(); }
  FrameBuilder& FragmentAt(uint16_t offset, bool more);
  FrameBuilder& Neighbour(uint8_t type, uint32_t rest, std::string_view target);
  FrameBuilder& Arp(uint16_t operation, std::string_view sender_ip, std::string_view target_ip);
  uint32_t PseudoHeaderSum(size_t length) const;
  Bytes BuildTransport() const;
  Bytes BuildIpv4(const Bytes& transport) const;
  Bytes BuildIpv6(const Bytes& transport) const;
  Bytes BuildArp() const;
  uint16_t RightEthertype() const;

  MacAddress source_mac_, destination_mac_;
  std::vector<std::pair<uint16_t, uint16_t>> tags_;
  std::optional<uint16_t> ethertype_;
  size_t pad_to_ = 0;

  IpAddress source_, destination_;
  uint8_t hop_limit_ = 64;
  Bytes ipv4_options_;
  std::vector<std::pair<uint8_t, Bytes>> extensions_;
  std::optional<FragmentFields> fragment_;
  uint32_t identification_ = 0xabcd1234;

  uint8_t protocol_;
  bool has_transport_header_ = true;
  uint16_t source_port_ = 40000, destination_port_ = 5000;
  uint8_t tcp_flags_ = tcp_flag::kSyn;
  uint32_t sequence_ = 1000, acknowledgment_ = 0;
  uint16_t window_ = 64240, urgent_pointer_ = 0;
  Bytes tcp_options_;
  uint8_t icmp_type_ = 0, icmp_code_ = 0;
  uint32_t icmp_rest_ = 0;
  Bytes payload_;

  uint16_t arp_operation_ = 0;  // 0: not ARP
  IpAddress arp_sender_, arp_target_;
};

}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/packet_builder.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace cordon::dp::testing {
namespace {

constexpr uint8_t kFragmentExtension = 44;

template <typename T>
T OrAbort(const std::optional<T>& value, std::string_view text) {
  if (!value) {
    std::fprintf(stderr, "FrameBuilder: cannot read '%s'\n", std::string(text).c_str());
    std::abort();
  }
  return *value;
}

void Put(Bytes& out, uint64_t value, size_t bytes) {
  for (size_t i = bytes; i-- > 0;) out.push_back(static_cast<uint8_t>(value >> 8 * i));
}
void Put(Bytes& out, const Bytes& bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }
void PutMac(Bytes& out, MacAddress mac) { Put(out, mac.value, 6); }
void PutV4(Bytes& out, const IpAddress& ip) { Put(out, ip.AsV4(), 4); }
void PutV6(Bytes& out, const IpAddress& ip) {
  Put(out, ip.hi, 8);
  Put(out, ip.lo, 8);
}

uint32_t Sum(const Bytes& bytes, uint32_t sum = 0) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    sum += static_cast<uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  }
  return sum;
}

uint16_t Fold(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

void Overwrite16(Bytes& bytes, size_t offset, uint16_t value) {
  bytes[offset] = static_cast<uint8_t>(value >> 8);
  bytes[offset + 1] = static_cast<uint8_t>(value);
}

}  // namespace

MacAddress Mac(std::string_view text) { return OrAbort(ParseMac(text), text); }
IpAddress Ip(std::string_view text) { return OrAbort(ParseIp(text), text); }
Bytes Text(std::string_view text) { return Bytes(text.begin(), text.end()); }

Bytes Truncated(Bytes frame, size_t length) {
  if (length < frame.size()) frame.resize(length);
  frame.shrink_to_fit();  // so that a sanitizer sees a read behind the end
  return frame;
}

Bytes WithByte(Bytes frame, size_t offset, uint8_t value) {
  frame.at(offset) = value;
  return frame;
}

FrameBuilder::FrameBuilder()
    : source_mac_(Mac("02:00:00:00:00:01")),
      destination_mac_(Mac("02:00:00:00:00:02")),
      source_(Ip("10.0.0.1")),
      destination_(Ip("10.0.0.2")),
      protocol_(protocol::kUdp) {}

FrameBuilder& FrameBuilder::FromDevice(const Station& station) {
  return SourceMac(station.mac).From(station.ip).Vlan(station.vlan);
}
FrameBuilder& FrameBuilder::ToDevice(const Station& station) {
  return DestinationMac(station.mac).To(station.ip).Vlan(station.vlan);
}
FrameBuilder& FrameBuilder::From(const IpAddress& ip) {
  source_ = ip;
  return *this;
}
FrameBuilder& FrameBuilder::To(const IpAddress& ip) {
  destination_ = ip;
  return *this;
}
FrameBuilder& FrameBuilder::SourceMac(MacAddress mac) {
  source_mac_ = mac;
  return *this;
}
FrameBuilder& FrameBuilder::DestinationMac(MacAddress mac) {
  destination_mac_ = mac;
  return *this;
}
FrameBuilder FrameBuilder::Reversed() const {
  FrameBuilder reversed = *this;
  std::swap(reversed.source_mac_, reversed.destination_mac_);
  std::swap(reversed.source_, reversed.destination_);
  std::swap(reversed.source_port_, reversed.destination_port_);
  return reversed;
}

FrameBuilder& FrameBuilder::Vlan(VlanTags vlan) {
  tags_.clear();
  if (vlan.outer == 0) return *this;
  if (vlan.inner == 0) return Tag(0x8100, vlan.outer);
  return Tag(0x88a8, vlan.outer).Tag(0x8100, vlan.inner);
}
FrameBuilder& FrameBuilder::Tag(uint16_t tpid, uint16_t tci) {
  tags_.emplace_back(tpid, tci);
  return *this;
}
FrameBuilder& FrameBuilder::Ethertype(uint16_t ethertype) {
  ethertype_ = ethertype;
  return *this;
}
FrameBuilder& FrameBuilder::PadTo(size_t frame_length) {
  pad_to_ = frame_length;
  return *this;
}

FrameBuilder& FrameBuilder::HopLimit(uint8_t hop_limit) {
  hop_limit_ = hop_limit;
  return *this;
}
FrameBuilder& FrameBuilder::Ipv4Options(Bytes options) {
  options.resize((options.size() + 3) / 4 * 4);
  ipv4_options_ = std::move(options);
  return *this;
}
FrameBuilder& FrameBuilder::Extension(uint8_t type, Bytes body) {
  extensions_.emplace_back(type, std::move(body));
  return *this;
}
FrameBuilder& FrameBuilder::FragmentAt(uint16_t offset, bool more) {
  fragment_ = FragmentFields{offset, more};
  return *this;
}

FrameBuilder& FrameBuilder::Identification(uint32_t id) {
  identification_ = id;
  return *this;
}

FrameBuilder& FrameBuilder::Udp(uint16_t source_port, uint16_t destination_port) {
  protocol_ = protocol::kUdp;
  source_port_ = source_port;
  destination_port_ = destination_port;
  return *this;
}
FrameBuilder& FrameBuilder::Tcp(uint16_t source_port, uint16_t destination_port, uint8_t flags) {
  protocol_ = protocol::kTcp;
  source_port_ = source_port;
  destination_port_ = destination_port;
  return Flags(flags);
}
FrameBuilder& FrameBuilder::Flags(uint8_t tcp_flags) {
  tcp_flags_ = tcp_flags;
  return *this;
}
FrameBuilder& FrameBuilder::Sequence(uint32_t sequence, uint32_t acknowledgment) {
  sequence_ = sequence;
  acknowledgment_ = acknowledgment;
  return *this;
}
FrameBuilder& FrameBuilder::Window(uint16_t window) {
  window_ = window;
  return *this;
}
FrameBuilder& FrameBuilder::UrgentPointer(uint16_t pointer) {
  urgent_pointer_ = pointer;
  return *this;
}
FrameBuilder& FrameBuilder::TcpOptions(Bytes options) {
  tcp_options_ = std::move(options);
  return *this;
}
FrameBuilder& FrameBuilder::EchoRequest(uint16_t id, uint16_t sequence) {
  return Icmp(IsV6() ? 128 : 8, 0, static_cast<uint32_t>(id) << 16 | sequence);
}
FrameBuilder& FrameBuilder::EchoReply(uint16_t id, uint16_t sequence) {
  return Icmp(IsV6() ? 129 : 0, 0, static_cast<uint32_t>(id) << 16 | sequence);
}
FrameBuilder& FrameBuilder::Icmp(uint8_t type, uint8_t code, uint32_t rest) {
  protocol_ = IsV6() ? protocol::kIcmpv6 : protocol::kIcmp;
  icmp_type_ = type;
  icmp_code_ = code;
  icmp_rest_ = rest;
  return *this;
}
FrameBuilder& FrameBuilder::IcmpError(uint8_t type, uint8_t code, const FrameBuilder& offender,
                                      size_t quote_length) {
  const bool names_mtu = IsV6() ? type == 2 : type == 3 && code == 4;
  return Icmp(type, code, names_mtu ? 1400 : 0)
      .Payload(Truncated(offender.BuildIpPacket(), quote_length));
}
FrameBuilder& FrameBuilder::Neighbour(uint8_t type, uint32_t rest, std::string_view target) {
  Bytes body;
  PutV6(body, Ip(target));
  return HopLimit(255).Icmp(type, 0, rest).Payload(std::move(body));
}
FrameBuilder& FrameBuilder::NeighbourSolicitation(std::string_view target) {
  return Neighbour(135, 0, target);
}
FrameBuilder& FrameBuilder::NeighbourAdvertisement(std::string_view target) {
  // override; solicited, unless it is for all (RFC 4861 4.4)
  return Neighbour(136, destination_.IsMulticast() ? 0x20000000 : 0x60000000, target);
}
FrameBuilder& FrameBuilder::RouterSolicitation() { return HopLimit(255).Icmp(133, 0); }
FrameBuilder& FrameBuilder::Igmp(uint8_t type, std::string_view group) {
  Icmp(type, 0, Ip(group).AsV4());  // the same shape
  protocol_ = protocol::kIgmp;
  return *this;
}
FrameBuilder& FrameBuilder::Protocol(uint8_t protocol) {
  protocol_ = protocol;
  has_transport_header_ = false;
  return *this;
}
FrameBuilder& FrameBuilder::Payload(Bytes payload) {
  payload_ = std::move(payload);
  return *this;
}
FrameBuilder& FrameBuilder::PayloadSize(size_t size) { return Payload(Bytes(size, 0x5a)); }

FrameBuilder& FrameBuilder::Arp(uint16_t operation, std::string_view sender_ip,
                                std::string_view target_ip) {
  arp_operation_ = operation;
  arp_sender_ = Ip(sender_ip);
  arp_target_ = Ip(target_ip);
  return *this;
}
FrameBuilder& FrameBuilder::ArpRequest(std::string_view sender_ip, std::string_view target_ip) {
  return DestinationMac(MacAddress::Broadcast()).Arp(1, sender_ip, target_ip);
}
FrameBuilder& FrameBuilder::ArpReply(std::string_view sender_ip, std::string_view target_ip) {
  return Arp(2, sender_ip, target_ip);
}

// RFC 9293 3.1, RFC 8200 8.1.
uint32_t FrameBuilder::PseudoHeaderSum(size_t length) const {
  Bytes pseudo;
  if (IsV6()) {
    PutV6(pseudo, source_);
    PutV6(pseudo, destination_);
  } else {
    PutV4(pseudo, source_);
    PutV4(pseudo, destination_);
  }
  Put(pseudo, protocol_, 2);
  Put(pseudo, length, 4);
  return Sum(pseudo);
}

Bytes FrameBuilder::BuildTransport() const {
  if (!has_transport_header_) return payload_;
  Bytes out;
  size_t checksum_at = 2;  // ICMP
  if (protocol_ == protocol::kUdp) {
    Put(out, source_port_, 2);
    Put(out, destination_port_, 2);
    Put(out, 8 + payload_.size(), 2);
    Put(out, 0, 2);
    checksum_at = 6;
  } else if (protocol_ == protocol::kTcp) {
    Put(out, source_port_, 2);
    Put(out, destination_port_, 2);
    Put(out, sequence_, 4);
    Put(out, acknowledgment_, 4);
    Put(out, (20 + tcp_options_.size()) / 4 << 4, 1);
    Put(out, tcp_flags_, 1);
    Put(out, window_, 2);
    Put(out, 0, 2);
    Put(out, urgent_pointer_, 2);
    Put(out, tcp_options_);
    checksum_at = 16;
  } else {
    Put(out, icmp_type_, 1);
    Put(out, icmp_code_, 1);
    Put(out, 0, 2);
    Put(out, icmp_rest_, 4);
  }
  Put(out, payload_);
  const bool has_pseudo_header = protocol_ != protocol::kIcmp && protocol_ != protocol::kIgmp;
  const uint32_t pseudo = has_pseudo_header ? PseudoHeaderSum(out.size()) : 0;
  Overwrite16(out, checksum_at, Fold(Sum(out, pseudo)));
  return out;
}

std::vector<Bytes> FrameBuilder::BuildFragments(size_t size) const {
  const Bytes transport = BuildTransport();
  std::vector<Bytes> frames;
  for (size_t offset = 0; offset < transport.size(); offset += size) {
    const size_t end = std::min(transport.size(), offset + size);
    FrameBuilder piece = *this;
    piece.Protocol(protocol_)
        .Payload(Bytes(transport.begin() + static_cast<ptrdiff_t>(offset),
                       transport.begin() + static_cast<ptrdiff_t>(end)))
        .FragmentAt(static_cast<uint16_t>(offset), end < transport.size());
    frames.push_back(piece.Build());
  }
  return frames;
}

Bytes FrameBuilder::BuildIpv4(const Bytes& transport) const {
  const size_t header_length = 20 + ipv4_options_.size();
  Bytes out;
  Put(out, 0x40 | header_length / 4, 1);
  Put(out, 0, 1);
  Put(out, header_length + transport.size(), 2);
  Put(out, identification_ & 0xffff, 2);
  Put(out, fragment_ ? (fragment_->more ? 0x2000u : 0u) | fragment_->offset / 8u : 0x4000u, 2);
  Put(out, hop_limit_, 1);
  Put(out, protocol_, 1);
  Put(out, 0, 2);
  PutV4(out, source_);
  PutV4(out, destination_);
  Put(out, ipv4_options_);
  Overwrite16(out, 10, Fold(Sum(out)));
  Put(out, transport);
  return out;
}

Bytes FrameBuilder::BuildIpv6(const Bytes& transport) const {
  auto extensions = extensions_;
  if (fragment_) {
    Bytes body;
    Put(body, static_cast<uint64_t>(fragment_->offset | (fragment_->more ? 1 : 0)), 2);
    Put(body, identification_, 4);
    extensions.emplace_back(kFragmentExtension, std::move(body));
  }
  Bytes chain;
  for (size_t i = 0; i < extensions.size(); ++i) {
    Bytes header = {i + 1 < extensions.size() ? extensions[i + 1].first : protocol_, 0};
    Put(header, extensions[i].second);
    header.resize((header.size() + 7) / 8 * 8);
    if (extensions[i].first != kFragmentExtension) {
      header[1] = static_cast<uint8_t>(header.size() / 8 - 1);
    }
    Put(chain, header);
  }
  Bytes out;
  Put(out, 0x60000000, 4);
  Put(out, chain.size() + transport.size(), 2);
  Put(out, extensions.empty() ? protocol_ : extensions[0].first, 1);
  Put(out, hop_limit_, 1);
  PutV6(out, source_);
  PutV6(out, destination_);
  Put(out, chain);
  Put(out, transport);
  return out;
}

Bytes FrameBuilder::BuildArp() const {
  Bytes out;
  Put(out, 0x0001080006040000 | arp_operation_, 8);
  PutMac(out, source_mac_);
  PutV4(out, arp_sender_);
  PutMac(out, arp_operation_ == 1 ? MacAddress{} : destination_mac_);
  PutV4(out, arp_target_);
  return out;
}

uint16_t FrameBuilder::RightEthertype() const {
  if (arp_operation_ != 0) return 0x0806;
  return IsV6() ? 0x86dd : 0x0800;
}

Bytes FrameBuilder::BuildIpPacket() const {
  const Bytes transport = BuildTransport();
  return IsV6() ? BuildIpv6(transport) : BuildIpv4(transport);
}

Bytes FrameBuilder::Build() const {
  Bytes out;
  PutMac(out, destination_mac_);
  PutMac(out, source_mac_);
  for (const auto& [tpid, tci] : tags_) {
    Put(out, tpid, 2);
    Put(out, tci, 2);
  }
  Put(out, ethertype_.value_or(RightEthertype()), 2);
  Put(out, arp_operation_ != 0 ? BuildArp() : BuildIpPacket());
  if (out.size() < pad_to_) out.resize(pad_to_);
  out.shrink_to_fit();
  return out;
}

}  // namespace cordon::dp::testing

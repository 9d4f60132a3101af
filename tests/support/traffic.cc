// SPDX-License-Identifier: Apache-2.0
#include "tests/support/traffic.h"

#include <string>

#include "tests/support/oracle_slice.h"

namespace cordon::dp::testing {
namespace {

using namespace tcp_flag;

constexpr size_t kTalks = 200;  // conversations that are remembered

void Overwrite16(Bytes& bytes, size_t at, size_t value) {
  bytes[at] = static_cast<uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<uint8_t>(value);
}

// Where the packet of layer 3 begins; 0 if it is neither IPv4 nor IPv6.
size_t Layer3At(const Bytes& frame) {
  for (size_t at = 12; at + 2 <= frame.size() && at <= 20; at += 4) {
    const unsigned type = frame[at] << 8 | frame[at + 1];
    if (type == 0x0800 || type == 0x86dd) return at + 2;
    if (type != 0x8100 && type != 0x88a8 && type != 0x9100) return 0;
  }
  return 0;
}

// Of the checksum inside a header of that protocol; 0: it has none.
size_t ChecksumAt(uint8_t protocol) {
  switch (protocol) {
    case protocol::kTcp:
      return 16;
    case protocol::kUdp:
      return 6;
    case protocol::kIcmp:
    case protocol::kIgmp:
    case protocol::kIcmpv6:
      return 2;
    default:
      return 0;
  }
}

void RepairLayer4(Bytes& frame, size_t at, size_t end, uint8_t protocol, Bytes pseudo) {
  const size_t field = ChecksumAt(protocol);
  if (field == 0 || at + field + 2 > end) return;
  Overwrite16(frame, at + field, 0);
  const size_t length = end - at;
  if (protocol == protocol::kIcmp || protocol == protocol::kIgmp) pseudo.clear();
  if (!pseudo.empty()) {
    pseudo.insert(pseudo.end(),
                  {0, protocol, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)});
  }
  pseudo.insert(pseudo.end(), frame.begin() + static_cast<long>(at),
                frame.begin() + static_cast<long>(end));
  Overwrite16(frame, at + field, InternetChecksum({pseudo}));
}

Bytes Part(const Bytes& bytes, size_t from, size_t count) {
  return Bytes(bytes.begin() + static_cast<long>(from),
               bytes.begin() + static_cast<long>(from + count));
}

}  // namespace

Bytes WithRightChecksums(Bytes frame) {
  const size_t at = Layer3At(frame);
  if (at == 0 || frame.size() < at + 40) return frame;
  if (frame[at] >> 4 == 6) {
    const size_t length = static_cast<size_t>(frame[at + 4] << 8 | frame[at + 5]);
    const size_t end = std::min(frame.size(), at + 40 + length);
    RepairLayer4(frame, at + 40, end, frame[at + 6], Part(frame, at + 8, 32));
    return frame;
  }
  const size_t header = (frame[at] & 15) * 4u;
  const size_t total = static_cast<size_t>(frame[at + 2] << 8 | frame[at + 3]);
  if (frame[at] >> 4 != 4 || header < 20 || total < header || at + total > frame.size()) {
    return frame;
  }
  Overwrite16(frame, at + 10, 0);
  Overwrite16(frame, at + 10, InternetChecksum({Part(frame, at, header)}));
  RepairLayer4(frame, at + header, at + total, frame[at + 9], Part(frame, at + 12, 8));
  return frame;
}

std::vector<Bytes> InPieces(const Bytes& frame, size_t size, uint32_t id) {
  const size_t at = Layer3At(frame);
  if (at == 0) return {frame};
  const bool v6 = frame[at] >> 4 == 6;
  const size_t header = at + (v6 ? 40 : 20);
  std::vector<Bytes> pieces;
  for (size_t from = header; from < frame.size(); from += size) {
    const size_t count = std::min(size, frame.size() - from), offset = from - header;
    const bool more = from + count < frame.size();
    Bytes piece = Part(frame, 0, header);
    if (v6) {
      Overwrite16(piece, at + 4, 8 + count);
      const uint8_t protocol = piece[at + 6];
      piece[at + 6] = 44;
      Bytes fragment = {protocol, 0, 0, 0, 0, 0, 0, 0};
      Overwrite16(fragment, 2, offset | (more ? 1 : 0));
      Overwrite16(fragment, 6, id);
      piece.insert(piece.end(), fragment.begin(), fragment.end());
    } else {
      Overwrite16(piece, at + 2, 20 + count);
      Overwrite16(piece, at + 4, id);
      Overwrite16(piece, at + 6, offset / 8 | (more ? 0x2000 : 0));
      Overwrite16(piece, at + 10, 0);
      Overwrite16(piece, at + 10, InternetChecksum({Part(piece, at, 20)}));
    }
    const Bytes data = Part(frame, from, count);
    piece.insert(piece.end(), data.begin(), data.end());
    pieces.push_back(piece);
  }
  return pieces;
}

Bytes Traffic::Next(Side side, uint16_t pair) {
  const size_t kind = dice_.Below(100);
  Bytes frame;
  if (kind < 62 && !talks_.empty()) {
    Talk& talk = talks_[dice_.Below(talks_.size())];
    frame = talk.pair == pair ? GoOn(talk, side) : Fresh(side, pair);
  } else if (kind < 70) {
    frame = Arp(side, pair).Build();
  } else if (kind < 75) {
    frame = Neighbour(side, pair).Build();
  } else if (kind < 77) {
    frame = Dhcp(side, pair);
  } else if (kind < 80) {
    frame = Odd(side, pair);
  } else if (kind < 77) {
    frame = Piece(side, pair);
  } else {
    frame = Fresh(side, pair);
  }
  return dice_.Percent(6) ? Broken(std::move(frame)) : frame;
}

const DeviceSpec* Traffic::SomeDevice(uint16_t pair) {
  std::vector<const DeviceSpec*> devices;
  for (const DeviceSpec& device : spec_->devices) {
    if (device.pair == TheUniverse().pairs[pair]) devices.push_back(&device);
  }
  return devices.empty() || dice_.Percent(10) ? nullptr : dice_.Of(devices);
}

FrameBuilder Traffic::Addressed(Side side, uint16_t pair, bool v6) {
  const Universe& all = TheUniverse();
  const DeviceSpec* device = SomeDevice(pair);
  const std::vector<IpAddress>& ips = v6 ? all.v6 : all.v4;
  MacAddress device_mac = dice_.Of(all.device_macs);
  IpAddress device_ip = dice_.Of(ips), peer_ip = dice_.Of(ips);
  VlanTags vlan = dice_.Of(all.vlans);
  if (device != nullptr) {
    if (!dice_.Percent(3)) vlan = device->vlan;
    if (!device->macs.empty()) device_mac = device->macs[0];
    for (const IpAddress& ip : device->ips) {
      if (ip.IsV4() != v6 && dice_.Percent(85)) device_ip = ip;
    }
  }
  if (dice_.Percent(70)) peer_ip = Ip(v6 ? "fd00::9" : "10.0.0.9");
  MacAddress peer_mac = dice_.Of(dice_.Percent(95) ? all.peer_macs : all.device_macs);
  FrameBuilder frame;
  if (side == Side::kDevice) {
    if (dice_.Percent(10)) peer_mac = dice_.Of(all.group_macs);
    frame.SourceMac(device_mac).DestinationMac(peer_mac).From(device_ip).To(peer_ip);
  } else {
    if (dice_.Percent(15)) device_mac = dice_.Of(all.group_macs);
    frame.SourceMac(peer_mac).DestinationMac(device_mac).From(peer_ip).To(device_ip);
  }
  return frame.Vlan(vlan);
}

Bytes Traffic::RandomIcmp(Side side, uint16_t pair) {
  static const std::vector<uint8_t> kTypes = {0, 3, 4, 5, 12, 13, 14, 129, 130, 134, 137, 139, 143};
  return Addressed(side, pair, dice_.Percent(40))
      .Icmp(dice_.Of(kTypes), 0, static_cast<uint32_t>(dice_.Below(3)) << 16)
      .Build();
}

// What a stack can send but hardly one does: options, extension headers, IGMP, tunnels.
Bytes Traffic::Odd(Side side, uint16_t pair) {
  static const std::vector<Bytes> kIpv4Options = {
      {1, 1, 1, 0},   {148, 4, 0, 0}, {7, 7, 4, 0, 0, 0, 0}, {131, 7, 4, 10, 0, 0, 9},
      {68, 8, 5, 0},  {137, 3, 4},    {136, 4, 1, 2},        {130, 1},
      {130, 0, 3, 4}, {0, 148, 4, 0}, {1, 148, 4, 0, 0},     {94, 6, 0, 0, 0, 0}};
  static const std::vector<Bytes> kTcpOptions = {{2, 4, 5, 180},
                                                 {2, 4, 0, 100},
                                                 {3, 3, 7, 1},
                                                 {3, 3, 15, 0},
                                                 {3, 4, 7, 0},
                                                 {4, 2, 1, 1},
                                                 {5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1},
                                                 {5, 9, 0, 0},
                                                 {8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1},
                                                 {34, 2, 1, 1},
                                                 {34, 3, 0, 0},
                                                 {29, 4, 0, 0},
                                                 {30, 3, 0, 0},
                                                 {77, 4, 0, 0},
                                                 {2, 60, 0, 0},
                                                 {8, 1, 1, 1},
                                                 {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}};
  static const std::vector<Bytes> kExtensions = {{},
                                                 {5, 2, 0, 0, 0, 0},
                                                 {1, 4, 0, 0, 0, 0},
                                                 {0xc2, 4, 0, 1, 0, 0},
                                                 {0x8a, 2, 0, 0, 0, 0},
                                                 {1, 9, 0, 0, 0, 0},
                                                 Bytes(30, 0),
                                                 Bytes(270, 0),
                                                 {2, 0},
                                                 {2, 1},
                                                 {0, 0}};
  static const std::vector<uint8_t> kTypes = {0, 43, 44, 60, 60, 60};
  const bool v6 = dice_.Percent(50);
  FrameBuilder frame = Addressed(side, pair, v6);
  const std::vector<uint16_t>& ports = TheUniverse().ports;
  const size_t kind = dice_.Below(6);
  if (kind == 0) {
    Bytes igmp(8 + dice_.Below(12), 0);
    igmp[0] = dice_.Of(std::vector<uint8_t>{0x11, 0x12, 0x16, 0x17, 0x22});
    igmp[7] = static_cast<uint8_t>(dice_.Below(2));
    if (dice_.Percent(60)) frame.Ipv4Options({148, 4, 0, 0});
    return WithRightChecksums(frame.Protocol(protocol::kIgmp).Payload(igmp).Build());
  }
  frame.Tcp(dice_.Of(ports), dice_.Of(ports));
  if (kind == 1) frame.Udp(dice_.Of(ports), dice_.Of(ports)).PayloadSize(8);
  if (kind == 2) frame.EchoRequest(1);
  if (kind == 3) frame.Icmp(v6 ? 143 : 8, 0).PayloadSize(12);
  if (kind > 3) frame.TcpOptions(dice_.Of(kTcpOptions));
  if (v6) {
    for (size_t i = dice_.Below(6); i > 0; --i) {
      const uint8_t type = dice_.Of(kTypes);
      frame.Extension(type, type == 44 ? Bytes{0, 0, 0, 0, 0, 1} : dice_.Of(kExtensions));
    }
  } else if (dice_.Percent(70)) {
    frame.Ipv4Options(dice_.Of(kIpv4Options));
  }
  return frame.Build();
}

Bytes Traffic::Fresh(Side side, uint16_t pair) {
  const bool v6 = dice_.Percent(40);
  const std::vector<uint16_t>& ports = TheUniverse().ports;
  Talk talk;
  talk.opened_on = side;
  talk.pair = pair;
  FrameBuilder& frame = talk.from[0] = Addressed(side, pair, v6);
  const size_t kind = dice_.Below(10);
  if (kind == 9)
    return dice_.Percent(60)
               ? RandomIcmp(side, pair)
               : frame.Protocol(dice_.Of(std::vector<uint8_t>{4, 41, 47, 50, 59, 132, 255}))
                     .PayloadSize(16)
                     .Build();
  if (kind < 5) {
    talk.tcp = true;
    frame.Tcp(dice_.Of(ports), dice_.Of(ports));
    for (size_t end : {0u, 1u}) {
      talk.next[end] =
          static_cast<uint32_t>(dice_.Percent(30) ? 0xfffff000 : dice_.Below(1u << 30));
      talk.window[end] =
          static_cast<uint16_t>(dice_.Percent(20) ? dice_.Below(16) : 64 << dice_.Below(10));
    }
    if (dice_.Percent(40)) talk.scale = static_cast<int>(dice_.Below(16));
  } else if (kind < 8) {
    frame.Udp(dice_.Of(ports), dice_.Of(ports)).PayloadSize(dice_.Below(30));
  } else {
    talk.echo = true;
    talk.icmp_id = static_cast<uint16_t>(dice_.Below(3));
    frame.EchoRequest(talk.icmp_id);
  }
  talk.from[1] = frame.Reversed();
  if (talk.echo) talk.from[1].EchoReply(talk.icmp_id);
  const size_t place = talks_.size() < kTalks ? talks_.size() : dice_.Below(kTalks);
  if (place == talks_.size()) talks_.emplace_back();
  talks_[place] = talk;
  return talk.tcp ? TcpSegment(talks_[place], 0) : frame.Build();
}

// The next frame of a conversation, an answer to it, or an error about it.
Bytes Traffic::GoOn(Talk& talk, Side side) {
  const size_t end = side == talk.opened_on ? 0 : 1;
  if (dice_.Percent(5)) {
    const bool v6 = talk.from[0].Build().size() > 60;
    const uint8_t type = v6 ? 1 + dice_.Below(4) : dice_.Of(std::vector<uint8_t>{3, 11, 12});
    const FrameBuilder& offender = talk.from[dice_.Percent(90) ? 1 - end : end];
    return FrameBuilder(talk.from[end])
        .IcmpError(type, static_cast<uint8_t>(dice_.Below(5)), offender, 20 + dice_.Below(80))
        .Build();
  }
  return talk.tcp ? TcpSegment(talk, end) : talk.from[end].Build();
}

// What that end of a connection would send next, or something near it.
Bytes Traffic::TcpSegment(Talk& talk, size_t end) {
  const size_t other = 1 - end;
  uint8_t flags = kAck;
  size_t length = 0;
  Bytes options;
  uint32_t sequence = talk.next[end], acknowledgment = talk.next[other];
  if (!talk.opened[end]) {
    flags = end == 0 ? kSyn : kSyn | kAck;
    if (talk.scale >= 0) options = {3, 3, static_cast<uint8_t>(talk.scale), 1};
    if (dice_.Percent(10)) length = dice_.Below(100);
    talk.opened[end] = dice_.Percent(85);  // or it is sent again
    if (talk.opened[end]) talk.next[end] += 1 + static_cast<uint32_t>(length);
  } else if (dice_.Percent(60)) {
    flags |= kPsh;
    length = dice_.Below(dice_.Percent(80) ? 100 : 1400);
    if (dice_.Percent(90)) talk.next[end] += static_cast<uint32_t>(length);
  } else if (dice_.Percent(12)) {
    flags |= kFin;
    if (dice_.Percent(80)) ++talk.next[end];
  } else if (dice_.Percent(6)) {
    flags = dice_.Percent(50) ? kRst : kRst | kAck;
  } else if (dice_.Percent(6)) {
    talk.opened[0] = talk.opened[1] = false;  // the ends have forgotten each other
    talk.next[end] += static_cast<uint32_t>(dice_.Below(1u << 20));
    return TcpSegment(talk, end);
  }
  if (dice_.Percent(12)) {
    static const std::vector<uint8_t> kFlags = {kSyn, kSyn | kAck, kAck, kFin | kAck,
                                                kRst, kRst | kAck, kPsh, kAck | kUrg};
    flags = dice_.Of(kFlags);
  }
  static const std::vector<uint32_t> kSteps = {1, 2, 100, 1000, 4096, 65536, 1u << 20, 1u << 30};
  for (uint32_t* number : {&sequence, &acknowledgment}) {
    if (!dice_.Percent(8)) continue;
    const uint32_t step = dice_.Of(kSteps);
    *number += dice_.Percent(50) ? step : -step;
  }
  const auto window =
      static_cast<uint16_t>(dice_.Percent(90) ? talk.window[end] : dice_.Below(65536));
  return FrameBuilder(talk.from[end])
      .Flags(flags)
      .Sequence(sequence, (flags & kAck) != 0 ? acknowledgment : 0)
      .Window(window)
      .TcpOptions(options)
      .PayloadSize(length)
      .Build();
}

FrameBuilder Traffic::Arp(Side side, uint16_t pair) {
  FrameBuilder frame = Addressed(side, pair, false);
  const std::vector<IpAddress>& v4 = TheUniverse().v4;
  const std::string sender = ToString(dice_.Of(v4)), target = ToString(dice_.Of(v4));
  if (side == Side::kNetwork && dice_.Percent(50)) return frame.ArpRequest("10.0.0.9", target);
  return dice_.Percent(60) ? frame.ArpRequest(sender, target) : frame.ArpReply(sender, target);
}

FrameBuilder Traffic::Neighbour(Side side, uint16_t pair) {
  FrameBuilder frame = Addressed(side, pair, true);
  const std::string target = ToString(dice_.Of(TheUniverse().v6));
  const size_t kind = dice_.Below(6);
  if (kind == 0) return frame.RouterSolicitation();
  if (kind == 1) return frame.HopLimit(255).Icmp(dice_.Percent(50) ? 134 : 137, 0).PayloadSize(40);
  (kind < 4) ? frame.NeighbourSolicitation(target) : frame.NeighbourAdvertisement(target);
  return dice_.Percent(10) ? frame.HopLimit(64) : frame;
}

// RFC 2131: an operation, the client's MAC address, and a few options.
Bytes Traffic::Dhcp(Side side, uint16_t pair) {
  FrameBuilder frame = Addressed(side, pair, false);
  const bool asks = dice_.Percent(side == Side::kDevice ? 85 : 15);
  Bytes message(240, 0);
  message[0] = asks ? 1 : 2;
  message[1] = 1;
  message[2] = 6;
  Overwrite16(message, 18, dice_.Below(4));
  const IpAddress lease = dice_.Of(TheUniverse().bindable);
  Overwrite16(message, 16, lease.AsV4() >> 16);
  Overwrite16(message, 18, lease.AsV4() & 0xffff);
  message[236] = 0x63, message[237] = 0x82, message[238] = 0x53, message[239] = 0x63;
  static const std::vector<uint8_t> kAsked = {1, 3, 4, 7, 8}, kAnswered = {2, 5, 6};
  const uint8_t type = dice_.Percent(95) ? dice_.Of(asks ? kAsked : kAnswered) : 9;
  const Bytes options = {53, 1, type, 255};
  message.insert(message.end(), options.begin(), options.end());
  message.resize(300);
  if (asks && dice_.Percent(70))
    frame.From("0.0.0.0").To("255.255.255.255").DestinationMac(MacAddress::Broadcast());
  return frame.Udp(asks ? 68 : 67, asks ? 67 : 68).Payload(message).Build();
}

// The next piece of a datagram that is on its way, or the first of a new one.
Bytes Traffic::Piece(Side side, uint16_t pair) {
  for (size_t i = 0; i < pending_.size(); ++i) {
    Pending& pending = pending_[i];
    if (pending.side != side || pending.pair != pair || dice_.Percent(20)) continue;
    const size_t which = dice_.Percent(70) ? 0 : dice_.Below(pending.pieces.size());
    Bytes piece = pending.pieces[which];
    if (!dice_.Percent(8)) {  // else it comes twice
      pending.pieces.erase(pending.pieces.begin() + static_cast<long>(which));
      if (pending.pieces.empty()) pending_.erase(pending_.begin() + static_cast<long>(i));
    }
    return piece;
  }
  FrameBuilder frame = Addressed(side, pair, dice_.Percent(40));
  const std::vector<uint16_t>& ports = TheUniverse().ports;
  if (dice_.Percent(70)) {
    frame.Udp(dice_.Of(ports), dice_.Of(ports));
  } else if (dice_.Percent(50)) {
    frame.EchoRequest(static_cast<uint16_t>(dice_.Below(3)));
  } else {
    frame.Tcp(dice_.Of(ports), dice_.Of(ports));
  }
  const size_t size = 8 * (1 + dice_.Below(8));
  std::vector<Bytes> pieces =
      InPieces(frame.PayloadSize(40 + dice_.Below(100)).Build(), size, ++datagram_ % 64);
  if (dice_.Percent(15)) {  // a piece of another cut of the same datagram: it overlaps
    const auto others = InPieces(frame.Build(), size + 8, datagram_ % 64);
    pieces.push_back(others[dice_.Below(others.size())]);
  }
  if (dice_.Percent(50)) std::swap(pieces.front(), pieces.back());
  Bytes piece = pieces.front();
  pieces.erase(pieces.begin());
  if (pending_.size() < 16 && !pieces.empty()) pending_.push_back({side, pair, pieces});
  return piece;
}

Bytes Traffic::Broken(Bytes frame) {
  if (frame.empty()) return frame;
  const size_t kind = dice_.Below(10);
  if (kind == 0) return Truncated(frame, dice_.Below(frame.size()));
  if (kind == 1) frame.resize(frame.size() + dice_.Below(30), 0xee);
  for (size_t i = 1 + dice_.Below(3); i > 0; --i) {
    // Mostly in the headers, where it matters.
    const size_t at = dice_.Percent(80) ? dice_.Below(std::min<size_t>(frame.size(), 80))
                                        : dice_.Below(frame.size());
    frame[at] = static_cast<uint8_t>(dice_.Percent(50) ? dice_.Below(256)
                                                       : frame[at] ^ 1u << dice_.Below(8));
  }
  return dice_.Percent(70) ? WithRightChecksums(std::move(frame)) : frame;
}

}  // namespace cordon::dp::testing

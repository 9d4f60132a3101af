// SPDX-License-Identifier: Apache-2.0
#include "tests/support/oracle_frame.h"

#include "tests/support/oracle_slice.h"

namespace cordon::dp::testing {
namespace {

using enum Reason;

bool In(const IpAddress& ip, const char* prefix) { return ParsePrefix(prefix)->Contains(ip); }
bool InAny(const IpAddress& ip, std::initializer_list<const char*> prefixes) {
  for (const char* prefix : prefixes) {
    if (In(ip, prefix)) return true;
  }
  return false;
}

void ReadArp(const Slice& arp, OracleFrame& out) {
  if (arp.size() < 28) {
    out.faults.insert(kArpTruncated);
    return;
  }
  const bool ethernet_ipv4 =
      arp.U16(0) == 1 && arp.U16(2) == 0x0800 && arp.U8(4) == 6 && arp.U8(5) == 4;
  if (!ethernet_ipv4 || (arp.U16(6) != 1 && arp.U16(6) != 2)) {
    out.faults.insert(kArpMalformed);
    return;
  }
  out.facts.layer3 = Layer3::kArp;
  out.facts.arp = {arp.U16(6), arp.Mac(8), arp.V4(14), arp.V4(24)};
}

// RFC 7126, RFC 791 3.1.
void ReadIpv4Options(Slice options, OracleFrame& out) {
  bool only_padding = true;
  while (!options.empty() && options.U8(0) != 0) {
    const uint8_t type = options.U8(0);
    if (type == 1) {
      options = options.From(1);
      continue;
    }
    only_padding = false;
    if (options.size() < 2 || options.U8(1) < 2 || options.U8(1) > options.size()) {
      out.faults.insert(kIpv4OptionMalformed);
      return;
    }
    if (type == 131 || type == 137) {
      out.faults.insert(kIpv4SourceRoute);
    } else if (type == 7) {
      out.faults.insert(kIpv4RecordRoute);
    } else if (type == 68) {
      Note(out, Check::kIpv4Timestamp);
    } else if (type == 148) {
      if (out.facts.protocol != protocol::kIgmp) Note(out, Check::kIpv4RouterAlert);
    } else {
      Note(out, Check::kIpv4OtherOption);
    }
    options = options.From(options.U8(1));
  }
  if (only_padding) Note(out, Check::kIpv4OtherOption);
}

void JudgeIpv4Addresses(OracleFrame& out) {
  const IpAddress &source = out.facts.source, &destination = out.facts.destination;
  const IpAddress everybody = Ip("255.255.255.255");
  if (In(source, "224.0.0.0/4")) out.faults.insert(kSourceMulticast);
  if (source == everybody) out.faults.insert(kSourceBroadcast);
  if (source == destination) out.faults.insert(kLand);
  if (In(destination, "0.0.0.0/8")) out.faults.insert(kZeroNetwork);
  if (In(source, "0.0.0.0/8") && source != Ip("0.0.0.0")) out.faults.insert(kZeroNetwork);
  for (const IpAddress& ip : {source, destination}) {
    if (In(ip, "127.0.0.0/8")) out.faults.insert(kLoopbackAddress);
    if (In(ip, "240.0.0.0/4") && ip != everybody) Note(out, Check::kReservedAddress);
    if (In(ip, "169.254.0.0/16")) Note(out, Check::kIpv4LinkLocal);
  }
}

bool IsMld(const Packet& facts) {
  const int type = facts.icmp_type;
  return facts.protocol == protocol::kIcmpv6 &&
         (type == 130 || type == 131 || type == 132 || type == 143);
}

// Who has no address yet: DHCP, IGMP, MLD, and neighbour discovery that looks for one.
void JudgeUnspecifiedSource(OracleFrame& out) {
  const Packet& facts = out.facts;
  if (!facts.source.IsUnspecified()) return;
  const bool dhcp = facts.layer3 == Layer3::kIpv4 && facts.protocol == protocol::kUdp &&
                    facts.source_port == 68 && facts.destination_port == 67;
  const bool neighbour =
      facts.protocol == protocol::kIcmpv6 && (facts.icmp_type == 133 || facts.icmp_type == 135);
  if (!dhcp && !neighbour && !IsMld(facts) && facts.protocol != protocol::kIgmp) {
    out.faults.insert(kSourceUnspecified);
  }
}

void NotePiece(OracleFrame& out, uint16_t offset, bool more, uint32_t id, const Slice& piece) {
  out.facts.is_fragment = true;
  out.facts.fragment_offset = offset;
  out.facts.more_fragments = more;
  out.facts.fragment_id = id;
  out.facts.fragment_length = static_cast<uint16_t>(piece.size());
  Note(out, Check::kFragments);
}

void ReadIpv4(const Slice& data, OracleFrame& out) {
  if (data.size() < 20) {
    out.faults.insert(kIpv4Truncated);
    return;
  }
  if (data.U8(0) >> 4 != 4) {
    out.faults.insert(kIpv4Version);
    return;
  }
  out.facts.layer3 = Layer3::kIpv4;
  out.facts.source = data.V4(12);
  out.facts.destination = data.V4(16);
  out.facts.hop_limit = data.U8(8);
  out.facts.protocol = data.U8(9);
  const size_t header = (data.U8(0) & 15) * 4u, total = data.U16(2);
  if (header < 20 || header > data.size()) out.faults.insert(kIpv4HeaderLength);
  if (total < header || total > data.size()) out.faults.insert(kIpv4TotalLength);
  if (!out.faults.empty()) return;
  if (InternetChecksum(data.First(header)) != 0) out.faults.insert(kIpv4Checksum);
  if (header > 20) ReadIpv4Options(data.First(header).From(20), out);
  JudgeIpv4Addresses(out);
  const Slice payload = data.First(total).From(header);
  const auto offset = static_cast<uint16_t>((data.U16(6) & 0x1fff) * 8);
  const bool more = (data.U16(6) & 0x2000) != 0;
  Before before{data.First(20).From(12)};
  if (offset != 0 || more) {
    NotePiece(out, offset, more, data.U16(4), payload);
    before.whole = false;
    if (offset != 0) return;
  }
  ReadTransport(payload, before, out);
  JudgeUnspecifiedSource(out);
}

void JudgeIpv6Addresses(OracleFrame& out) {
  const IpAddress &source = out.facts.source, &destination = out.facts.destination;
  if (In(source, "ff00::/8")) out.faults.insert(kSourceMulticast);
  if (source == destination) out.faults.insert(kLand);
  if (destination.IsUnspecified()) out.faults.insert(kZeroNetwork);
  for (const IpAddress& ip : {source, destination}) {
    if (ip == Ip("::1")) out.faults.insert(kLoopbackAddress);
    const uint64_t scope = ip.hi >> 48 & 15;
    const bool group = In(ip, "ff00::/8") && scope != 0 && scope != 1 && scope != 15;
    const bool assigned = InAny(ip, {"2000::/3", "fc00::/7", "fe80::/9", "64:ff9b::/32"});
    if (!assigned && !group && !ip.IsUnspecified()) Note(out, Check::kReservedAddress);
  }
}

bool MayBeLinkLocal(const Packet& facts) {
  const auto is_dhcp = [](uint16_t port) { return port == 546 || port == 547; };
  const bool dhcp = facts.protocol == protocol::kUdp && is_dhcp(facts.source_port) &&
                    is_dhcp(facts.destination_port);
  const bool neighbour =
      facts.protocol == protocol::kIcmpv6 && facts.icmp_type >= 133 && facts.icmp_type <= 137;
  return dhcp || neighbour || IsMld(facts) || In(facts.destination, "ff02::/16");
}

void ReadIpv6(const Slice& data, OracleFrame& out) {
  if (data.size() < 40) {
    out.faults.insert(kIpv6Truncated);
    return;
  }
  if (data.U8(0) >> 4 != 6) {
    out.faults.insert(kIpv6Version);
    return;
  }
  for (const IpAddress& ip : {data.V6(8), data.V6(24)}) {
    const bool embedded = ip.hi == 0 && (ip.lo >> 32 == 0xffff || (ip.lo >> 32 == 0 && ip.lo > 1));
    if (embedded) out.faults.insert(kIpv6AddressMapped);
  }
  if (!out.faults.empty()) return;
  out.facts.layer3 = Layer3::kIpv6;
  out.facts.source = data.V6(8);
  out.facts.destination = data.V6(24);
  out.facts.hop_limit = data.U8(7);
  out.facts.protocol = data.U8(6);
  Note(out, Check::kIpv6);
  const size_t length = data.U16(4);
  if (length == 0 && data.U8(6) == 0) out.faults.insert(kIpv6Jumbo);
  if (length == 0 && data.U8(6) != 0 && data.U8(6) != 59) out.faults.insert(kIpv6PayloadLength);
  if (length > data.size() - 40) out.faults.insert(kIpv6PayloadLength);
  if (!out.faults.empty()) return;
  JudgeIpv6Addresses(out);
  const Chain chain = ReadChain(data.U8(6), data.From(40).First(length));
  out.facts.protocol = chain.protocol;
  out.facts.anomalies |= chain.anomalies;
  out.faults.insert(chain.faults.begin(), chain.faults.end());
  Before before{data.First(40).From(8), chain.headers != 0};
  if (chain.offset != 0 || chain.more) {
    NotePiece(out, chain.offset, chain.more, chain.id, chain.piece);
    before.whole = false;
  }
  if (!chain.faults.empty()) return;
  if (chain.offset == 0) ReadTransport(chain.rest, before, out);
  if (chain.hop_by_hop && !IsMld(out.facts)) {
    Note(out, Check::kIpv6HopByHop);
    if (chain.router_alert) Note(out, Check::kIpv6Option);
  }
  const bool link_local = out.facts.source.IsV6LinkLocal() || out.facts.destination.IsV6LinkLocal();
  if (link_local && !MayBeLinkLocal(out.facts)) Note(out, Check::kIpv6LinkLocal);
  JudgeUnspecifiedSource(out);
}

// 802.1Q: at most two tags, each of a real VLAN but a priority tag alone. Returns what follows the
// ethertype.
Slice ReadTags(Slice data, OracleFrame& out) {
  uint16_t* const ids[] = {&out.facts.vlan.outer, &out.facts.vlan.inner};
  for (int depth = 0;; ++depth) {
    const uint16_t type = out.facts.ethertype;
    if (type != 0x8100 && type != 0x88a8 && type != 0x9100) return data;
    if (depth == 2) {
      out.faults.insert(kVlanTooManyTags);
      return data;
    }
    if (data.size() < 4) {
      out.faults.insert(kVlanTruncated);
      return data;
    }
    const uint16_t id = data.U16(0) & 0xfff;
    if (id == 4095 || (depth == 1 && (id == 0 || out.facts.vlan.outer == 0))) {
      out.faults.insert(kVlanIdReserved);
      return data;
    }
    *ids[depth] = id;
    out.facts.ethertype = data.U16(2);
    data = data.From(4);
  }
}

}  // namespace

OracleFrame ReadFrame(const Bytes& frame) {
  OracleFrame out;
  out.facts.frame_length = static_cast<uint32_t>(frame.size());
  const Slice ethernet{frame};
  if (ethernet.size() < 14) {
    out.faults.insert(kFrameTooShort);
    return out;
  }
  out.facts.has_ethernet = true;
  out.facts.destination_mac = ethernet.Mac(0);
  out.facts.source_mac = ethernet.Mac(6);
  out.facts.ethertype = ethernet.U16(12);
  const Slice payload = ReadTags(ethernet.From(14), out);
  if (!out.faults.empty()) return out;
  if (out.facts.source_mac.IsGroup() || out.facts.source_mac.IsZero()) {
    out.faults.insert(kSourceMacInvalid);
    return out;
  }
  switch (out.facts.ethertype) {
    case 0x0800:
      ReadIpv4(payload, out);
      break;
    case 0x86dd:
      ReadIpv6(payload, out);
      break;
    case 0x0806:
      ReadArp(payload, out);
      break;
    default:
      out.faults.insert(kEthertypeNotAllowed);
  }
  return out;
}

}  // namespace cordon::dp::testing

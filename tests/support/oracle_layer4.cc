// SPDX-License-Identifier: Apache-2.0
// IPv6 extension headers, TCP, UDP, ICMP, IGMP and neighbour discovery, as a receiver reads them.
#include <algorithm>

#include "tests/support/oracle_slice.h"

namespace cordon::dp::testing {
namespace {

using enum Reason;

constexpr int kHopByHop = 0, kRouting = 43, kFragment = 44, kDestination = 60;

bool HoldsChecksum(const Slice& data, const Before& before, uint8_t number) {
  Slice all = before.pseudo_header;
  for (const size_t word : {data.size() >> 16, data.size() & 0xffff, size_t{number}}) {
    all.bytes.push_back(static_cast<uint8_t>(word >> 8));
    all.bytes.push_back(static_cast<uint8_t>(word));
  }
  all.bytes.insert(all.bytes.end(), data.bytes.begin(), data.bytes.end());
  return InternetChecksum(all) == 0;
}

// RFC 8200 4.2.
void ReadIpv6Options(uint8_t header, Slice options, Chain& chain) {
  while (!options.empty()) {
    const uint8_t type = options.U8(0);
    if (type == 0) {
      options = options.From(1);
      continue;
    }
    if (options.size() < 2 || options.U8(1) + 2u > options.size()) {
      chain.faults.insert(kIpv6OptionMalformed);
      return;
    }
    const bool padding = type == 1, jumbo = type == 0xc2;
    const bool alert = header == kHopByHop && type == 5 && options.U8(1) == 2;
    if (jumbo) chain.faults.insert(kIpv6Jumbo);
    if (alert) chain.router_alert = true;
    if (!padding && !jumbo && !alert) chain.anomalies |= MaskOf(Check::kIpv6Option);
    options = options.From(options.U8(1) + 2u);
  }
}

// The order of RFC 8200 4.1: hop-by-hop, destination options, routing, fragment, destination
// options.
int PlaceOf(uint8_t type, int last) {
  if (type == kHopByHop) return 0;
  if (type == kDestination) return last < 1 ? 1 : 4;
  return type == kRouting ? 2 : 3;
}

void ReadRouting(const Slice& header, Chain& chain) {
  if (header.U8(2) == 0) {
    chain.faults.insert(kIpv6RoutingHeader0);
  } else if (header.U8(3) != 0) {
    chain.faults.insert(kIpv6SourceRoute);
  } else {
    chain.anomalies |= MaskOf(Check::kIpv6RoutingHeader);
  }
}

}  // namespace

Chain ReadChain(uint8_t next, Slice data) {
  Chain chain;
  chain.protocol = next;
  chain.rest = data;
  std::multiset<int> seen;
  int last = -1;
  size_t bytes = 0;
  for (;;) {
    const uint8_t type = chain.protocol;
    const Slice header = chain.rest;
    if (type != kHopByHop && type != kRouting && type != kFragment && type != kDestination) break;
    if (++chain.headers > 4) chain.faults.insert(kIpv6ExtensionLimit);
    const size_t allowed = type == kDestination ? 2 : 1;
    if (seen.count(type) == allowed) chain.faults.insert(kIpv6ExtensionChain);
    if (type == kHopByHop && chain.headers != 1) chain.faults.insert(kIpv6ExtensionChain);
    seen.insert(type);
    const int place = PlaceOf(type, last);
    if (place < last) chain.anomalies |= MaskOf(Check::kIpv6ExtensionOrder);
    last = place;
    const size_t length = type == kFragment ? 8 : header.size() < 2 ? 8 : (header.U8(1) + 1u) * 8;
    if (header.size() < length) chain.faults.insert(kIpv6ExtensionTruncated);
    if (type != kFragment && (bytes += length) > 256) chain.faults.insert(kIpv6ExtensionLimit);
    if (!chain.faults.empty()) return chain;
    chain.protocol = header.U8(0);
    chain.rest = header.From(length);
    if (type == kFragment) {
      chain.has_fragment_header = true;
      chain.offset = header.U16(2) & 0xfff8;
      chain.more = (header.U16(2) & 1) != 0;
      chain.id = header.U32(4);
      chain.piece = chain.rest;
      if (chain.offset != 0) break;
    } else if (type == kRouting) {
      ReadRouting(header, chain);
    } else {
      chain.hop_by_hop |= type == kHopByHop;
      ReadIpv6Options(type, header.First(length).From(2), chain);
    }
    if (!chain.faults.empty()) return chain;
  }
  return chain;
}

namespace {

bool IsLengthOfTcpOption(uint8_t kind, size_t length) {
  switch (kind) {
    case 2:
      return length == 4;
    case 3:
      return length == 3;
    case 4:
      return length == 2;
    case 5:
      return length == 10 || length == 18 || length == 26 || length == 34;
    case 8:
      return length == 10;
    case 19:
      return length == 18;
    case 29:
      return length >= 4;
    case 30:
      return length >= 3;
    case 34:
      return length == 2 || (length >= 6 && length <= 18 && length % 2 == 0);
    default:
      return true;
  }
}

void ReadTcpOptions(Slice options, OracleFrame& out) {
  const bool syn = (out.facts.tcp_flags & tcp_flag::kSyn) != 0;
  while (!options.empty() && options.U8(0) != 0) {
    const uint8_t kind = options.U8(0);
    if (kind == 1) {
      options = options.From(1);
      continue;
    }
    if (options.size() < 2 || options.U8(1) < 2 || options.U8(1) > options.size()) {
      out.faults.insert(kTcpOptionMalformed);
      return;
    }
    const size_t length = options.U8(1);
    if (!IsLengthOfTcpOption(kind, length)) {
      Note(out, Check::kTcpOptionLength);
    } else if (kind == 2 && syn && options.U16(2) < 256) {
      Note(out, Check::kTcpMss);
    } else if (kind == 3 && syn) {
      out.facts.tcp_window_scale = std::min<uint8_t>(options.U8(2), 14);
    }
    options = options.From(length);
  }
}

// RFC 9293 3.1 and what real stacks send: a SYN with neither FIN, RST nor URG; a RST without FIN;
// all else with ACK.
bool AreTcpFlagsReal(uint8_t flags) {
  using namespace tcp_flag;
  const bool fin = flags & kFin, syn = flags & kSyn, rst = flags & kRst, ack = flags & kAck,
             urg = flags & kUrg;
  if (syn) return !fin && !rst && !urg;
  return rst ? !fin : ack;
}

void ReadTcp(const Slice& data, const Before& before, OracleFrame& out) {
  if (data.size() < 20) {
    out.faults.insert(kTcpTruncated);
    return;
  }
  Packet& facts = out.facts;
  facts.source_port = data.U16(0);
  facts.destination_port = data.U16(2);
  facts.tcp_sequence = data.U32(4);
  facts.tcp_acknowledgment = data.U32(8);
  facts.tcp_flags = data.U8(13) & 0x3f;
  facts.tcp_window = data.U16(14);
  const size_t header = (data.U8(12) >> 4) * 4u;
  if (header < 20 || header > data.size()) {
    out.faults.insert(kTcpHeaderLength);
    return;
  }
  facts.payload_length = static_cast<uint32_t>(data.size() - header);
  if (!AreTcpFlagsReal(facts.tcp_flags)) out.faults.insert(kTcpFlags);
  if (facts.source_port == 0 || facts.destination_port == 0) out.faults.insert(kPortZero);
  const bool urgent = (facts.tcp_flags & tcp_flag::kUrg) != 0;
  if (urgent) Note(out, Check::kTcpUrgent);
  if (urgent && data.U16(18) == 0) Note(out, Check::kTcpUrgentEmpty);
  if (!urgent && data.U16(18) != 0) Note(out, Check::kTcpUrgentStray);
  if (before.whole && !HoldsChecksum(data, before, protocol::kTcp)) Note(out, Check::kL4Checksum);
  ReadTcpOptions(data.First(header).From(20), out);
}

void ReadUdp(const Slice& data, const Before& before, OracleFrame& out) {
  if (data.size() < 8) {
    out.faults.insert(kUdpTruncated);
    return;
  }
  out.facts.source_port = data.U16(0);
  out.facts.destination_port = data.U16(2);
  const size_t length = data.U16(4);
  if (length < 8 || (before.whole && length > data.size())) {
    out.faults.insert(kUdpLength);
    return;
  }
  out.facts.payload_length = static_cast<uint32_t>((before.whole ? length : data.size()) - 8);
  if (out.facts.source_port == 0 || out.facts.destination_port == 0) out.faults.insert(kPortZero);
  if (!before.whole) return;
  if (length < data.size()) Note(out, Check::kUdpTrailer);
  const bool none = data.U16(6) == 0 && out.facts.layer3 == Layer3::kIpv4;
  if (!none && !HoldsChecksum(data.First(length), before, protocol::kUdp)) {
    Note(out, Check::kL4Checksum);
  }
}

IcmpKind KindOf(bool v6, uint8_t type) {
  if (!v6) {
    if (type == 0 || type == 14 || type == 16 || type == 18) return IcmpKind::kReply;
    return type == 3 || type == 11 ? IcmpKind::kError : IcmpKind::kRequest;
  }
  if (type >= 1 && type <= 4) return IcmpKind::kError;
  if (type == 129) return IcmpKind::kReply;
  if (type == 133 || type == 135 || type == 136) return IcmpKind::kNeighbour;
  if (type == 134) return IcmpKind::kRouterAdvertisement;
  return type == 137 ? IcmpKind::kRedirect : IcmpKind::kRequest;
}

bool CarriesId(bool v6, uint8_t type) {
  return v6 ? type == 128 || type == 129 : type == 0 || type == 8 || (type >= 13 && type <= 18);
}

// False: the quote is too short or broken to name a flow.
bool ReadQuote(bool v6, const Slice& quote, QuotedFacts& quoted) {
  Slice rest;
  if (v6) {
    if (quote.size() < 40 || quote.U8(0) >> 4 != 6) return false;
    quoted.source = quote.V6(8);
    quoted.destination = quote.V6(24);
    if (quoted.source.IsV4() || quoted.destination.IsV4()) return false;
    const Chain chain = ReadChain(quote.U8(6), quote.From(40));
    if (!chain.faults.empty() || chain.offset != 0) return false;
    quoted.protocol = chain.protocol;
    rest = chain.rest;
  } else {
    if (quote.size() < 20 || quote.U8(0) >> 4 != 4) return false;
    const size_t header = (quote.U8(0) & 15) * 4u;
    if (header < 20 || header > quote.size() || (quote.U16(6) & 0x1fff) != 0) return false;
    quoted.source = quote.V4(12);
    quoted.destination = quote.V4(16);
    quoted.protocol = quote.U8(9);
    rest = quote.From(header);
  }
  if (rest.size() < 8) return false;
  if (quoted.protocol == protocol::kTcp || quoted.protocol == protocol::kUdp) {
    quoted.source_port = rest.U16(0);
    quoted.destination_port = rest.U16(2);
  }
  if (quoted.protocol == protocol::kIcmp || quoted.protocol == protocol::kIcmpv6) {
    quoted.icmp_type = rest.U8(0);
    if (CarriesId(quoted.protocol == protocol::kIcmpv6, quoted.icmp_type)) {
      quoted.icmp_id = rest.U16(4);
    }
  }
  return true;
}

void ReadIgmp(const Slice& data, OracleFrame& out) {
  constexpr uint8_t kReportV3 = 0x22;
  const bool report = data.size() >= 8 && data.U8(0) == kReportV3;
  const bool has_record = report && data.U16(6) != 0;
  if (data.size() < 8 || (has_record && data.size() < 16)) {
    out.faults.insert(kIgmpTruncated);
    return;
  }
  out.facts.igmp = {data.U8(0), has_record ? data.V4(12) : report ? Ip("0.0.0.0") : data.V4(4)};
}

void ReadIcmp(const Slice& data, const Before& before, OracleFrame& out) {
  if (data.size() < 8) {
    out.faults.insert(kIcmpTruncated);
    return;
  }
  Packet& facts = out.facts;
  const bool v6 = facts.layer3 == Layer3::kIpv6;
  facts.icmp_type = data.U8(0);
  facts.icmp_code = data.U8(1);
  facts.icmp_kind = KindOf(v6, facts.icmp_type);
  if (CarriesId(v6, facts.icmp_type)) facts.icmp_id = data.U16(4);
  if (v6 && facts.icmp_type >= 133 && facts.icmp_type <= 137) ReadNeighbour(data, before, out);
  if (facts.icmp_kind != IcmpKind::kError) return;
  const bool small_v4 = !v6 && facts.icmp_type == 3 && facts.icmp_code == 4 && data.U16(6) < 576;
  const bool small_v6 = v6 && facts.icmp_type == 2 && data.U32(4) < 1280;
  if (small_v4 || small_v6) Note(out, Check::kIcmpMtu);
  facts.quoted = QuotedFacts();
  if (!ReadQuote(v6, data.From(8), facts.quoted)) out.faults.insert(kIcmpTruncated);
}

}  // namespace

void ReadControl(const Slice& data, const Before& before, OracleFrame& out) {
  const bool v6 = out.facts.layer3 == Layer3::kIpv6;
  if (v6 != (out.facts.protocol == protocol::kIcmpv6)) {
    out.faults.insert(kIcmpFamily);
    return;
  }
  const bool holds =
      v6 ? HoldsChecksum(data, before, protocol::kIcmpv6) : InternetChecksum(data) == 0;
  if (before.whole && !holds) Note(out, Check::kL4Checksum);
  if (out.facts.protocol == protocol::kIgmp) {
    ReadIgmp(data, out);
  } else {
    ReadIcmp(data, before, out);
  }
}

void ReadTransport(const Slice& data, const Before& before, OracleFrame& out) {
  switch (out.facts.protocol) {
    case protocol::kTcp:
      return ReadTcp(data, before, out);
    case protocol::kUdp:
      return ReadUdp(data, before, out);
    case protocol::kIcmp:
    case protocol::kIgmp:
    case protocol::kIcmpv6:
      return ReadControl(data, before, out);
    default:
      return;  // judged by the number alone
  }
}

// RFC 4861 4.1-4.5, 6.1, 7.1, 8.1.
void ReadNeighbour(const Slice& message, const Before& before, OracleFrame& out) {
  Packet& facts = out.facts;
  const uint8_t type = facts.icmp_type;
  const size_t body = type == 133 ? 8 : type == 134 ? 16 : type == 137 ? 40 : 24;
  NdFacts nd;
  bool good = message.size() >= body;
  const bool has_target = type == 135 || type == 136 || type == 137;
  if (good && has_target) nd.target = message.V6(8);
  if (has_target && type != 137 && nd.target.IsMulticast()) good = false;
  if (good && type == 137 && message.V6(24).IsMulticast()) good = false;
  for (Slice options = good ? message.From(body) : Slice{}; !options.empty();) {
    if (options.size() < 8 || options.U8(1) == 0 || options.U8(1) * 8u > options.size()) {
      good = false;
      break;
    }
    const bool source = options.U8(0) == 1, target = options.U8(0) == 2;
    if ((source || target) && options.U8(1) != 1) {
      good = false;
      break;
    }
    if (source) nd.source_link_layer = options.Mac(2);
    if (target) nd.target_link_layer = options.Mac(2);
    options = options.From(options.U8(1) * 8u);
  }
  const bool unspecified = facts.source.IsUnspecified();
  const bool names_source = !nd.source_link_layer.IsZero();
  const bool node_group = ParsePrefix("ff02::1:ff00:0/104")->Contains(facts.destination);
  if (type == 133 && unspecified && names_source) good = false;
  if (type == 135 && unspecified && (names_source || !node_group)) good = false;
  const bool solicited = (message.U8(4) & 0x40) != 0;
  if (type == 136 && facts.destination.IsMulticast() && solicited) good = false;
  if ((type == 134 || type == 137) && !facts.source.IsV6LinkLocal()) good = false;
  nd.hop_limit_ok = good && facts.hop_limit == 255 && facts.icmp_code == 0 &&
                    (facts.anomalies & MaskOf(Check::kL4Checksum)) == 0 && !before.has_extensions;
  facts.nd = nd;
}

}  // namespace cordon::dp::testing

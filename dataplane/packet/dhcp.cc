// SPDX-License-Identifier: Apache-2.0
// DHCP for IPv4 over Ethernet: RFC 2131, options of RFC 2132, 3396, 3442 and 8520, BOOTP of RFC
// 951.
//
// DHCP clients of embedded stacks trusted the lengths in here and were taken over (CVE-2019-12257,
// CVE-2020-11903, CVE-2021-31881 to -31884), so an option passes only with a length that its code
// can have, and only inside of its field. What lies outside of it is malformed; a length or value
// that does not fit is a check (Check::kDhcpOption), for the device that cannot do better.
#include "dataplane/packet/layers.h"

namespace cordon::dp {
namespace {

constexpr size_t kFixedLength = 240;  // up to the options, the magic cookie included
constexpr size_t kBootpLength = 300;
constexpr uint32_t kMagicCookie = 0x63825363;
constexpr uint8_t kPad = 0, kEnd = 255, kLeaseTime = 51, kOverload = 52, kMessageType = 53,
                  kRelayInformation = 82, kClasslessRoutes = 121, kMudUrl = 161;

// The lengths that an option may have. Whoever holds one value stands once.
struct OptionShape {
  uint8_t least = 0;
  uint8_t most = 255;
  uint8_t unit = 1;
  bool once = false;
};

constexpr OptionShape Exactly(uint8_t length) { return {length, length, 1, true}; }
constexpr OptionShape ListOf(uint8_t unit) { return {unit, 255, unit, false}; }

constexpr OptionShape ShapeOf(uint8_t code) {
  switch (code) {
    case 19:
    case 20:
    case 23:
    case 27:
    case 29:
    case 30:
    case 31:
    case 34:
    case 36:
    case 37:
    case 39:
    case 46:
    case kOverload:
    case kMessageType:
    case 116:
      return Exactly(1);
    case 13:
    case 22:
    case 26:
    case 57:
      return Exactly(2);
    case 1:
    case 2:
    case 16:
    case 24:
    case 28:
    case 32:
    case 35:
    case 38:
    case 50:
    case kLeaseTime:
    case 54:
    case 58:
    case 59:
    case 108:
    case 118:
      return Exactly(4);
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
    case 41:
    case 42:
    case 44:
    case 45:
    case 48:
    case 49:
    case 65:
    case 69:
    case 70:
    case 71:
    case 72:
    case 73:
    case 74:
    case 75:
    case 76:
    case 150:
      return ListOf(4);
    case 21:
    case 33:
      return ListOf(8);
    case 25:
      return ListOf(2);
    case 12:
    case 14:
    case 15:
    case 17:
    case 18:
    case 40:
    case 43:
    case 55:
    case 56:
    case 60:
    case 64:
    case 66:
    case 67:
    case kMudUrl:
      return {1};
    case 61:
    case kRelayInformation:
      return {2};
    case kClasslessRoutes:
      return {5};
    default:
      return {};
  }
}

bool Fits(const OptionShape& shape, size_t length) {
  // RFC 3396: what is longer than 255 bytes is cut anywhere.
  if (length == 255 && !shape.once) return true;
  return length >= shape.least && length <= shape.most && length % shape.unit == 0;
}

// RFC 3442: prefix length, as many bytes of the prefix as it has, and a router, again and again.
bool AreRoutes(Reader value) {
  if (value.remaining() == 255) return true;
  while (const auto width = value.Take<1>()) {
    if (width->U8<0>() > 32 || !value.Skip((width->U8<0>() + 7u) / 8 + 4)) return false;
  }
  return true;
}

class OptionWalk {
 public:
  // One field of options. False if it is not well-formed up to its end mark.
  bool Walk(Reader field, bool may_overload) {
    while (const auto code = field.Take<1>()) {
      if (code->U8<0>() == kPad) continue;
      if (code->U8<0>() == kEnd) return true;
      const auto length = field.Take<1>();
      if (!length) return false;
      const auto value = field.Split(length->U8<0>());
      if (!value) return false;
      if (!Note(code->U8<0>(), *value)) all_fit_ = false;
      if (code->U8<0>() == kOverload && !may_overload) return false;
    }
    return false;
  }

  bool all_fit() const { return all_fit_; }
  uint8_t message_type() const { return message_type_; }
  uint8_t overload() const { return overload_; }
  uint32_t lease_seconds() const { return lease_seconds_; }
  bool Has(uint8_t code) const { return (seen_[code >> 6] >> (code & 63) & 1) != 0; }

 private:
  bool Note(uint8_t code, const Reader& value) {
    const OptionShape shape = ShapeOf(code);
    if (!Fits(shape, value.remaining()) || (shape.once && Has(code))) return false;
    seen_[code >> 6] |= uint64_t{1} << (code & 63);
    switch (code) {
      case kMessageType:
        message_type_ = value.Peek<1>()->U8<0>();
        return true;
      case kOverload:
        overload_ = value.Peek<1>()->U8<0>();
        return overload_ >= 1 && overload_ <= 3;
      case kLeaseTime:
        lease_seconds_ = value.Peek<4>()->U32<0>();
        return true;
      case kClasslessRoutes:
        return AreRoutes(value);
      case kMudUrl:
        return IsMudUrl(value);
      default:
        return true;
    }
  }

  uint64_t seen_[4] = {0, 0, 0, 0};
  uint32_t lease_seconds_ = 0;
  uint8_t message_type_ = 0;
  uint8_t overload_ = 0;
  bool all_fit_ = true;
};

bool IsTypeOf(DhcpRole role, uint8_t type) {
  switch (type) {
    case dhcp_type::kOffer:
    case dhcp_type::kAck:
    case dhcp_type::kNak:
    case dhcp_type::kForceRenew:
      return role == DhcpRole::kServer;
    default:  // 0: plain BOOTP
      return type == 0 || (type < dhcp_type::kForceRenew && role == DhcpRole::kClient);
  }
}

// What a host may be given; 0.0.0.0 is none.
bool IsLeasable(uint32_t ip) {
  return ip == 0 || (ip >> 24 != 0 && ip >> 24 != 127 && ip >> 28 < 14);
}

// RFC 2132 9.3: options that did not fit go on in the fields for the file and server name.
bool WalkAllFields(const Reader& message, OptionWalk& walk) {
  Reader names = message;
  names.Skip(44);
  const auto server_name = names.Split(64);
  const auto file_name = names.Split(128);
  names.Skip(4);
  if (!server_name || !file_name || !walk.Walk(names, true)) return false;
  const uint8_t overload = walk.overload();
  if ((overload & 1) != 0 && !walk.Walk(*file_name, false)) return false;
  return (overload & 2) == 0 || walk.Walk(*server_name, false);
}

}  // namespace

bool IsMudUrl(Reader value) noexcept {
  constexpr uint8_t kScheme[] = {'h', 't', 't', 'p', 's', ':', '/', '/'};
  for (const uint8_t wanted : kScheme) {
    const auto letter = value.Take<1>();
    if (!letter || letter->U8<0>() != wanted) return false;
  }
  while (const auto letter = value.Take<1>()) {
    if (letter->U8<0>() <= 0x20 || letter->U8<0>() >= 0x7f) return false;
  }
  return true;
}

Reason ParseDhcp(const Reader& message, Packet& packet) noexcept {
  const auto header = message.Peek<kFixedLength>();
  if (!header) return Reason::kDhcpMalformed;
  const uint8_t op = header->U8<0>();
  const bool is_ethernet = header->U8<1>() == 1 && header->U8<2>() == 6;
  if (op < 1 || op > 2 || !is_ethernet || !IsLeasable(header->U32<16>())) {
    return Reason::kDhcpMalformed;
  }
  DhcpFacts& facts = packet.dhcp;
  facts.role = op == 2 ? DhcpRole::kServer : DhcpRole::kClient;
  facts.transaction = header->U32<4>();
  facts.client = header->Mac<28>();
  facts.address = header->V4<16>();
  facts.is_relayed = header->U32<24>() != 0;
  facts.lease_seconds = kInfiniteLease;
  const uint32_t cookie = header->U32<236>();
  if (cookie == 0 && message.remaining() >= kBootpLength) return Reason::kUndecided;
  OptionWalk walk;
  if (cookie != kMagicCookie || !WalkAllFields(message, walk)) return Reason::kDhcpMalformed;
  facts.type = walk.message_type();
  if (!IsTypeOf(facts.role, facts.type)) return Reason::kDhcpMalformed;
  if (facts.type != 0) facts.lease_seconds = walk.lease_seconds();
  facts.is_relayed |= walk.Has(kRelayInformation);
  if (!walk.all_fit()) packet.anomalies |= MaskOf(Check::kDhcpOption);
  return Reason::kUndecided;
}

Reason ParseDhcpDatagram(Reader reader, Packet& packet) noexcept {
  packet.guard = GuardKind::kDhcp;
  packet.dhcp = DhcpFacts();
  if (packet.is_fragment) return Reason::kDhcpFragmented;
  // A message must lie in one piece of memory, as it does in a frame of ordinary size.
  if (!reader.Skip(8) || !reader.Truncate(packet.payload_length)) return Reason::kDhcpMalformed;
  return packet.layer3 == Layer3::kIpv6 ? ParseDhcpv6(reader, packet) : ParseDhcp(reader, packet);
}

}  // namespace cordon::dp

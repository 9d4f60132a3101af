// SPDX-License-Identifier: Apache-2.0
// DHCPv6 (RFC 8415, MUD URL of RFC 8520): every option must lie inside of what holds it. A length
// or value that its code cannot have is a check (Check::kDhcpOption). Three levels are walked, each
// in a loop of its own: the message, what an identity association (IA) holds, and what its
// addresses hold.
#include "dataplane/packet/layers.h"

namespace cordon::dp {
namespace {

constexpr uint16_t kClientId = 1, kServerId = 2, kIaNonTemporary = 3, kIaTemporary = 4,
                   kIaAddress = 5, kIaDelegation = 25, kIaPrefix = 26, kMudUrl = 112;

struct OptionShape {
  uint16_t least = 0;
  uint16_t most = 0xffff;
  uint16_t unit = 1;
};

constexpr OptionShape ShapeOf(uint16_t code) {
  switch (code) {
    case kClientId:
    case kServerId:
      return {3, 130};  // RFC 8415 11.1: a type and at most 128 bytes
    case kIaNonTemporary:
    case kIaDelegation:
      return {12};
    case kIaTemporary:
      return {4};
    case kIaAddress:
      return {24};
    case kIaPrefix:
      return {25};
    case 6:  // option request
      return {2, 0xffff, 2};
    case 7:  // preference
    case 19:
      return {1, 1};
    case 8:  // elapsed time
      return {2, 2};
    case 11:  // authentication
      return {11};
    case 12:  // server unicast
      return {16, 16};
    case 13:  // status code
    case 39:  // client's name
      return {2};
    case 14:  // rapid commit
    case 20:  // reconfigure accept
      return {0, 0};
    case 16:  // vendor's class and options
    case 17:
      return {4};
    case 22:  // lists of addresses
    case 23:
    case 31:
      return {16, 0xffff, 16};
    case 24:
    case kMudUrl:
      return {1};
    case 32:  // times
    case 82:
    case 83:
      return {4, 4};
    default:
      return {};
  }
}

bool Fits(uint16_t code, size_t length) {
  const OptionShape shape = ShapeOf(code);
  return length >= shape.least && length <= shape.most && length % shape.unit == 0;
}

struct Option {
  uint16_t code;
  Reader value;
};

// 2000::/3 and fc00::/7: what a host may be given.
bool IsLeasable(const IpAddress& ip) { return ip.hi >> 61 == 1 || ip.hi >> 57 == 0x7e; }

class MessageWalk {
 public:
  explicit MessageWalk(DhcpFacts& facts) : facts_(facts) {}

  // False if an option goes past the end of what holds it.
  bool Walk(Reader options) {
    return ForEach(options, [this](const Option& option) { return Note(option); });
  }
  bool all_fit() const { return all_fit_; }
  int server_ids() const { return server_ids_; }

 private:
  template <typename OnOption>
  bool ForEach(Reader options, OnOption on_option) {
    while (options.remaining() != 0) {
      const auto header = options.Take<4>();
      const auto value = header ? options.Split(header->U16<2>()) : std::nullopt;
      if (!value) return false;
      if (!Fits(header->U16<0>(), value->remaining())) {
        all_fit_ = false;
      } else if (!on_option(Option{header->U16<0>(), *value})) {
        return false;
      }
    }
    return true;
  }

  bool Note(const Option& option) {
    switch (option.code) {
      case kClientId:
        all_fit_ &= ++client_ids_ == 1;
        return true;
      case kServerId:
        all_fit_ &= ++server_ids_ == 1;
        return true;
      case kIaNonTemporary:
      case kIaDelegation:
        return NoteAssociation(option.value, 12);
      case kIaTemporary:
        return NoteAssociation(option.value, 4);
      case kMudUrl:
        all_fit_ &= IsMudUrl(option.value);
        return true;
      default:
        return true;
    }
  }

  bool NoteAssociation(Reader value, size_t header_length) {
    value.Skip(header_length);
    return ForEach(value, [this](Option option) {
      if (option.code == kIaAddress) return NoteAddress(option.value);
      if (option.code != kIaPrefix) return true;
      return option.value.Skip(25) && Skim(option.value);
    });
  }

  bool Skim(const Reader& options) {
    return ForEach(options, [](const Option&) { return true; });
  }

  bool NoteAddress(Reader value) {
    const auto header = value.Take<24>();
    if (!header || !Skim(value)) return false;
    const IpAddress address = header->V6<0>();
    const uint32_t valid_seconds = header->U32<20>();
    // A client asks for any address with the unspecified one.
    if (address == IpAddress{} && facts_.role == DhcpRole::kClient) return true;
    if (!IsLeasable(address)) return false;
    if (valid_seconds == 0 || facts_.address == address) return true;
    if (facts_.address != IpAddress{}) {
      facts_.several_addresses = true;
      return true;
    }
    facts_.address = address;
    facts_.lease_seconds = valid_seconds;
    return true;
  }

  DhcpFacts& facts_;
  int client_ids_ = 0, server_ids_ = 0;
  bool all_fit_ = true;
};

std::optional<DhcpRole> RoleOf(uint8_t type) {
  switch (type) {
    case dhcpv6_type::kAdvertise:
    case dhcpv6_type::kReply:
    case dhcpv6_type::kReconfigure:
      return DhcpRole::kServer;
    case dhcpv6_type::kRelayForward:
    case dhcpv6_type::kRelayReply:
      return DhcpRole::kRelay;
    default:
      if (type == 0 || type > dhcpv6_type::kRelayReply) return std::nullopt;
      return DhcpRole::kClient;
  }
}

}  // namespace

Reason ParseDhcpv6(Reader message, Packet& packet) noexcept {
  const auto header = message.Take<4>();
  const auto role = header ? RoleOf(header->U8<0>()) : std::nullopt;
  if (!role) return Reason::kDhcpMalformed;
  DhcpFacts& facts = packet.dhcp;
  facts.role = *role;
  facts.type = header->U8<0>();
  if (facts.role == DhcpRole::kRelay) return Reason::kUndecided;
  facts.transaction = header->U32<0>() & 0xffffff;
  MessageWalk walk(facts);
  if (!walk.Walk(message)) return Reason::kDhcpMalformed;
  // RFC 8415 16: what a server says names the server.
  if (facts.role == DhcpRole::kServer && walk.server_ids() == 0) return Reason::kDhcpMalformed;
  if (!walk.all_fit()) packet.anomalies |= MaskOf(Check::kDhcpOption);
  return Reason::kUndecided;
}

}  // namespace cordon::dp

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dhcp_builder.h"

#include <algorithm>

namespace cordon::dp::testing {
namespace {

constexpr size_t kTransactionAt = 4, kYiaddrAt = 16, kGiaddrAt = 24, kChaddrAt = 28,
                 kServerNameAt = 44, kFileAt = 108, kCookieAt = 236;

void PutNumber(Bytes& bytes, size_t at, uint64_t value, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    bytes[at + i] = static_cast<uint8_t>(value >> 8 * (length - 1 - i));
  }
}

Bytes Number(uint64_t value, size_t length) {
  Bytes bytes(length);
  PutNumber(bytes, 0, value, length);
  return bytes;
}

bool IsServers(uint8_t type) {
  return type == dhcp_type::kOffer || type == dhcp_type::kAck || type == dhcp_type::kNak ||
         type == dhcp_type::kForceRenew;
}

}  // namespace

DhcpMessage::DhcpMessage(uint8_t type) : fixed_(240) {
  fixed_[0] = IsServers(type) ? 2 : 1;
  fixed_[1] = 1;
  fixed_[2] = 6;
  if (type == 0) return;
  PutNumber(fixed_, kCookieAt, 0x63825363, 4);
  Option(53, {type});
}

DhcpMessage& DhcpMessage::Op(uint8_t op) {
  fixed_[0] = op;
  return *this;
}
DhcpMessage& DhcpMessage::Client(MacAddress mac) {
  PutNumber(fixed_, kChaddrAt, mac.value, 6);
  return *this;
}
DhcpMessage& DhcpMessage::Transaction(uint32_t transaction) {
  PutNumber(fixed_, kTransactionAt, transaction, 4);
  return *this;
}
DhcpMessage& DhcpMessage::Gives(std::string_view ip) {
  PutNumber(fixed_, kYiaddrAt, Ip(ip).AsV4(), 4);
  return *this;
}
DhcpMessage& DhcpMessage::Lease(uint32_t seconds) { return Option(51, Number(seconds, 4)); }
DhcpMessage& DhcpMessage::Relay(std::string_view ip) {
  PutNumber(fixed_, kGiaddrAt, Ip(ip).AsV4(), 4);
  return *this;
}
DhcpMessage& DhcpMessage::Option(uint8_t code, const Bytes& value) {
  options_.push_back(code);
  options_.push_back(static_cast<uint8_t>(value.size()));
  options_.insert(options_.end(), value.begin(), value.end());
  return *this;
}
DhcpMessage& DhcpMessage::Overload(uint8_t fields, const Bytes& file, const Bytes& server_name) {
  std::copy(file.begin(), file.end(), fixed_.begin() + kFileAt);
  std::copy(server_name.begin(), server_name.end(), fixed_.begin() + kServerNameAt);
  return Option(52, {fields});
}
DhcpMessage& DhcpMessage::WithoutEnd() {
  has_end_ = false;
  return *this;
}

Bytes DhcpMessage::Build() const {
  Bytes bytes = fixed_;
  bytes.insert(bytes.end(), options_.begin(), options_.end());
  if (has_end_ && !options_.empty()) bytes.push_back(255);
  if (has_end_ && bytes.size() < 300) bytes.resize(300);
  return bytes;
}

Dhcpv6Message::Dhcpv6Message(uint8_t type) : bytes_{type, 0, 0, 1} {
  Option(1, {0, 3, 0, 1, 2, 0, 0, 0, 0, 1});
  const bool is_servers = type == dhcpv6_type::kAdvertise || type == dhcpv6_type::kReply ||
                          type == dhcpv6_type::kReconfigure;
  if (is_servers) Option(2, {0, 3, 0, 1, 10, 0, 0, 0, 0, 9});
}

Dhcpv6Message& Dhcpv6Message::Transaction(uint32_t transaction) {
  PutNumber(bytes_, 1, transaction, 3);
  return *this;
}

Dhcpv6Message& Dhcpv6Message::Option(uint16_t code, const Bytes& value) {
  const Bytes header = Number(uint64_t{code} << 16 | value.size(), 4);
  bytes_.insert(bytes_.end(), header.begin(), header.end());
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  return *this;
}

Dhcpv6Message& Dhcpv6Message::Gives(std::string_view ip, uint32_t valid_seconds) {
  Bytes association(12);
  const IpAddress address = Ip(ip);
  for (const Bytes& part : {Number(5 << 16 | 24, 4), Number(address.hi, 8), Number(address.lo, 8),
                            Number(valid_seconds, 4), Number(valid_seconds, 4)}) {
    association.insert(association.end(), part.begin(), part.end());
  }
  return Option(3, association);
}

}  // namespace cordon::dp::testing

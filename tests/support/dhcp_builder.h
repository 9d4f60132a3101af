// SPDX-License-Identifier: Apache-2.0
// Payloads of DHCP and DHCPv6 for tests:
//
//   FrameBuilder()....Udp(68,
//   67).Payload(DhcpMessage(dhcp_type::kDiscover).Client(kPump.mac).Build())
//
// Whatever is not said has a legal default. The role follows the type, unless Op says otherwise.
#pragma once

#include <cstdint>

#include "tests/support/packet_builder.h"

namespace cordon::dp::testing {

class DhcpMessage {
 public:
  explicit DhcpMessage(uint8_t type);  // 0: plain BOOTP, without options
  DhcpMessage& Op(uint8_t op);
  DhcpMessage& Client(MacAddress mac);
  DhcpMessage& Transaction(uint32_t transaction);
  DhcpMessage& Gives(std::string_view ip);  // yiaddr
  DhcpMessage& Lease(uint32_t seconds);
  DhcpMessage& Relay(std::string_view ip);  // giaddr
  DhcpMessage& Option(uint8_t code, const Bytes& value);
  DhcpMessage& OptionText(uint8_t code, std::string_view text) { return Option(code, Text(text)); }
  DhcpMessage& Overload(uint8_t fields, const Bytes& file, const Bytes& server_name);
  DhcpMessage& WithoutEnd();
  Bytes Build() const;

 private:
  Bytes fixed_;
  Bytes options_;
  bool has_end_ = true;
};

class Dhcpv6Message {
 public:
  explicit Dhcpv6Message(uint8_t type);  // with a client id and, from a server, a server id
  Dhcpv6Message& Transaction(uint32_t transaction);
  Dhcpv6Message& Option(uint16_t code, const Bytes& value);
  Dhcpv6Message& OptionText(uint16_t code, std::string_view text) {
    return Option(code, Text(text));
  }
  Dhcpv6Message& Gives(std::string_view ip, uint32_t valid_seconds = 3600);  // an IA_NA
  Bytes Build() const { return bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace cordon::dp::testing

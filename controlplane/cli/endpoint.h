// SPDX-License-Identifier: Apache-2.0
// The other end of a conversation as people write it: "10.20.0.10:104/tcp". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace cordon::cp::cli {

enum class EndpointProtocol { kTcp, kUdp, kIcmp, kIcmpv6 };

struct Endpoint {
  std::string ip;  // as written, without brackets; valid IPv4 or IPv6
  EndpointProtocol protocol = EndpointProtocol::kTcp;
  uint16_t l4_port = 0;   // 0 for ICMP
  uint8_t icmp_type = 0;  // for ICMP: the request's type, an echo request unless written
};

// Reads "IP:PORT/tcp", "IP:PORT/udp", "[IPV6]:PORT/tcp", "IP/icmp", "IP/icmp:TYPE". "icmp" for an
// IPv6 address means ICMPv6. Otherwise a sentence: what was wrong and what would be right.
std::variant<Endpoint, std::string> ParseEndpoint(std::string_view text);

// "10.20.0.10:104", "[fd00::1]:104", "10.20.0.10" for L4 port 0.
std::string FormatEndpoint(std::string_view ip, uint32_t l4_port);

}  // namespace cordon::cp::cli

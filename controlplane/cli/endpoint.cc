// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/endpoint.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <optional>

namespace cordon::cp::cli {
namespace {

constexpr uint8_t kEchoRequest = 8;      // RFC 792
constexpr uint8_t kEchoRequestV6 = 128;  // RFC 4443 section 4.1

bool IsAddress(const std::string& text, int family) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(family, text.c_str(), bytes.data()) == 1;
}

std::optional<uint32_t> ParseNumber(std::string_view text, uint32_t maximum) {
  uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || rest != end || value > maximum) return std::nullopt;
  return value;
}

std::optional<EndpointProtocol> ParseProtocol(std::string_view text) {
  if (text == "tcp") return EndpointProtocol::kTcp;
  if (text == "udp") return EndpointProtocol::kUdp;
  if (text == "icmp") return EndpointProtocol::kIcmp;
  if (text == "icmpv6") return EndpointProtocol::kIcmpv6;
  return std::nullopt;
}

// Address and what follows it: "[fd00::1]:104" -> "fd00::1", ":104".
struct Split {
  std::string ip;
  std::string_view rest;
};

std::optional<Split> SplitAddress(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    return Split{std::string(text.substr(1, close - 1)), text.substr(close + 1)};
  }
  const size_t colon = text.find(':');
  const bool bare_ipv6 = colon != std::string_view::npos && text.find(':', colon + 1) != text.npos;
  if (colon == std::string_view::npos || bare_ipv6) return Split{std::string(text), {}};
  return Split{std::string(text.substr(0, colon)), text.substr(colon)};
}

std::variant<Endpoint, std::string> WithIcmp(Endpoint endpoint, bool ipv6, std::string_view rest,
                                             std::string_view type) {
  if (!rest.empty()) return "ICMP has no L4 port: write " + endpoint.ip + "/icmp";
  if (endpoint.protocol == EndpointProtocol::kIcmpv6 && !ipv6) {
    return "icmpv6 needs an IPv6 address: write " + endpoint.ip + "/icmp";
  }
  endpoint.protocol = ipv6 ? EndpointProtocol::kIcmpv6 : EndpointProtocol::kIcmp;
  endpoint.icmp_type = ipv6 ? kEchoRequestV6 : kEchoRequest;
  if (type.empty()) return endpoint;
  const std::optional<uint32_t> number = ParseNumber(type.substr(1), 255);
  if (!number)
    return std::string("an ICMP type is a number from 0 to 255: write ") + endpoint.ip + "/icmp:8";
  endpoint.icmp_type = static_cast<uint8_t>(*number);
  return endpoint;
}

}  // namespace

std::variant<Endpoint, std::string> ParseEndpoint(std::string_view text) {
  const size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) {
    return "no protocol: write " + std::string(text) + "/tcp, /udp or /icmp";
  }
  const std::string_view word = text.substr(slash + 1);
  const size_t colon = std::min(word.find(':'), word.size());
  const std::optional<EndpointProtocol> protocol = ParseProtocol(word.substr(0, colon));
  if (!protocol) {
    return "protocol \"" + std::string(word) + "\" is not tcp, udp, icmp or icmpv6";
  }
  const std::optional<Split> split = SplitAddress(text.substr(0, slash));
  if (!split) return "\"]\" is missing: write [fd00::1]:104/tcp";
  const bool ipv6 = IsAddress(split->ip, AF_INET6);
  if (!ipv6 && !IsAddress(split->ip, AF_INET)) {
    return "\"" + split->ip + "\" is not an IP address: write 10.20.0.10:104/tcp or " +
           "[fd00::1]:104/tcp (names are not looked up)";
  }
  Endpoint endpoint{split->ip, *protocol, 0, 0};
  const bool tcp_or_udp = protocol == EndpointProtocol::kTcp || protocol == EndpointProtocol::kUdp;
  if (!tcp_or_udp) return WithIcmp(endpoint, ipv6, split->rest, word.substr(colon));
  if (colon != word.size()) return "the L4 port stands before the protocol: write IP:PORT/tcp";
  const std::optional<uint32_t> l4_port =
      split->rest.starts_with(':') ? ParseNumber(split->rest.substr(1), 65535) : std::nullopt;
  if (!l4_port || *l4_port == 0) {
    return "an L4 port from 1 to 65535 is needed: write " +
           (ipv6 ? "[" + split->ip + "]" : split->ip) + ":PORT/" + std::string(word);
  }
  endpoint.l4_port = static_cast<uint16_t>(*l4_port);
  return endpoint;
}

std::string FormatEndpoint(std::string_view ip, uint32_t l4_port) {
  const bool bracketed = l4_port != 0 && ip.find(':') != std::string_view::npos;
  std::string text = bracketed ? "[" + std::string(ip) + "]" : std::string(ip);
  if (l4_port != 0) text += ":" + std::to_string(l4_port);
  return text;
}

}  // namespace cordon::cp::cli

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon::cp::cli {
namespace {

using testing::HasSubstr;

Endpoint Good(std::string_view text) {
  const auto result = ParseEndpoint(text);
  const Endpoint* endpoint = std::get_if<Endpoint>(&result);
  EXPECT_NE(endpoint, nullptr) << text;
  return endpoint == nullptr ? Endpoint{} : *endpoint;
}

std::string Fault(std::string_view text) {
  const auto result = ParseEndpoint(text);
  const std::string* fault = std::get_if<std::string>(&result);
  EXPECT_NE(fault, nullptr) << text;
  return fault == nullptr ? "" : *fault;
}

TEST(ParseEndpoint, ReadsAddressPortAndProtocol) {
  const Endpoint endpoint = Good("10.20.0.10:104/tcp");
  EXPECT_EQ(endpoint.ip, "10.20.0.10");
  EXPECT_EQ(endpoint.l4_port, 104);
  EXPECT_EQ(endpoint.protocol, EndpointProtocol::kTcp);
  EXPECT_EQ(Good("10.0.0.1:53/udp").protocol, EndpointProtocol::kUdp);
  EXPECT_EQ(Good("10.0.0.1:65535/udp").l4_port, 65535);
}

TEST(ParseEndpoint, ReadsBracketedIpv6) {
  const Endpoint endpoint = Good("[fd00:20::10]:3010/tcp");
  EXPECT_EQ(endpoint.ip, "fd00:20::10");
  EXPECT_EQ(endpoint.l4_port, 3010);
}

TEST(ParseEndpoint, TakesIcmpForTheFamilyOfTheAddress) {
  EXPECT_EQ(Good("10.20.0.1/icmp").icmp_type, 8);
  for (const char* text : {"fd00::1/icmp", "[fd00::1]/icmp", "fd00::1/icmpv6"}) {
    EXPECT_EQ(Good(text).protocol, EndpointProtocol::kIcmpv6) << text;
    EXPECT_EQ(Good(text).icmp_type, 128) << text;
  }
  EXPECT_EQ(Good("10.20.0.1/icmp:13").icmp_type, 13);
}

TEST(ParseEndpoint, SaysWhatWouldBeRight) {
  EXPECT_THAT(Fault("10.20.0.10:104"), HasSubstr("write 10.20.0.10:104/tcp"));
  EXPECT_THAT(Fault("10.20.0.10/tcp"), HasSubstr("write 10.20.0.10:PORT/tcp"));
  EXPECT_THAT(Fault("[fd00::1]/udp"), HasSubstr("write [fd00::1]:PORT/udp"));
  EXPECT_THAT(Fault("pacs:104/tcp"), HasSubstr("\"pacs\" is not an IP address"));
  EXPECT_THAT(Fault("10.0.0.1:80/sctp"), HasSubstr("tcp, udp, icmp or icmpv6"));
  EXPECT_THAT(Fault("10.0.0.1:80/icmp"), HasSubstr("write 10.0.0.1/icmp"));
  EXPECT_THAT(Fault("10.0.0.1/icmpv6"), HasSubstr("needs an IPv6 address"));
  EXPECT_THAT(Fault("[fd00::1:80/tcp"), HasSubstr("\"]\" is missing"));
}

TEST(ParseEndpoint, RefusesNumbersOutOfRange) {
  for (const char* text :
       {"10.0.0.1:0/tcp", "10.0.0.1:65536/tcp", "10.0.0.1:99999999999999999999/tcp",
        "10.0.0.1:/tcp", "10.0.0.1:-1/tcp", "10.0.0.1:80x/tcp", "10.0.0.1/icmp:256",
        "10.0.0.1/icmp:", "10.0.0.256:80/tcp", "10.0.0.1:80/tcp:80", "/tcp", "", "/",
        "[]:80/tcp"}) {
    EXPECT_NE(Fault(text), "") << text;
  }
}

TEST(FormatEndpoint, BracketsIpv6OnlyBeforeAPort) {
  EXPECT_EQ(FormatEndpoint("10.0.0.1", 104), "10.0.0.1:104");
  EXPECT_EQ(FormatEndpoint("fd00::1", 104), "[fd00::1]:104");
  EXPECT_EQ(FormatEndpoint("fd00::1", 0), "fd00::1");
}

}  // namespace
}  // namespace cordon::cp::cli

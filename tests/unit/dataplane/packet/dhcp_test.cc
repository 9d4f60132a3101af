// SPDX-License-Identifier: Apache-2.0
// What ParseFrame makes of DHCP and DHCPv6, above all of what is not right in them.
#include "tests/support/dhcp_builder.h"

#include <gtest/gtest.h>

namespace cordon::dp::testing {
namespace {

const Station kPump{Mac("02:00:00:00:00:01"), Ip("10.0.0.1"), {}};
constexpr CheckMask kOption = MaskOf(Check::kDhcpOption);

DhcpMessage Ack() {
  return DhcpMessage(dhcp_type::kAck).Client(kPump.mac).Gives("10.0.0.5").Lease(3600);
}
Packet Parse(const FrameBuilder& frame) {
  const Bytes bytes = frame.Build();
  Packet packet;
  ParseFrame(View(bytes), packet);
  return packet;
}
Packet Parse(const Bytes& message) { return Parse(FrameBuilder().Udp(67, 68).Payload(message)); }
Packet Parse(const DhcpMessage& message) { return Parse(message.Build()); }
Packet Parse6(const Bytes& message) {
  return Parse(FrameBuilder().From("fe80::9").To("fe80::1").Udp(547, 546).Payload(message));
}
Packet Parse6(const Dhcpv6Message& message) { return Parse6(message.Build()); }
// Well-formed, and fails the check or not.
::testing::AssertionResult Fits(const Packet& packet) {
  if (packet.reason == Reason::kUndecided && (packet.anomalies & kOption) == 0) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << ToString(packet.reason) << " " << packet.anomalies;
}
bool HasBadOption(const Packet& packet) {
  return packet.reason == Reason::kUndecided && (packet.anomalies & kOption) != 0;
}

TEST(ParseDhcp, ReadsWhatAServerGives) {
  const Packet packet = Parse(Ack().Transaction(0x12345678));
  ASSERT_TRUE(Fits(packet));
  EXPECT_EQ(packet.guard, GuardKind::kDhcp);
  EXPECT_EQ(packet.dhcp.role, DhcpRole::kServer);
  EXPECT_EQ(packet.dhcp.type, dhcp_type::kAck);
  EXPECT_EQ(packet.dhcp.client, kPump.mac);
  EXPECT_EQ(packet.dhcp.address, Ip("10.0.0.5"));
  EXPECT_EQ(packet.dhcp.lease_seconds, 3600u);
  EXPECT_EQ(packet.dhcp.transaction, 0x12345678u);
  EXPECT_FALSE(packet.dhcp.is_relayed);
}

TEST(ParseDhcp, OnlyTheL4PortsOfTheFamilyAreDhcp) {
  EXPECT_EQ(Parse(FrameBuilder().Udp(68, 67).PayloadSize(8)).reason, Reason::kDhcpMalformed);
  EXPECT_EQ(Parse(FrameBuilder().Udp(67, 5000).PayloadSize(8)).guard, GuardKind::kNone);
  EXPECT_EQ(Parse(FrameBuilder().Udp(546, 547).PayloadSize(8)).guard, GuardKind::kNone);
  const FrameBuilder v6 = FrameBuilder().From("fd00::1").To("fd00::9");
  EXPECT_EQ(Parse(FrameBuilder(v6).Udp(68, 67).PayloadSize(8)).guard, GuardKind::kNone);
}

TEST(ParseDhcp, PlainBootpHasNoTypeAndLeasesForEver) {
  const Packet packet = Parse(DhcpMessage(0).Op(2).Client(kPump.mac).Gives("10.0.0.5"));
  ASSERT_TRUE(Fits(packet));
  EXPECT_EQ(packet.dhcp.type, 0);
  EXPECT_EQ(packet.dhcp.lease_seconds, kInfiniteLease);
}

// R061
TEST(ParseDhcp, RefusesOptionsThatGoPastTheirField) {
  EXPECT_TRUE(Fits(Parse(Ack().OptionText(12, "pump-1"))));
  EXPECT_EQ(Parse(Ack().WithoutEnd()).reason, Reason::kDhcpMalformed);
  Bytes long_length = Ack().OptionText(12, "pump-1").WithoutEnd().Build();
  long_length[long_length.size() - 7] = 200;
  EXPECT_EQ(Parse(long_length).reason, Reason::kDhcpMalformed);
  for (size_t length = 0; length < 240 + 3 + 6; ++length) {
    EXPECT_EQ(Parse(Truncated(Ack().Build(), length)).reason, Reason::kDhcpMalformed) << length;
  }
}

// R061: lengths that broke DHCP clients (CVE-2019-12257, CVE-2020-11903, CVE-2021-31881)
TEST(ParseDhcp, AnOptionWithALengthThatItsCodeCannotHaveFailsTheCheck) {
  const std::pair<uint8_t, size_t> lengths[] = {{1, 3},  {3, 0},  {3, 6},   {12, 0}, {26, 1},
                                                {33, 4}, {50, 5}, {54, 0},  {57, 4}, {61, 1},
                                                {58, 8}, {82, 1}, {121, 4}, {15, 0}, {150, 7}};
  for (const auto& [code, length] : lengths) {
    EXPECT_TRUE(HasBadOption(Parse(Ack().Option(code, Bytes(length))))) << int{code};
  }
  EXPECT_TRUE(HasBadOption(Parse(Ack().Lease(60)))) << "lease time twice";
  EXPECT_TRUE(HasBadOption(Parse(Ack().Option(121, {33, 10, 0, 0, 0, 0, 10, 0, 0, 1}))));
  EXPECT_TRUE(Fits(Parse(Ack().Option(121, {24, 10, 0, 0, 10, 0, 0, 1}).Option(3, Bytes(8)))));
}

// R061
TEST(ParseDhcp, OptionsGoOnInOverloadedFields) {
  const Bytes mask = {1, 4, 255, 255, 255, 0, 255}, torn = {1, 4, 255};
  EXPECT_TRUE(Fits(Parse(Ack().Overload(3, mask, {6, 4, 10, 0, 0, 2, 255}))));
  EXPECT_TRUE(HasBadOption(Parse(Ack().Overload(3, mask, mask)))) << "one mask in each";
  EXPECT_EQ(Parse(Ack().Overload(1, Bytes(128), {})).reason, Reason::kDhcpMalformed) << "no end";
  EXPECT_TRUE(HasBadOption(Parse(Ack().Overload(2, {}, {1, 3, 255, 255, 255, 255}))));
  EXPECT_TRUE(Fits(Parse(Ack().Overload(1, mask, torn)))) << "that is only a name";
  EXPECT_EQ(Parse(Ack().Overload(1, {52, 1, 2, 255}, {})).reason, Reason::kDhcpMalformed);
  EXPECT_TRUE(HasBadOption(Parse(Ack().Option(52, {4}))));
}

// R061
TEST(ParseDhcp, AMudUrlIsPrintableHttps) {
  EXPECT_TRUE(Fits(Parse(Ack().OptionText(161, "https://mud.example/pump.json"))));
  EXPECT_TRUE(HasBadOption(Parse(Ack().OptionText(161, "http://mud.example/"))));
  EXPECT_TRUE(HasBadOption(Parse(Ack().OptionText(161, "https://mud example/"))));
  EXPECT_TRUE(HasBadOption(Parse(Ack().OptionText(161, "https"))));
  EXPECT_TRUE(Fits(Parse6(Dhcpv6Message(1).OptionText(112, "https://mud.example/pump.json"))));
  EXPECT_TRUE(HasBadOption(Parse6(Dhcpv6Message(1).OptionText(112, "https:/"))));
}

TEST(ParseDhcp, RefusesWhatNoClientOrServerSays) {
  EXPECT_EQ(Parse(Ack().Op(1)).reason, Reason::kDhcpMalformed);
  EXPECT_EQ(Parse(Ack().Op(3)).reason, Reason::kDhcpMalformed);
  EXPECT_EQ(Parse(DhcpMessage(10)).reason, Reason::kDhcpMalformed);
  EXPECT_EQ(Parse(Ack().Gives("239.0.0.1")).reason, Reason::kDhcpMalformed);
  EXPECT_EQ(Parse(Ack().Gives("127.0.0.1")).reason, Reason::kDhcpMalformed);
  EXPECT_EQ(Parse(WithByte(Ack().Build(), 2, 16)).reason, Reason::kDhcpMalformed) << "hlen";
  EXPECT_EQ(Parse(WithByte(Ack().Build(), 236, 0)).reason, Reason::kDhcpMalformed) << "cookie";
}

TEST(ParseDhcp, ARelaysMarksAreSeen) {
  EXPECT_TRUE(Parse(Ack().Relay("10.0.0.254")).dhcp.is_relayed);
  EXPECT_TRUE(Parse(Ack().Option(82, {1, 2, 0, 7})).dhcp.is_relayed);
}

// R060 (RFC 7610)
TEST(ParseDhcp, RefusesAMessageInFragments) {
  const FrameBuilder ack = FrameBuilder().Udp(67, 68).Payload(Ack().Build()).FirstFragment();
  EXPECT_EQ(Parse(ack).reason, Reason::kDhcpFragmented);
  const FrameBuilder reply = FrameBuilder().From("fe80::9").To("fe80::1").Udp(547, 546).Payload(
      Dhcpv6Message(dhcpv6_type::kReply).Build());
  EXPECT_EQ(Parse(FrameBuilder(reply).FirstFragment()).reason, Reason::kDhcpFragmented);
}

TEST(ParseDhcpv6, ReadsWhatAServerGives) {
  const Packet packet =
      Parse6(Dhcpv6Message(dhcpv6_type::kReply).Transaction(0xabcdef).Gives("fd00::5", 600));
  ASSERT_TRUE(Fits(packet));
  EXPECT_EQ(packet.dhcp.role, DhcpRole::kServer);
  EXPECT_EQ(packet.dhcp.type, dhcpv6_type::kReply);
  EXPECT_EQ(packet.dhcp.transaction, 0xabcdefu);
  EXPECT_EQ(packet.dhcp.address, Ip("fd00::5"));
  EXPECT_EQ(packet.dhcp.lease_seconds, 600u);
  EXPECT_FALSE(packet.dhcp.several_addresses);
}

TEST(ParseDhcpv6, TellsOfSeveralAddressesAndOfNone) {
  const Dhcpv6Message reply(dhcpv6_type::kReply);
  EXPECT_TRUE(
      Parse6(Dhcpv6Message(reply).Gives("fd00::5").Gives("fd00::6")).dhcp.several_addresses);
  EXPECT_FALSE(
      Parse6(Dhcpv6Message(reply).Gives("fd00::5").Gives("fd00::5")).dhcp.several_addresses);
  EXPECT_EQ(Parse6(Dhcpv6Message(reply).Gives("fd00::5", 0)).dhcp.address, IpAddress{});
  EXPECT_EQ(Parse6(Dhcpv6Message(reply).Gives("ff02::1")).reason, Reason::kDhcpMalformed);
  EXPECT_TRUE(Fits(Parse6(Dhcpv6Message(dhcpv6_type::kSolicit).Gives("::"))));
}

// R061
TEST(ParseDhcpv6, RefusesOptionsThatGoPastTheirHolder) {
  const Bytes reply = Dhcpv6Message(dhcpv6_type::kReply).Gives("fd00::5").Build();
  const auto ends = {size_t{4 + 14 + 14}, reply.size()};  // behind the server's id, and the IA
  for (size_t length = 0; length <= reply.size(); ++length) {
    const bool whole = std::find(ends.begin(), ends.end(), length) != ends.end();
    const Reason reason = Parse6(Truncated(reply, length)).reason;
    EXPECT_EQ(reason, whole ? Reason::kUndecided : Reason::kDhcpMalformed) << length;
  }
  const Bytes too_long = WithByte(reply, reply.size() - 25, 25);  // of the address in its IA
  EXPECT_EQ(Parse6(too_long).reason, Reason::kDhcpMalformed);
}

// R061
TEST(ParseDhcpv6, AnOptionWithALengthThatItsCodeCannotHaveFailsTheCheck) {
  const std::pair<uint16_t, size_t> lengths[] = {{1, 2},  {1, 131}, {3, 11}, {4, 3},  {6, 3},
                                                 {7, 2},  {8, 1},   {13, 1}, {14, 1}, {23, 8},
                                                 {25, 8}, {12, 4},  {24, 0}, {32, 2}};
  for (const auto& [code, length] : lengths) {
    const Packet packet = Parse6(Dhcpv6Message(4).Option(code, Bytes(length)));
    EXPECT_TRUE(HasBadOption(packet)) << code;
  }
  EXPECT_TRUE(Fits(Parse6(Dhcpv6Message(4).Option(23, Bytes(32)))));
}

TEST(ParseDhcpv6, RefusesUnknownTypesAndServersWithoutName) {
  EXPECT_EQ(Parse6(Dhcpv6Message(0)).reason, Reason::kDhcpMalformed);
  EXPECT_EQ(Parse6(Dhcpv6Message(14)).reason, Reason::kDhcpMalformed);
  EXPECT_EQ(Parse6(Bytes{dhcpv6_type::kReply, 0, 0, 1}).reason, Reason::kDhcpMalformed);
  EXPECT_EQ(Parse6(Bytes{dhcpv6_type::kRelayForward, 0, 0, 1}).dhcp.role, DhcpRole::kRelay);
}

}  // namespace
}  // namespace cordon::dp::testing

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/packet/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon::dp {
namespace {

std::string Canonical(std::string_view ip) {
  const auto address = ParseIp(ip);
  return address ? ToString(*address) : "refused";
}

TEST(ParseMac, ReadsFiveNotationsInEitherCase) {
  for (const char* text : {"02:00:00:aB:30:21", "02-00-00-AB-30-21", "0200.00ab.3021",
                           "020000AB3021", "020000-ab3021"}) {
    const auto mac = ParseMac(text);
    ASSERT_TRUE(mac) << text;
    EXPECT_EQ(ToString(*mac), "02:00:00:ab:30:21") << text;
  }
}

TEST(ParseMac, RefusesAnythingElse) {
  for (const char* text :
       {"", "02:00:00:00:30", "02:00:00:00:30:2g", "02:00-00:00:30:21", "02:00:00:00:30:21 ",
        "0200:0000:3021", "02000000302", "+20000003021", "0200000-03021", "02.00.00.00.30.21"}) {
    EXPECT_FALSE(ParseMac(text)) << text;
  }
}

TEST(ParseIp, PrintsIpv6AsRfc5952Wants) {
  EXPECT_EQ(Canonical("2001:0DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(Canonical("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(Canonical("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  EXPECT_EQ(Canonical("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(Canonical("0:0:0:0:0:0:0:0"), "::");
  EXPECT_EQ(Canonical("0::1"), "::1");
  EXPECT_EQ(Canonical("fe80::"), "fe80::");
  EXPECT_EQ(Canonical("1:2:3:4:5:6:0:0"), "1:2:3:4:5:6::");
}

TEST(ParseIp, ReadsDottedQuads) {
  EXPECT_EQ(ParseIp("10.20.0.10"), IpAddress::V4(0x0a14000a));
  EXPECT_EQ(Canonical("255.255.255.255"), "255.255.255.255");
  EXPECT_EQ(Canonical("0.0.0.0"), "0.0.0.0");
}

TEST(ParseIp, RefusesMappedZonedAndBrokenAddresses) {
  for (const char* text :
       {"", "10.0.0", "10.0.0.256", "10.0.0.01", "::ffff:10.0.0.1", "fe80::1%eth0", "1::2::3",
        "10.0.0.1/8", " 10.0.0.1", "host", "12345::"}) {
    EXPECT_FALSE(ParseIp(text)) << text;
  }
  EXPECT_FALSE(ParseIp(std::string_view("10.0.0.1\0x", 10)));
}

TEST(ParsePrefix, ReadsBlocksAndBareAddresses) {
  EXPECT_EQ(ToString(*ParsePrefix("10.20.4.0/28")), "10.20.4.0/28");
  EXPECT_EQ(ToString(*ParsePrefix("10.20.4.1")), "10.20.4.1/32");
  EXPECT_EQ(ToString(*ParsePrefix("fd00::/8")), "fd00::/8");
  EXPECT_EQ(ToString(*ParsePrefix("::1")), "::1/128");
  EXPECT_EQ(ToString(*ParsePrefix("0.0.0.0/0")), "0.0.0.0/0");
}

TEST(ParsePrefix, RefusesHostBitsAndImpossibleLengths) {
  for (const char* text : {"10.0.0.1/8", "10.0.0.0/33", "fd00::1/64", "fd00::/129", "10.0.0.0/",
                           "10.0.0.0/-1", "10.0.0.0/08", "/8", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(ParsePrefix(text)) << text;
  }
}

TEST(IpPrefix, ContainsItsOwnBlockOnly) {
  const IpPrefix block = *ParsePrefix("10.20.4.0/28");
  EXPECT_TRUE(block.Contains(*ParseIp("10.20.4.0")));
  EXPECT_TRUE(block.Contains(*ParseIp("10.20.4.15")));
  EXPECT_FALSE(block.Contains(*ParseIp("10.20.4.16")));
  EXPECT_FALSE(block.Contains(*ParseIp("10.20.3.255")));
  EXPECT_TRUE(ParsePrefix("fd00:1::/65")->Contains(*ParseIp("fd00:1::7fff:1:1:1")));
  EXPECT_FALSE(ParsePrefix("fd00:1::/65")->Contains(*ParseIp("fd00:1::8000:1:1:1")));
}

TEST(IpPrefix, EverythingOfOneFamilyHoldsNothingOfTheOther) {
  EXPECT_TRUE(ParsePrefix("0.0.0.0/0")->Contains(*ParseIp("255.1.2.3")));
  EXPECT_FALSE(ParsePrefix("0.0.0.0/0")->Contains(*ParseIp("fd00::1")));
  EXPECT_TRUE(ParsePrefix("::/0")->Contains(*ParseIp("fd00::1")));
  EXPECT_FALSE(ParsePrefix("::/0")->Contains(*ParseIp("10.0.0.1")));
}

TEST(ParseVlan, ReadsUntaggedSingleAndStackedTags) {
  EXPECT_EQ(ParseVlan(""), (VlanTags{0, 0}));
  EXPECT_EQ(ParseVlan("30"), (VlanTags{30, 0}));
  EXPECT_EQ(ParseVlan("100.4094"), (VlanTags{100, 4094}));
  EXPECT_EQ(ToString(VlanTags{100, 4094}), "100.4094");
  EXPECT_EQ(ToString(VlanTags{30, 0}), "30");
  EXPECT_EQ(ToString(VlanTags{}), "");
}

TEST(ParseVlan, RefusesReservedIdsAndOtherTexts) {
  for (const char* text : {"0", "4095", "30.0", "30.", ".30", "30.4095", "1.2.3", "x", "030"}) {
    EXPECT_FALSE(ParseVlan(text)) << text;
  }
}

TEST(ParsePortRange, ReadsOnePortAndRanges) {
  EXPECT_EQ(ParsePortRange("104"), (PortRange{104, 104}));
  EXPECT_EQ(ParsePortRange("1024-2047"), (PortRange{1024, 2047}));
  EXPECT_EQ(ParsePortRange("1-65535"), (PortRange{1, 65535}));
  EXPECT_EQ(ToString(PortRange{104, 104}), "104");
  EXPECT_EQ(ToString(PortRange{1024, 2047}), "1024-2047");
}

TEST(ParsePortRange, RefusesZeroReversedAndTooLarge) {
  for (const char* text : {"", "0", "65536", "200-100", "1-", "-1", "1-2-3", "99999999999", "a"}) {
    EXPECT_FALSE(ParsePortRange(text)) << text;
  }
}

TEST(IpAddress, KnowsItsKinds) {
  EXPECT_TRUE(ParseIp("224.0.0.1")->IsMulticast());
  EXPECT_TRUE(ParseIp("ff02::1")->IsMulticast());
  EXPECT_FALSE(ParseIp("223.255.255.255")->IsMulticast());
  EXPECT_TRUE(ParseIp("fe80::1")->IsV6LinkLocal());
  EXPECT_FALSE(ParseIp("fec0::1")->IsV6LinkLocal());
  EXPECT_TRUE(ParseIp("::")->IsUnspecified());
  EXPECT_TRUE(ParseIp("0.0.0.0")->IsUnspecified());
  EXPECT_FALSE(ParseIp("::1")->IsUnspecified());
  EXPECT_FALSE(ParseIp("::1")->IsV4());
}

}  // namespace
}  // namespace cordon::dp

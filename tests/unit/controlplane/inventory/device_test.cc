// SPDX-License-Identifier: Apache-2.0
#include "controlplane/inventory/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DeviceMode, ReadsWhatItPrints) {
  for (DeviceMode mode :
       {DeviceMode::kObserve, DeviceMode::kAudit, DeviceMode::kEnforce, DeviceMode::kQuarantine}) {
    EXPECT_EQ(ParseDeviceMode(ToString(mode)), mode);
  }
}

TEST(DeviceMode, RefusesOtherWords) {
  for (const char* text : {"", "Enforce", "enforced", "block", "unknown"}) {
    EXPECT_EQ(ParseDeviceMode(text), std::nullopt) << text;
  }
}

TEST(DescribeChange, SaysNothingWhereOnlyTheSourceDiffers) {
  Device before, after;
  before.source = "apply";
  after.source = "import:a.csv";
  EXPECT_THAT(DescribeChange(before, after), IsEmpty());
}

TEST(DescribeChange, NamesEveryFieldInOrderOfDeclaration) {
  Device before;
  before.name = "a";
  before.macs = {{0x020000000001}};
  before.location = "ICU 1";
  const Device after{.name = "b",
                     .macs = {{0x020000000001}, {0x020000000002}},
                     .ips = {dp::IpAddress::V4(0x0a000001)},
                     .vlan = {30, 0},
                     .vendor = "V",
                     .model = "M",
                     .device_class = "ct",
                     .location = "ICU 2",
                     .serial = "S",
                     .asset_tag = "T",
                     .profile = "p",
                     .gateway = "g",
                     .pair = "q",
                     .mode = DeviceMode::kEnforce,
                     .source = "apply"};
  EXPECT_THAT(
      DescribeChange(before, after),
      ElementsAre("name: a -> b", "mac: 02:00:00:00:00:01 -> 02:00:00:00:00:01, 02:00:00:00:00:02",
                  "ip: (none) -> 10.0.0.1", "vlan: (none) -> 30", "vendor: (none) -> V",
                  "model: (none) -> M", "class: (none) -> ct", "location: ICU 1 -> ICU 2",
                  "serial: (none) -> S", "asset_tag: (none) -> T", "profile: (none) -> p",
                  "gateway: (none) -> g", "pair: (none) -> q", "mode: observe -> enforce"));
}

}  // namespace
}  // namespace cordon::cp

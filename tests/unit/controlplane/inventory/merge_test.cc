// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "controlplane/inventory/csv_import.h"

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr dp::MacAddress kMac1{0x020000000001}, kMac2{0x020000000002}, kMac3{0x020000000003};
constexpr dp::IpAddress kIp1 = dp::IpAddress::V4(0x0a000001);
constexpr dp::IpAddress kIp2 = dp::IpAddress::V4(0x0a000002);

// Builds a device or a row field by field.
struct Make {
  Device device;
  explicit Make(const std::string& name) { device.name = name; }
  Make& Serial(const std::string& serial, const std::string& vendor = "V") {
    device.serial = serial;
    device.vendor = vendor;
    return *this;
  }
  Make& Mac(dp::MacAddress mac) {
    device.macs.push_back(mac);
    return *this;
  }
  Make& Tag(const std::string& tag) {
    device.asset_tag = tag;
    return *this;
  }
  Make& Ip(dp::IpAddress ip) {
    device.ips.push_back(ip);
    return *this;
  }
  Make& On(const std::string& gateway, const std::string& pair) {
    device.gateway = gateway;
    device.pair = pair;
    return *this;
  }
  Make& Location(const std::string& location) {
    device.location = location;
    return *this;
  }
  Make& From(const std::string& source) {
    device.source = source;
    return *this;
  }
  operator Device() const { return device; }
};

MergeResult Merge(const std::vector<Device>& existing, const std::vector<Device>& rows) {
  std::vector<ImportedDevice> imported;
  for (const Device& row : rows) imported.push_back({row, static_cast<int>(imported.size()) + 2});
  return MergeDevices(existing, imported, "i.csv");
}

std::vector<std::string> Conflicts(const MergeResult& result) {
  std::vector<std::string> texts;
  for (const InputFault& fault : result.conflicts) {
    texts.push_back(fault.place + ": " + fault.message);
  }
  return texts;
}

void ExpectUntouched(const MergeResult& result, const std::vector<Device>& existing) {
  EXPECT_EQ(result.result, existing);
  EXPECT_THAT(result.added, IsEmpty());
  EXPECT_THAT(result.changed, IsEmpty());
}

TEST(MergeDevices, AddsWhatIsNew) {
  const auto result = Merge({Make("a").Mac(kMac1)}, {Make("b").Mac(kMac2)});
  EXPECT_THAT(result.added, ElementsAre("b"));
  ASSERT_THAT(result.result, SizeIs(2));
  EXPECT_EQ(result.result[0].name, "a");
  EXPECT_EQ(result.result[1].source, "import:i.csv");
}

TEST(MergeDevices, ChangesNothingTheSecondTime) {
  const std::vector<Device> rows = {Make("a").Serial("1").Mac(kMac2).Mac(kMac1).Ip(kIp1),
                                    Make("b").Tag("T").On("g", "p"), Make("c").Mac(kMac3)};
  const auto first = Merge({}, rows);
  const auto second = Merge(first.result, rows);
  ExpectUntouched(second, first.result);
  EXPECT_EQ(second.unchanged, 3);
  EXPECT_THAT(second.stale, IsEmpty());
}

TEST(MergeDevices, ChangesNothingForAnotherFileThatSaysTheSame) {
  const std::vector<Device> known = {Make("a").Mac(kMac1).From("import:other.csv")};
  ExpectUntouched(Merge(known, {Make("x").Mac(kMac1)}), known);
}

TEST(MergeDevices, MatchesBySerialAndVendorWithoutCase) {
  const auto result = Merge({Make("a").Serial("S-1", "B. Braun").Mac(kMac1).From("import:i.csv")},
                            {Make("x").Serial("s-1", "b. braun").Mac(kMac2).Location("ICU")});
  ASSERT_THAT(result.changed, SizeIs(1));
  EXPECT_EQ(result.changed[0].device, "a");
  EXPECT_THAT(
      result.changed[0].details,
      ElementsAre("mac: 02:00:00:00:00:01 -> 02:00:00:00:00:02", "vendor: B. Braun -> b. braun",
                  "location: (none) -> ICU", "serial: S-1 -> s-1"));
}

TEST(MergeDevices, TakesTheSameSerialOfAnotherVendorForAnotherDevice) {
  EXPECT_THAT(Merge({Make("a").Serial("1", "V")}, {Make("b").Serial("1", "W")}).added,
              ElementsAre("b"));
}

TEST(MergeDevices, MatchesByMacThenAssetTag) {
  const std::vector<Device> known = {Make("a").Mac(kMac1), Make("b").Tag("T-2")};
  const auto result =
      Merge(known, {Make("x").Mac(kMac1).Location("1"), Make("y").Tag("t-2").Location("2")});
  EXPECT_THAT(result.added, IsEmpty());
  EXPECT_EQ(result.result[0].location, "1");
  EXPECT_EQ(result.result[1].location, "2");
}

TEST(MergeDevices, NeverMatchesByIpAlone) {
  EXPECT_THAT(Merge({Make("a").Mac(kMac1).Ip(kIp1)}, {Make("b").Tag("T").Ip(kIp1)}).added,
              ElementsAre("b"));
}

TEST(MergeDevices, NeverRenamesAndNumbersNamesInUse) {
  const auto result = Merge({Make("a").Mac(kMac1)}, {Make("z").Mac(kMac1), Make("a").Mac(kMac2)});
  EXPECT_EQ(result.result[0].name, "a");
  EXPECT_THAT(result.added, ElementsAre("a-2"));
}

TEST(MergeDevices, KeepsWhatTheFileDoesNotSay) {
  Device known = Make("a").Mac(kMac1).Ip(kIp1).Tag("T").Location("ICU").On("g", "p");
  known.vlan = {30, 0};
  known.profile = "pump";
  known.mode = DeviceMode::kEnforce;
  ExpectUntouched(Merge({known}, {Make("x").Mac(kMac1)}), {known});
}

TEST(MergeDevices, KeepsModeProfileGatewayAndPairOfAKnownDevice) {
  Device known = Make("a").Mac(kMac1).On("g", "p");
  known.profile = "pump";
  known.mode = DeviceMode::kEnforce;
  Device row = Make("x").Mac(kMac1).On("g2", "p2");
  row.profile = "other";
  row.mode = DeviceMode::kObserve;
  ExpectUntouched(Merge({known}, {row}), {known});
}

TEST(MergeDevices, SetsGatewayAndPairThatWereEmpty) {
  const auto result = Merge({Make("a").Mac(kMac1)}, {Make("x").Mac(kMac1).On("g", "p")});
  EXPECT_EQ(result.result[0].gateway, "g");
  EXPECT_EQ(result.result[0].pair, "p");
}

TEST(MergeDevices, DoesNotMixThePairOfOneGatewayWithAnother) {
  ExpectUntouched(Merge({Make("a").Mac(kMac1).On("g", "")}, {Make("x").Mac(kMac1).On("h", "p")}),
                  {Make("a").Mac(kMac1).On("g", "")});
}

TEST(MergeDevices, TakesNoAddressAwayFromADeviceThatWasApplied) {
  const auto result = Merge({Make("a").Serial("1").Mac(kMac1).Ip(kIp1).From("apply")},
                            {Make("x").Serial("1").Mac(kMac2).Ip(kIp2)});
  EXPECT_THAT(result.result[0].macs, ElementsAre(kMac1, kMac2));
  EXPECT_THAT(result.result[0].ips, ElementsAre(kIp1, kIp2));
  EXPECT_EQ(result.result[0].source, "apply");
}

TEST(MergeDevices, ListsDevicesOfTheSameFileThatAreGoneAndKeepsThem) {
  const std::vector<Device> known = {Make("b").Mac(kMac1).From("import:i.csv"),
                                     Make("a").Mac(kMac2).From("import:i.csv"),
                                     Make("c").Mac(kMac3).From("import:j.csv")};
  const auto result = Merge(known, {});
  EXPECT_THAT(result.stale, ElementsAre("a", "b"));
  EXPECT_EQ(result.result, known);
}

TEST(MergeDevices, ReportsARowThatMatchesTwoDevices) {
  const std::vector<Device> known = {Make("a").Serial("1"), Make("b").Tag("T"),
                                     Make("c").Mac(kMac3)};
  const auto result =
      Merge(known, {Make("x").Serial("1").Tag("T"), Make("y").Tag("T2").Mac(kMac3).Serial("2")});
  EXPECT_THAT(Conflicts(result), ElementsAre("i.csv:2: matches two devices: its serial number "
                                             "belongs to a, its asset tag to b"));
  EXPECT_EQ(result.result[0], known[0]);
  EXPECT_EQ(result.result[2].serial, "2");
}

TEST(MergeDevices, ReportsAMacOfAnotherDevice) {
  const std::vector<Device> known = {Make("a").Serial("1").Mac(kMac1), Make("b").Mac(kMac2)};
  const auto result = Merge(known, {Make("x").Serial("1").Mac(kMac2)});
  ExpectUntouched(result, known);
  EXPECT_THAT(Conflicts(result), ElementsAre(HasSubstr("its serial number belongs to a, its MAC "
                                                       "to b")));
}

TEST(MergeDevices, ReportsASerialNumberThatChangedBehindTheSameMac) {
  const std::vector<Device> known = {Make("a").Serial("1").Mac(kMac1)};
  const auto result = Merge(known, {Make("x").Serial("2").Mac(kMac1)});
  ExpectUntouched(result, known);
  EXPECT_THAT(Conflicts(result),
              ElementsAre(HasSubstr("i.csv:2: its MAC belongs to a, whose serial number is 1, not "
                                    "2")));
}

TEST(MergeDevices, ReportsRowsAboutOneDeviceThatDisagreeAndUsesNone) {
  const auto result = Merge({}, {Make("x").Serial("1").Location("ICU"), Make("y").Mac(kMac2),
                                 Make("z").Serial("1").Location("OR").Mac(kMac1)});
  EXPECT_THAT(Conflicts(result),
              ElementsAre(HasSubstr("i.csv:4: is about the same device (serial 1) as line 2 but "
                                    "disagrees in: location")));
  EXPECT_THAT(result.added, ElementsAre("y"));
}

TEST(MergeDevices, CompletesRowsAboutOneDeviceThatAgree) {
  const auto result = Merge({}, {Make("x").Serial("1"), Make("y").Serial("1").Tag("T"),
                                 Make("z").Tag("T").Mac(kMac1), Make("x").Serial("1")});
  EXPECT_THAT(result.added, ElementsAre("x"));
  EXPECT_THAT(result.conflicts, IsEmpty());
  EXPECT_EQ(result.result[0].asset_tag, "T");
  EXPECT_THAT(result.result[0].macs, ElementsAre(kMac1));
}

TEST(MergeDevices, ReportsTwoRowsThatMatchOneDeviceByDifferentKeys) {
  const std::vector<Device> known = {Make("a").Mac(kMac1).Tag("T")};
  const auto result = Merge(known, {Make("x").Mac(kMac1).Location("1"), Make("y").Tag("T")});
  ExpectUntouched(result, known);
  EXPECT_THAT(Conflicts(result), ElementsAre("i.csv:2: matches a, and so does line 3",
                                             "i.csv:3: matches a, and so does line 2"));
}

TEST(MergeDevices, ReportsDevicesThatTurnOutToBeTheSameOnceTheirRowsAreJoined) {
  Device serial_only = Make("x").Serial("1", "").Tag("T"), vendor_only = Make("y").Tag("T");
  vendor_only.vendor = "V";
  const auto result = Merge({}, {serial_only, vendor_only, Make("z").Serial("1", "V")});
  EXPECT_THAT(Conflicts(result), ElementsAre("i.csv:2: gives serial 1, and so does line 4",
                                             "i.csv:4: gives serial 1, and so does line 2"));
  EXPECT_THAT(result.result, IsEmpty());
}

TEST(MergeDevices, ReportsAnIpOfAnotherDeviceOnTheSamePair) {
  const std::vector<Device> known = {Make("a").Mac(kMac1).Ip(kIp1).On("g", "p")};
  const auto result = Merge(known, {Make("b").Mac(kMac2).Ip(kIp1).On("g", "p"),
                                    Make("c").Mac(kMac3).Ip(kIp1).On("g", "q")});
  EXPECT_THAT(Conflicts(result), ElementsAre("i.csv:2: IP 10.0.0.1 is already bound to a on pair "
                                             "g/p"));
  EXPECT_THAT(result.added, ElementsAre("c"));
}

TEST(MergeDevices, ReportsBothOfTwoNewDevicesWithOneIp) {
  const auto result = Merge(
      {}, {Make("a").Mac(kMac1).Ip(kIp1).On("g", "p"), Make("b").Mac(kMac2).Ip(kIp1).On("g", "p")});
  EXPECT_THAT(result.conflicts, SizeIs(2));
  EXPECT_THAT(result.result, IsEmpty());
}

TEST(MergeDevices, LetsAnIpMoveBetweenTwoDevicesInOneFile) {
  const std::vector<Device> known = {
      Make("a").Mac(kMac1).Ip(kIp1).On("g", "p").From("import:i.csv"),
      Make("b").Mac(kMac2).Ip(kIp2).On("g", "p").From("import:i.csv")};
  const auto result = Merge(known, {Make("a").Mac(kMac1).Ip(kIp2), Make("b").Mac(kMac2).Ip(kIp1)});
  EXPECT_THAT(result.conflicts, IsEmpty());
  EXPECT_THAT(result.changed, SizeIs(2));
}

TEST(MergeDevices, UndoesAMoveWhoseOtherHalfIsRefused) {
  const std::vector<Device> known = {
      Make("a").Serial("1").Mac(kMac1).Ip(kIp1).On("g", "p").From("import:i.csv"),
      Make("b").Mac(kMac2).Ip(kIp2).On("g", "p").From("import:i.csv")};
  const auto result =
      Merge(known, {Make("a").Serial("9").Mac(kMac1).Ip(kIp2), Make("b").Mac(kMac2).Ip(kIp1)});
  ExpectUntouched(result, known);
  EXPECT_THAT(result.conflicts, SizeIs(2));
}

TEST(MergeDevices, RefusesAnIpThatItsOwnerHasToKeep) {
  const auto device = [](const char* name, dp::MacAddress mac, dp::IpAddress ip) {
    return Make(name).Mac(mac).Ip(ip).On("g", "p").From("import:i.csv");
  };
  constexpr dp::IpAddress kIp3 = dp::IpAddress::V4(0x0a000003);
  const std::vector<Device> known = {device("a", kMac1, kIp1), device("b", kMac2, kIp2),
                                     device("c", kMac3, kIp3)};
  // a wants what c has, so it keeps what b wants.
  const auto result = Merge(known, {Make("a").Mac(kMac1).Ip(kIp3), Make("b").Mac(kMac2).Ip(kIp1)});
  ExpectUntouched(result, known);
  EXPECT_THAT(Conflicts(result),
              ElementsAre(HasSubstr("i.csv:2: IP 10.0.0.3 is already bound to c"),
                          HasSubstr("i.csv:3: IP 10.0.0.1 is already bound to a")));
}

TEST(MergeDevices, TellsDevicesWithOneMacApartByTheirVlan) {
  Device a = Make("a").Mac(kMac1), b = Make("b").Mac(kMac1), row = Make("x").Mac(kMac1);
  a.vlan = {10, 0};
  b.vlan = row.vlan = {20, 0};
  row.location = "ICU";
  const auto result = Merge({a, b}, {row});
  EXPECT_EQ(result.result[1].location, "ICU");
  EXPECT_THAT(Conflicts(Merge({a, b}, {Make("x").Mac(kMac1)})), SizeIs(1));
}

TEST(MergeDevices, BoundsTheConflictsItTells) {
  std::vector<Device> rows(1500, Make("x").Serial("1"));
  for (size_t i = 0; i < rows.size(); ++i) rows[i].location = std::to_string(i);
  const auto result = Merge({}, rows);
  ASSERT_THAT(result.conflicts, SizeIs(kMaxCsvErrors + 1));
  EXPECT_EQ(result.conflicts.back().message, "and 499 more conflicts");
}

// 100,000 rows, read and merged into themselves; far below the limit of this test even in a debug
// build, and far above it if any step were quadratic.
TEST(MergeDevices, TakesAHundredThousandRows) {
  std::string csv = "Asset Tag,Serial Number,Manufacturer,MAC Address,IP Address,Cordon Gateway\n";
  for (int i = 0; i < 100'000; ++i) {
    const std::string n = std::to_string(100'000 + i);
    csv += "T" + n + ",S" + n + ",Example,020000" + n + ",10." + std::to_string(i / 60'000) + "." +
           std::to_string(i / 240 % 250) + "." + std::to_string(i % 240 + 1) + ",g\n";
  }
  const auto start = std::chrono::steady_clock::now();
  const auto import = ImportCsv("i.csv", csv, DefaultCmmsMapping());
  const auto first = MergeDevices({}, import.devices, "i.csv");
  const auto second = MergeDevices(first.result, import.devices, "i.csv");
  EXPECT_EQ(first.added.size() + first.conflicts.size(), 100'000u);
  EXPECT_EQ(second.unchanged, 100'000);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(120));
}

}  // namespace
}  // namespace cordon::cp

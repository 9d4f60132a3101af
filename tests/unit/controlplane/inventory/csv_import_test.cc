// SPDX-License-Identifier: Apache-2.0
#include "controlplane/inventory/csv_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

CsvImport Import(std::string_view content) {
  return ImportCsv("inventory.csv", content, DefaultCmmsMapping());
}

std::vector<std::string> Texts(const std::vector<InputFault>& faults) {
  std::vector<std::string> texts;
  for (const InputFault& fault : faults) texts.push_back(fault.place + ": " + fault.message);
  return texts;
}

Device Only(const CsvImport& import) {
  EXPECT_THAT(Texts(import.errors), IsEmpty());
  EXPECT_THAT(import.devices, SizeIs(1));
  return import.devices.empty() ? Device{} : import.devices[0].device;
}

TEST(ImportCsv, ReadsEveryFieldOfARow) {
  const Device device = Only(
      Import("Hostname,MAC Address,IP Address,VLAN,Manufacturer,Model,Device Category,Location,"
             "Serial Number,Asset Tag,Cordon Profile,Cordon Gateway,Cordon Pair,Cordon Mode\n"
             "CT-2.Rad.Example,02:00:00:00:30:21,10.30.0.21,30,Example Imaging,Scan 9,CT Scanner,"
             "\"Radiology, room 4\",CT-90031,BM-2031,ct-scanner,radiology-1,ct-suite,Enforce\n"));
  Device expected;
  expected.name = "ct-2.rad.example";
  expected.macs = {{0x020000003021}};
  expected.ips = {dp::IpAddress::V4(0x0a1e0015)};
  expected.vlan = {30, 0};
  expected.vendor = "Example Imaging";
  expected.model = "Scan 9";
  expected.device_class = "ct";
  expected.location = "Radiology, room 4";
  expected.serial = "CT-90031";
  expected.asset_tag = "BM-2031";
  expected.profile = "ct-scanner";
  expected.gateway = "radiology-1";
  expected.pair = "ct-suite";
  expected.mode = DeviceMode::kEnforce;
  EXPECT_EQ(device, expected);
}

TEST(ImportCsv, ReadsMacAddressesInFiveNotations) {
  const auto import = Import(
      "MAC\n02:00:00:00:30:2A\n02-00-00-00-30-2a\n0200.0000.302A\n02000000302a\n020000-00302a\n");
  EXPECT_THAT(import.errors, IsEmpty());
  ASSERT_THAT(import.devices, SizeIs(5));
  for (const auto& row : import.devices) {
    EXPECT_THAT(row.device.macs, ElementsAre(dp::MacAddress{0x02000000302a}));
  }
}

TEST(ImportCsv, ReadsSeveralAddressesInOneCellOnceEachAndInOrder) {
  const Device device = Only(Import(
      "MAC,IP\n"
      "\"02:00:00:00:00:02; 02:00:00:00:00:01\n0200.0000.0002\",10.0.0.2 / 10.0.0.1|fd00::1\n"));
  EXPECT_THAT(device.macs,
              ElementsAre(dp::MacAddress{0x020000000001}, dp::MacAddress{0x020000000002}));
  EXPECT_THAT(device.ips, SizeIs(3));
}

TEST(ImportCsv, ReadsBomCrlfSemicolonsAndWindows1252) {
  const Device device = Only(Import("Asset Tag;Location;MAC\r\nA-1;K\xf6ln;02:00:00:00:00:01\r\n"));
  EXPECT_EQ(device.location, "Köln");
  EXPECT_EQ(Only(Import("\xef\xbb\xbf"
                        "Asset Tag;Location\r\nA-1;Köln\r\n"))
                .location,
            "Köln");
}

TEST(ImportCsv, ReadsTheSeparatorLineOfSpreadsheets) {
  const auto import = Import("sep=|\r\nAsset Tag|MAC\r\nA|x\r\n");
  EXPECT_THAT(Texts(import.errors), ElementsAre(HasSubstr("inventory.csv:3: column 'MAC'")));
}

TEST(ImportCsv, MatchesHeadersWithoutCaseSpacesAndPunctuation) {
  EXPECT_EQ(Only(Import(" serial_no. ,VENDOR\n7,V\n")).serial, "7");
}

TEST(ImportCsv, UnwrapsTextThatSpreadsheetsProtect) {
  EXPECT_EQ(Only(Import("Asset Tag\n=\"00123\"\n")).asset_tag, "00123");
  EXPECT_EQ(Only(Import("Asset Tag\n'00123\n")).asset_tag, "00123");
}

TEST(ImportCsv, TakesWordsForNothingAsEmpty) {
  const Device device =
      Only(Import("Asset Tag,MAC,IP,Serial,Vendor,VLAN\nA-1,N/A,DHCP,none,-,0\n"));
  Device expected;
  expected.name = "a-1";
  expected.asset_tag = "A-1";
  EXPECT_EQ(device, expected);
}

TEST(ImportCsv, ReportsAllFaultsOfARowWithLineAndColumn) {
  const auto import = Import(
      "Asset Tag,MAC Address,IP Address,VLAN ID,Cordon Mode\n"
      "A-1,02:00:00:00:00:01,10.0.0.1,30,audit\n"
      "A-2,02:00:00,10.0.0.256,4095,block\n");
  EXPECT_THAT(import.devices, SizeIs(1));
  EXPECT_EQ(import.rows, 2);
  EXPECT_THAT(
      Texts(import.errors),
      ElementsAre("inventory.csv:3: column 'MAC Address': '02:00:00' is not a device's MAC "
                  "address; write it like 02:00:00:00:30:21",
                  "inventory.csv:3: column 'IP Address': '10.0.0.256' is not a device's IP "
                  "address; write it like 10.30.0.21",
                  "inventory.csv:3: column 'VLAN ID': '4095' is not a VLAN; write 30, or 100.30 "
                  "for outer and inner",
                  "inventory.csv:3: column 'Cordon Mode': 'block' is not a mode; write observe, "
                  "audit, enforce or quarantine"));
}

TEST(ImportCsv, RefusesAddressesNoDeviceCanHave) {
  for (const char* mac : {"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"}) {
    EXPECT_THAT(Import(std::string("MAC\n") + mac).errors, SizeIs(1)) << mac;
  }
  for (const char* ip :
       {"0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "ff02::1", "127.0.0.1", "::1"}) {
    EXPECT_THAT(Import(std::string("Asset Tag,IP\nA,") + ip).errors, SizeIs(1)) << ip;
  }
}

TEST(ImportCsv, RefusesARowByWhichNoDeviceCouldBeKnownAgain) {
  const auto import = Import("Hostname,IP,Serial,MAC\npump-1,10.0.0.1,77,\n");
  EXPECT_THAT(Texts(import.errors),
              ElementsAre(HasSubstr("inventory.csv:2: has neither MAC nor asset tag")));
}

TEST(ImportCsv, RefusesRowsWithMoreOrFewerCellsThanTheHeader) {
  const auto import = Import("Asset Tag,MAC\nA\nB,,x\nC,,,\nD,\n");
  EXPECT_THAT(Texts(import.errors), ElementsAre("inventory.csv:2: has 1 cells, the header has 2",
                                                "inventory.csv:3: has 3 cells, the header has 2"));
  EXPECT_THAT(import.devices, SizeIs(2));
}

TEST(ImportCsv, SkipsBlankLines) { EXPECT_EQ(Import("\n\nAsset Tag,MAC\n\n,\nA,\n\n").rows, 1); }

TEST(ImportCsv, RefusesAFileThatIsNoInventory) {
  EXPECT_THAT(Texts(Import("").errors), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(Texts(Import("\xff\xfe"
                           "A")
                        .errors),
              ElementsAre(HasSubstr("UTF-16")));
  EXPECT_THAT(Texts(Import(std::string_view("A\0B", 3)).errors),
              ElementsAre(HasSubstr("zero bytes")));
  EXPECT_THAT(Texts(Import("Name,Color\npump,red\n").errors),
              ElementsAre("inventory.csv:1: has no column for mac, serial or asset_tag, by which a "
                          "device could be known; its columns are 'Name', 'Color'; name them in "
                          "the column mapping"));
}

TEST(ImportCsv, RefusesAFileWithTheSameColumnTwice) {
  EXPECT_THAT(Texts(Import("MAC,mac\na,b\n").errors),
              ElementsAre(HasSubstr("has 2 columns 'MAC'")));
}

TEST(ImportCsv, RefusesAMappingThatNamesAMissingColumn) {
  ColumnMapping mapping = DefaultCmmsMapping();
  mapping.columns["location"] = {"Roomm"};
  const auto import = ImportCsv("i.csv", "MAC,Room\n02:00:00:00:00:01,4\n", mapping);
  EXPECT_THAT(Texts(import.errors), ElementsAre(HasSubstr("i.csv:1: has no column 'Roomm'")));
  EXPECT_THAT(import.devices, IsEmpty());
}

TEST(ImportCsv, RefusesAMappingWithUnknownFields) {
  ColumnMapping mapping = DefaultCmmsMapping();
  mapping.columns["mac_address"] = {"MAC"};
  mapping.defaults["colour"] = "red";
  EXPECT_THAT(ImportCsv("i.csv", "MAC\n02:00:00:00:00:01\n", mapping).errors, SizeIs(2));
}

TEST(ImportCsv, FillsEmptyCellsFromDefaults) {
  ColumnMapping mapping = DefaultCmmsMapping();
  mapping.defaults = {{"gateway", "g1"}, {"mode", "audit"}, {"location", "cellar"}};
  const Device device = Only(ImportCsv("i.csv", "Asset Tag,Location\nA,\n", mapping));
  EXPECT_EQ(device.gateway, "g1");
  EXPECT_EQ(device.location, "cellar");
  EXPECT_EQ(device.mode, DeviceMode::kAudit);
}

TEST(ImportCsv, NamesABadDefaultAsSuch) {
  ColumnMapping mapping = DefaultCmmsMapping();
  mapping.defaults = {{"mode", "on"}};
  EXPECT_THAT(Texts(ImportCsv("i.csv", "Asset Tag\nA\n", mapping).errors),
              ElementsAre(HasSubstr("i.csv:2: default of mode: 'on' is not a mode")));
}

TEST(ImportCsv, MapsClassNamesWithoutCaseAndTurnsOthersIntoNames) {
  ColumnMapping mapping = DefaultCmmsMapping();
  mapping.class_names = {{"Pump, Infusion", "infusion-pump"}};
  const auto import =
      ImportCsv("i.csv", "Asset Tag;Category\nA;PUMP,  INFUSION\nB;Bed (electric)\n", mapping);
  ASSERT_THAT(import.devices, SizeIs(2));
  EXPECT_EQ(import.devices[0].device.device_class, "infusion-pump");
  EXPECT_EQ(import.devices[1].device.device_class, "bed-electric");
}

TEST(ImportCsv, NamesDevicesByWhatTheyHave) {
  const auto import = Import(
      "Name,Asset Tag,Vendor,Model,Serial,MAC\n"
      "Pump Ü 1!,A,V,M,S1,\n"
      ",BM 1021,V,M,S2,\n"
      "***,,B. Braun,Space,77,\n"
      ",,,,,02:00:00:00:00:01\n");
  std::vector<std::string> names;
  for (const auto& row : import.devices) names.push_back(row.device.name);
  EXPECT_THAT(names, ElementsAre("pump-1", "bm-1021", "b.-braun-space-77", "02-00-00-00-00-01"));
}

TEST(ImportCsv, NumbersNamesThatOccurTwice) {
  const auto import = Import("Name,Asset Tag\npump,A\nPUMP,B\npump-2,C\npump,D\n");
  std::set<std::string> names;
  for (const auto& row : import.devices) names.insert(row.device.name);
  EXPECT_THAT(names, ElementsAre("pump", "pump-2", "pump-2-2", "pump-3"));
}

TEST(ImportCsv, KeepsNamesWithinTheirLimitEvenWhenNumbered) {
  const std::string name(80, 'x');
  const auto import = Import("Name,Asset Tag\n" + name + ",A\n" + name + ",B\n");
  EXPECT_EQ(import.devices[0].device.name, std::string(63, 'x'));
  EXPECT_EQ(import.devices[1].device.name, std::string(61, 'x') + "-2");
}

TEST(ImportCsv, BoundsTextsAddressesAndErrors) {
  EXPECT_THAT(Texts(Import("Asset Tag,Model\nA," + std::string(201, 'm')).errors),
              ElementsAre(HasSubstr("is longer than 200 bytes")));
  std::string macs, rows;
  for (int i = 16; i < 99; ++i) macs += "0200000000" + std::to_string(i) + " ";
  EXPECT_THAT(Texts(Import("MAC\n" + macs).errors),
              ElementsAre(HasSubstr("more than 64 addresses")));
  for (int i = 0; i < 1500; ++i) rows += "x\n";
  const auto import = Import("MAC\n" + rows);
  ASSERT_THAT(import.errors, SizeIs(kMaxCsvErrors + 1));
  EXPECT_EQ(import.errors.back().message, "and 500 more errors");
  EXPECT_EQ(import.rows, 1500);
}

TEST(ImportCsv, GoesOnBehindABrokenRow) {
  const auto import = Import("Asset Tag,Model\n\"A\"x,1\nB,2\n");
  EXPECT_THAT(Texts(import.errors), ElementsAre(HasSubstr("inventory.csv:2: text follows")));
  EXPECT_THAT(import.devices, SizeIs(1));
}

}  // namespace
}  // namespace cordon::cp

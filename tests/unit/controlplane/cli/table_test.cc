// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace cordon::cp::cli {
namespace {

std::string Printed(const auto& printable, const Style& style = {}) {
  std::ostringstream out;
  printable.Print(out, style);
  return out.str();
}

TEST(Table, AlignsColumnsByTheWidestCell) {
  Table table({{"NAME"}, {"RULES", Table::Align::kRight}, {"NOTE"}});
  table.AddRow({"ct-2", Cell::Number(7), "a"});
  table.AddRow({"infusion", Cell::Number(1200), "b"});
  EXPECT_EQ(Printed(table),
            "NAME      RULES  NOTE\n"
            "ct-2          7  a\n"
            "infusion  1,200  b\n");
}

TEST(Table, CountsCodePointsNotBytes) {
  Table table({{"A"}, {"B"}});
  table.AddRow({"Röntgen", "x"});
  table.AddRow({"abcdefg", "y"});
  EXPECT_EQ(Printed(table), "A        B\nRöntgen  x\nabcdefg  y\n");
}

TEST(Table, ShowsEmptyCellsAndPrintsNothingWithoutRows) {
  Table table({{"A"}, {"B"}});
  EXPECT_EQ(Printed(table), "");
  table.AddRow({"", "x"});
  EXPECT_EQ(Printed(table), "A  B\n-  x\n");
}

TEST(Table, CutsTheWidestColumnToFitTheTerminal) {
  Table table({{"A"}, {"TEXT"}});
  table.AddRow({"name", std::string(60, 'x')});
  const std::string text = Printed(table, {Style::Color::kNever, 20});
  EXPECT_THAT(text, testing::HasSubstr("name  " + std::string(13, 'x') + "…\n"));
}

TEST(Table, ColoursOnlyWhereTheStyleSaysSo) {
  Table table({{"A"}});
  table.AddRow({{"drop", Tone::kBad}});
  EXPECT_EQ(Printed(table), "A\ndrop\n");
  EXPECT_EQ(Printed(table, {Style::Color::kAlways, 0}), "\033[1mA\033[0m\n\033[31mdrop\033[0m\n");
}

TEST(Table, NeverSendsControlCharactersOfCells) {
  Table table({{"A"}});
  table.AddRow({"a\033]0;x\a"});
  EXPECT_EQ(Printed(table), "A\na\\x1b]0;x\\x07\n");
}

TEST(Sheet, AlignsValuesAndLeavesEmptyOnesOut) {
  Sheet sheet;
  sheet.Add("Device", "ct-2");
  sheet.Add("Vendor", "");
  sheet.Add("IP", "10.0.0.1");
  EXPECT_EQ(Printed(sheet), "Device:  ct-2\nIP:      10.0.0.1\n");
}

}  // namespace
}  // namespace cordon::cp::cli

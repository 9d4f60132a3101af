// SPDX-License-Identifier: Apache-2.0
#include "controlplane/inventory/csv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon::cp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Cells = std::vector<std::string>;

std::vector<CsvReader::Record> Read(std::string_view text, char delimiter = ',') {
  CsvReader reader(text, delimiter);
  std::vector<CsvReader::Record> records;
  for (CsvReader::Record record; reader.Next(record);) records.push_back(record);
  return records;
}

std::vector<Cells> ReadCells(std::string_view text, char delimiter = ',') {
  std::vector<Cells> all;
  for (const auto& record : Read(text, delimiter)) all.push_back(record.cells);
  return all;
}

TEST(CsvReader, ReadsEveryKindOfLineEnd) {
  EXPECT_THAT(ReadCells("a,b\nc,d\r\ne,f\rg,h"),
              ElementsAre(Cells{"a", "b"}, Cells{"c", "d"}, Cells{"e", "f"}, Cells{"g", "h"}));
}

TEST(CsvReader, GivesNoRecordForTheLastLineEnd) {
  EXPECT_THAT(ReadCells("a\n"), ElementsAre(Cells{"a"}));
  EXPECT_TRUE(Read("").empty());
}

TEST(CsvReader, ReadsQuotesDelimitersAndLineEndsInsideQuotes) {
  EXPECT_THAT(ReadCells("\"a,\"\"b\"\"\",\"c\r\nd\"\n"), ElementsAre(Cells{"a,\"b\"", "c\nd"}));
}

TEST(CsvReader, TakesAQuoteInsideAPlainCellAsText) {
  EXPECT_THAT(ReadCells("a 5\" monitor,b"), ElementsAre(Cells{"a 5\" monitor", "b"}));
}

TEST(CsvReader, KeepsEmptyCells) {
  EXPECT_THAT(ReadCells(",,\n\"\",x,"), ElementsAre(Cells{"", "", ""}, Cells{"", "x", ""}));
}

TEST(CsvReader, CountsLinesInsideQuotes) {
  const auto records = Read("a\n\"b\n\n\"\nc");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1].line, 2);
  EXPECT_EQ(records[2].line, 5);
}

TEST(CsvReader, ReportsTextBehindAClosingQuoteAndGoesOn) {
  const auto records = Read("\"a\"b,c\nd,e");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_THAT(records[0].fault, HasSubstr("closing quote"));
  EXPECT_THAT(records[1].cells, ElementsAre("d", "e"));
  EXPECT_EQ(records[1].fault, "");
}

TEST(CsvReader, ReportsAQuoteThatIsNeverClosedWithItsLine) {
  const auto records = Read("a\nb,\"c\nd\ne");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].fault, "the quote opened in line 2 is never closed");
}

TEST(CsvReader, BoundsCellsOfARecord) {
  const std::string most(CsvReader::kMaxCells - 1, ',');
  EXPECT_EQ(Read(most)[0].fault, "");
  EXPECT_THAT(Read(most + ",")[0].fault, HasSubstr("more than 1000 cells"));
  EXPECT_EQ(Read(most + ",,,")[0].cells.size(), CsvReader::kMaxCells);
}

TEST(CsvReader, BoundsTheSizeOfACell) {
  const std::string longest(CsvReader::kMaxCellSize, 'x');
  EXPECT_EQ(Read(longest)[0].fault, "");
  EXPECT_THAT(Read(longest + "x")[0].fault, HasSubstr("longer than"));
}

TEST(CsvReader, KnowsBlankRecords) {
  EXPECT_TRUE(Read(" ,\t,")[0].IsBlank());
  EXPECT_TRUE(Read("\n")[0].IsBlank());
  EXPECT_FALSE(Read(",x")[0].IsBlank());
  EXPECT_FALSE(Read("\"")[0].IsBlank());  // a fault must not be skipped
}

TEST(DetectDelimiter, TakesTheMostFrequentOfTheHeaderOutsideQuotes) {
  EXPECT_EQ(DetectDelimiter("a,b,c\n1;2;3;4;5"), ',');
  EXPECT_EQ(DetectDelimiter("a;b;c\n1,2,3"), ';');
  EXPECT_EQ(DetectDelimiter("a\tb"), '\t');
  EXPECT_EQ(DetectDelimiter("a|b"), '|');
  EXPECT_EQ(DetectDelimiter("\n\n\"a,b,c\";d"), ';');
  EXPECT_EQ(DetectDelimiter("a"), ',');
  EXPECT_EQ(DetectDelimiter(""), ',');
}

TEST(DecodeCsvText, DropsTheByteOrderMark) {
  EXPECT_EQ(DecodeCsvText("\xef\xbb\xbf"
                          "a"),
            "a");
}

TEST(DecodeCsvText, LeavesUtf8Alone) { EXPECT_EQ(DecodeCsvText("Köln €"), "Köln €"); }

TEST(DecodeCsvText, ReadsWindows1252WhereTheTextIsNotUtf8) {
  EXPECT_EQ(DecodeCsvText("K\xf6ln \x80 \x96 \x81"), "Köln € – \ufffd");
}

TEST(IsUtf8, RefusesWhatRfc3629Refuses) {
  EXPECT_TRUE(IsUtf8("a\xc2\x80 \xe0\xa0\x80 \xed\x9f\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
  for (const char* text : {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc2", "\xe2\x82", "\xc2x"}) {
    EXPECT_FALSE(IsUtf8(text)) << testing::PrintToString(std::string(text));
  }
}

}  // namespace
}  // namespace cordon::cp

// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/text.h"

#include <gtest/gtest.h>

namespace cordon::cp::cli {
namespace {

using namespace std::chrono_literals;

TEST(Printable, LeavesUtf8TextAlone) { EXPECT_EQ(Printable("Röntgen 2 €"), "Röntgen 2 €"); }

TEST(Printable, ShowsControlCharactersInsteadOfSendingThem) {
  EXPECT_EQ(Printable("a\033[2Jb\n\x7f"), "a\\x1b[2Jb\\x0a\\x7f");
  EXPECT_EQ(Printable("a\xc2\x9b"), "a\\xc2\\x9b");  // C1: CSI in one character
}

TEST(Printable, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(Printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(Printable("\xe0\x80\x80"), "\\xe0\\x80\\x80");           // overlong
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
}

TEST(Ellipsize, CutsAtCodePoints) {
  EXPECT_EQ(Ellipsize("Röntgen", 7), "Röntgen");
  EXPECT_EQ(Ellipsize("Röntgen", 3), "Rö…");
  EXPECT_EQ(Ellipsize("Röntgen", 1), "…");
}

TEST(FormatDuration, PicksTheUnitAPersonWould) {
  EXPECT_EQ(FormatDuration(400us), "0.4 ms");
  EXPECT_EQ(FormatDuration(38ms), "38 ms");
  EXPECT_EQ(FormatDuration(1200ms), "1.2 s");
  EXPECT_EQ(FormatDuration(200s), "3 min 20 s");
  EXPECT_EQ(FormatDuration(24h), "1 d");
  EXPECT_EQ(FormatDuration(125min), "2 h 5 min");
}

TEST(FormatAgo, CountsInOneUnit) {
  const Clock::time_point now = Clock::time_point(1'000'000s);
  EXPECT_EQ(FormatAgo(now - 300ms, now), "just now");
  EXPECT_EQ(FormatAgo(now - 42s, now), "42 s ago");
  EXPECT_EQ(FormatAgo(now - 3600s, now), "1 h ago");
  EXPECT_EQ(FormatAgo(now - 50h, now), "2 d ago");
  EXPECT_EQ(FormatAgo(now + 5min, now), "in 5 min");
}

TEST(FormatCount, GroupsByThousands) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1'234'567), "1,234,567");
}

TEST(FormatBytes, UsesBinaryUnits) {
  EXPECT_EQ(FormatBytes(512), "512 B");
  EXPECT_EQ(FormatBytes(4096), "4.0 KiB");
  EXPECT_EQ(FormatBytes(~uint64_t{0}), "16.0 EiB");
}

TEST(Plural, CountsOne) {
  EXPECT_EQ(Plural(1, "fault"), "1 fault");
  EXPECT_EQ(Plural(1204, "device"), "1,204 devices");
}

TEST(ParseDuration, ReadsUnitsAndBareSeconds) {
  EXPECT_EQ(ParseDuration("500ms"), 500ms);
  EXPECT_EQ(ParseDuration("30"), 30s);
  EXPECT_EQ(ParseDuration("1.5s"), 1500ms);
  EXPECT_EQ(ParseDuration("2m"), 2min);
  EXPECT_EQ(ParseDuration("24h"), 24h);
}

TEST(ParseDuration, RefusesWhatIsNotATimeUpToADay) {
  for (const char* text : {"", "s", "-1s", "0", "25h", "5x", "nan", "inf", "1e9", "1 s", "30ss"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(ClosestWord, FindsATypingMistake) {
  const std::vector<std::string> known = {"gateways", "generations", "get"};
  EXPECT_EQ(ClosestWord("gatways", known), "gateways");
  EXPECT_EQ(ClosestWord("ge", known), "get");
}

TEST(ClosestWord, FindsNothingFarAway) {
  EXPECT_EQ(ClosestWord("frobnicate", {"gateways", "get"}), std::nullopt);
  EXPECT_EQ(ClosestWord(std::string(100'000, 'a'), {"get"}), std::nullopt);
}

}  // namespace
}  // namespace cordon::cp::cli

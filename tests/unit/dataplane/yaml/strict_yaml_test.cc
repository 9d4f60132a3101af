// SPDX-License-Identifier: Apache-2.0
#include "dataplane/yaml/strict_yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cordon::dp {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

auto FaultAt(const std::string& place, const std::string& text) {
  return AllOf(Field(&YamlFault::place, place), Field(&YamlFault::message, HasSubstr(text)));
}

YamlFile Parse(std::string_view content) { return YamlFile::Parse("a.yaml", content); }

TEST(StrictYaml, ReadsTypedValues) {
  YamlFile file = Parse("name: gw\ncount: 7\non: true\nwait: 100us\nlist: [1, two]\nsub: {a: b}\n");
  ASSERT_THAT(file.documents(), SizeIs(1));
  {
    YamlMap map = file.documents()[0].AsMap();
    EXPECT_EQ(map.RequiredString("name"), "gw");
    EXPECT_EQ(map.Integer("count", 0, {1, 10}), 7);
    EXPECT_TRUE(map.Bool("on", false));
    EXPECT_EQ(map.Duration("wait", 1s), 100us);
    EXPECT_THAT(map.Strings("list"), ElementsAre("1", "two"));
    EXPECT_EQ(map.Map("sub").String("a"), "b");
  }
  EXPECT_THAT(file.faults(), IsEmpty());
}

TEST(StrictYaml, RefusesKeysThatWereNeverAskedForWithASuggestion) {
  YamlFile file = Parse("name: x\nstate_directry: /var\n");
  {
    YamlMap map = file.documents()[0].AsMap();
    map.String("name");
    map.String("state_directory");
  }
  EXPECT_THAT(file.faults(),
              ElementsAre(FaultAt("a.yaml:2",
                                  "unknown key 'state_directry' (known: name, state_directory); "
                                  "did you mean 'state_directory'?")));
}

TEST(StrictYaml, CollectsAllFaultsInOrderOfLineWithFieldPaths) {
  YamlFile file = Parse("pairs:\n  - {name: a, queues: many}\n  - {queues: 0}\nwait: 5 s\n");
  {
    YamlMap map = file.documents()[0].AsMap();
    map.Duration("wait", 1s);
    for (const YamlNode& node : map.List("pairs")) {
      YamlMap pair = node.AsMap();
      pair.RequiredString("name");
      pair.Integer("queues", 1, {1, 64});
    }
  }
  EXPECT_THAT(file.faults(),
              ElementsAre(FaultAt("a.yaml:2: pairs[0].queues", "from 1 to 64, not 'many'"),
                          FaultAt("a.yaml:3: pairs[1]", "key 'name' is missing"),
                          FaultAt("a.yaml:3: pairs[1].queues", "not '0'"),
                          FaultAt("a.yaml:4: wait", "not '5 s'")));
}

TEST(StrictYaml, NamesTheLineOfASyntaxErrorAndKeepsEarlierDocuments) {
  YamlFile file = Parse("kind: A\n---\nkind: [B\n");
  EXPECT_THAT(file.documents(), SizeIs(1));
  ASSERT_THAT(file.faults(), SizeIs(1));
  EXPECT_THAT(file.faults()[0].message, HasSubstr("is not valid YAML"));
  EXPECT_THAT(file.faults()[0].place, HasSubstr("a.yaml:"));
}

TEST(StrictYaml, RefusesAKeyGivenTwiceAndNamesBothLines) {
  EXPECT_THAT(Parse("a: 1\nb: 2\na: 3\n").faults(),
              ElementsAre(FaultAt("a.yaml:3", "key 'a' is given twice (first in line 1)")));
}

TEST(StrictYaml, RefusesAliasesAnchorsAndTags) {
  EXPECT_THAT(Parse("a: &x 1\n").faults(), ElementsAre(FaultAt("a.yaml:1", "anchors")));
  EXPECT_THAT(Parse("a: 1\nb: *x\n").faults(), SizeIs(1));
  EXPECT_THAT(Parse("a: !!binary abc\n").faults(), ElementsAre(FaultAt("a.yaml:1", "tags")));
}

TEST(StrictYaml, RefusesDeepNestingAndTooManyValues) {
  EXPECT_THAT(Parse(std::string(17, '[') + std::string(17, ']')).faults(),
              ElementsAre(FaultAt("a.yaml:1", "deeper than 16")));
  EXPECT_THAT(Parse(std::string(100'000, '[')).faults(), SizeIs(1));
  EXPECT_THAT(YamlFile::Parse("a.yaml", "[1,2,3,4]", {.nodes = 4}).faults(),
              ElementsAre(FaultAt("a.yaml:1", "more than 4 values")));
  EXPECT_THAT(YamlFile::Parse("a.yaml", "[1,2,3]", {.bytes = 4}).faults(),
              ElementsAre(FaultAt("a.yaml:1", "larger than 4 bytes")));
}

TEST(StrictYaml, RefusesAListOrMapWhereAKeyBelongs) {
  EXPECT_THAT(Parse("? [a]\n: b\n").faults(), ElementsAre(FaultAt("a.yaml:1", "plain word")));
}

TEST(StrictYaml, SaysOnceThatADocumentIsNotAMap) {
  YamlFile file = Parse("- a\n");
  {
    YamlMap map = file.documents()[0].AsMap();
    map.RequiredString("name");
  }
  EXPECT_THAT(file.faults(), ElementsAre(FaultAt("a.yaml:1", "must be a map")));
}

TEST(StrictYaml, OffersTheNearestWordForAnEnumeration) {
  YamlFile file = Parse("mode: enforced\n");
  {
    YamlMap map = file.documents()[0].AsMap();
    EXPECT_EQ(map.OneOf("mode", {"audit", "enforce"}, 0), 0u);
  }
  EXPECT_THAT(file.faults(), ElementsAre(FaultAt("a.yaml:1: mode", "did you mean 'enforce'?")));
}

TEST(StrictYaml, BoundsTheNumberOfFaults) {
  std::string content;
  for (int i = 0; i < 50; ++i) content += "k" + std::to_string(i) + ": 1\n";
  YamlFile file = YamlFile::Parse("a.yaml", content, {.faults = 10});
  { YamlMap map = file.documents()[0].AsMap(); }
  ASSERT_THAT(file.faults(), SizeIs(11));
  EXPECT_EQ(file.faults().back().message, "and 40 more faults");
}

TEST(StrictYaml, ReportsAFileThatCannotBeRead) {
  EXPECT_THAT(YamlFile::Read("/nonexistent/x.yaml").faults(),
              ElementsAre(FaultAt("/nonexistent/x.yaml:1", "cannot be read: No such file")));
  EXPECT_THAT(YamlFile::Read("/tmp").faults(), SizeIs(1));
}

// The parser beneath does not step over such a token: it was a cheap way to keep it busy.
TEST(StrictYaml, StopsAtATokenThatCannotBeginADocument) {
  for (const char* content : {",a\n", "a\n---\n]\n", "}"}) {
    const YamlFile file =
        YamlFile::Parse("a.yaml", content, {.bytes = 64, .nodes = 10, .depth = 4, .faults = 10});
    EXPECT_THAT(file.faults(), ElementsAre(Field(&YamlFault::message, HasSubstr("valid YAML"))));
  }
}

TEST(StrictYaml, TakesAByteOrderMarkAndEmptyFiles) {
  EXPECT_THAT(Parse("").documents(), IsEmpty());
  EXPECT_THAT(Parse("# nothing\n---\n").faults(), IsEmpty());
  YamlFile file = Parse("\xef\xbb\xbfname: x\n");
  EXPECT_EQ(file.documents().at(0).AsMap().String("name"), "x");
}

TEST(Duration, ReadsWholeNumbersWithUnits) {
  EXPECT_EQ(ParseDuration("100us"), 100us);
  EXPECT_EQ(ParseDuration("24h"), 24h);
  EXPECT_EQ(ParseDuration("7d"), 168h);
  for (const char* bad : {"", "5", "s", "-1s", "1.5s", "5 s", "9223372036854775807d", "1w"}) {
    EXPECT_EQ(ParseDuration(bad), std::nullopt) << bad;
  }
}

TEST(Duration, FormatsTheShortestText) {
  EXPECT_EQ(FormatDuration(120s), "2m");
  EXPECT_EQ(FormatDuration(90s), "90s");
  EXPECT_EQ(FormatDuration(0s), "0s");
}

}  // namespace
}  // namespace cordon::dp

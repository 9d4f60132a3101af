// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/tree.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cordon/v1/gateway_status.pb.h"
#include "cordon/v1/policy_service.pb.h"
#include "cordon/v1/resources.pb.h"

namespace cordon::cp::cli {
namespace {

TEST(ToTree, NamesEveryFieldAlsoEmptyOnes) {
  v1::Peer peer;
  peer.set_name("pacs");
  EXPECT_EQ(boost::json::serialize(ToTree(peer)),
            R"({"name":"pacs","description":"","addresses":[],"changed":null})");
}

TEST(ToTree, WritesEnumsAsWordsAndNumbersAsNumbers) {
  v1::Gateway gateway;
  gateway.set_state(v1::GATEWAY_STATE_NEVER_SEEN);
  gateway.set_flows(~uint64_t{0});
  const boost::json::object tree = ToTree(gateway);
  EXPECT_EQ(tree.at("state"), "never_seen");
  EXPECT_EQ(tree.at("flows"), ~uint64_t{0});
}

TEST(ToTree, WritesTimesAndDurationsAsText) {
  v1::Generation generation;
  generation.mutable_created()->set_seconds(1'790'000'000);
  v1::RolloutUpdate update;
  update.mutable_elapsed()->set_nanos(38'000'000);
  EXPECT_EQ(ToTree(generation).at("created"), "2026-09-21T14:13:20Z");
  EXPECT_EQ(ToTree(update).at("elapsed"), "0.038s");
}

TEST(ToTree, LeavesOutMembersOfAOneofThatAreNotSet) {
  v1::Rule rule;
  rule.set_any_peer(true);
  EXPECT_TRUE(ToTree(rule).contains("any_peer"));
  EXPECT_FALSE(ToTree(rule).contains("prefixes"));
}

TEST(EnumWord, KnowsNumbersOfANewerProgram) {
  EXPECT_EQ(EnumWord(*v1::Mode_descriptor(), v1::MODE_ENFORCE), "enforce");
  EXPECT_EQ(EnumWord(*v1::Protocol_descriptor(), v1::PROTOCOL_ICMPV6), "icmpv6");
  EXPECT_EQ(EnumWord(*v1::Mode_descriptor(), 99), "99");
}

boost::json::value Sample() {
  return boost::json::parse(
      R"({"a":"no","b":[],"c":[{"d":1,"e":["x\ny"]},{"d":0.25,"e":[]}],"f":{"g":null}})");
}

TEST(WriteJson, IndentsAndParsesBack) {
  std::ostringstream out;
  WriteJson(Sample(), out);
  EXPECT_EQ(out.str().substr(0, 26), "{\n  \"a\": \"no\",\n  \"b\": [],\n");
  EXPECT_EQ(boost::json::parse(out.str()), Sample());
}

TEST(WriteYaml, IndentsBlocksAndQuotesStrings) {
  std::ostringstream out;
  WriteYaml(Sample(), out);
  EXPECT_EQ(out.str(),
            "a: \"no\"\n"
            "b: []\n"
            "c:\n"
            "  - d: 1\n"
            "    e:\n"
            "      - \"x\\ny\"\n"
            "  - d: 0.25\n"
            "    e: []\n"
            "f:\n"
            "  g: null\n");
}

}  // namespace
}  // namespace cordon::cp::cli

// SPDX-License-Identifier: Apache-2.0
// cordonctl rules, flows, get overlays, and knobs where they are shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/unit/controlplane/cli/fake_server.h"

namespace cordon::cp::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

int64_t Seconds(std::chrono::seconds ago) {
  return std::chrono::duration_cast<std::chrono::seconds>(FakeServer::kNow.time_since_epoch())
             .count() -
         ago.count();
}

v1::RuleUse Use(const std::string& origin, uint64_t hits) {
  v1::RuleUse use;
  use.set_origin(origin);
  use.set_hits(hits);
  use.mutable_counted_since()->set_seconds(Seconds(std::chrono::hours(48)));
  if (hits > 0) use.mutable_last_hit()->set_seconds(Seconds(std::chrono::seconds(42)));
  return use;
}

TEST(Rules, ShowsHitsOverSeveralMessagesOverlayFirst) {
  FakeServer server;
  server.gateway_status.rules.resize(2);
  *server.gateway_status.rules[0].add_rules() = Use("no-smb/smb", 7);
  server.gateway_status.rules[0].mutable_rules(0)->set_overlay(true);
  *server.gateway_status.rules[1].add_rules() = Use("ct/store", 0);
  const Outcome outcome = server.RunOnGateway({"rules"});
  EXPECT_EQ(outcome.code, ExitCode::kDone);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("no-smb/smb  denies     7  42 s ago  2 d ago"),
                                 HasSubstr("ct/store    allows     0  never     2 d ago")));
}

TEST(Rules, ShowsWhatHasExpired) {
  FakeServer server;
  server.gateway_status.rules.resize(1);
  v1::RuleUse use = Use("ct/service", 3);
  use.mutable_expires_at()->set_seconds(Seconds(std::chrono::hours(1)));
  use.set_expired(true);
  *server.gateway_status.rules[0].add_rules() = use;
  EXPECT_THAT(server.RunOnGateway({"rules"}).out, HasSubstr("expired 1 h ago"));
}

TEST(Rules, AsksForWhatIsWanted) {
  FakeServer server;
  const Outcome outcome = server.RunOnGateway({"rules", "ct/", "--unused"});
  EXPECT_EQ(server.gateway_status.asked_rules.origin_prefix(), "ct/");
  EXPECT_TRUE(server.gateway_status.asked_rules.unused());
  EXPECT_EQ(outcome.err, "No such rule.\n");
}

TEST(Flows, NeedTheSocketOfAGateway) {
  FakeServer server;
  const Outcome outcome = server.Run({"flows"});
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--gateway-socket"));
}

TEST(Flows, AskByDeviceRuleAgeAndGeneration) {
  FakeServer server;
  server.RunOnGateway({"flows", "--device", "ct-2", "--rule", "ct/store", "--older-than", "90s",
                       "--generation", "7", "--limit", "5"});
  const v1::ListFlowsRequest& asked = server.gateway_status.asked_flows;
  EXPECT_EQ(asked.device(), "ct-2");
  EXPECT_EQ(asked.rule(), "ct/store");
  EXPECT_EQ(asked.older_than().seconds(), 90);
  EXPECT_EQ(asked.generation(), 7u);
  EXPECT_EQ(asked.limit(), 5u);
}

TEST(Flows, ShowsWhoTalksToWhomByWhichRuleOfWhichGeneration) {
  FakeServer server;
  server.gateway_status.flows.resize(1);
  v1::FlowRecord& flow = *server.gateway_status.flows[0].add_flows();
  flow.set_device("ct-2");
  flow.set_initiator(v1::INITIATOR_DEVICE);
  flow.set_peer_ip("10.20.0.10");
  flow.set_protocol(6);
  flow.set_peer_port(104);
  flow.set_verdict(v1::VERDICT_FORWARD);
  flow.set_rule("ct/store");
  flow.set_generation(7);
  flow.set_initiator_bytes(2048);
  server.gateway_status.flows[0].set_truncated(true);
  const Outcome outcome = server.RunOnGateway({"flows"});
  EXPECT_THAT(outcome.out, HasSubstr("ct-2    ->  10.20.0.10  tcp/104  forward  ct/store"));
  EXPECT_THAT(outcome.out, HasSubstr("2.0 KiB"));
  EXPECT_THAT(outcome.err, HasSubstr("there are more flows"));
  const auto tree = boost::json::parse(server.RunOnGateway({"flows", "-o", "json"}).out);
  EXPECT_EQ(tree.at("flows").at(0).at("rule"), "ct/store");
}

TEST(Overlays, ListAndDescribe) {
  FakeServer server;
  v1::Overlay overlay;
  overlay.set_name("no-smb");
  v1::OverlayEntry& rule = *overlay.add_rules();
  rule.set_id("smb");
  rule.add_peer("any");
  rule.set_protocol(v1::PROTOCOL_TCP);
  rule.add_ports()->set_first(445);
  rule.mutable_ports(0)->set_last(445);
  rule.set_reason("a worm");
  *server.overlays.canned_ListOverlays.response.add_overlays() = overlay;
  server.overlays.canned_GetOverlay.response = overlay;
  EXPECT_THAT(server.Run({"get", "overlays"}).out, HasSubstr("no-smb       1"));
  EXPECT_THAT(server.Run({"describe", "overlay", "no-smb"}).out,
              HasSubstr("smb   any   tcp/445  a worm"));
}

TEST(DescribeDevice, ShowsWhatIsSetForItInOrder) {
  FakeServer server;
  v1::Device device;
  device.set_name("pump-1");
  (*device.mutable_effective_knobs())["protection"] = "strict";
  (*device.mutable_effective_knobs())["checks.ipv6"] = "drop";
  server.devices.canned_GetDevice.response = device;
  EXPECT_THAT(server.Run({"describe", "device", "pump-1"}).out,
              HasSubstr("checks.ipv6  drop\nprotection   strict\n"));
  const auto tree =
      boost::json::parse(server.Run({"describe", "device", "pump-1", "-o", "json"}).out);
  EXPECT_EQ(tree.at("effective_knobs").at("protection"), "strict");
}

// R107
TEST(Events, NameTheRuleOrTheDefaultAndTheGeneration) {
  FakeServer server;
  server.events.responses.resize(1);
  v1::FlowRecord& record = *server.events.responses[0].add_records();
  record.set_device("ct-2");
  record.set_reason("no_rule");
  record.set_generation(7);
  EXPECT_THAT(server.Run({"events"}).out, HasSubstr("(default, generation 7)"));
  const Outcome json = server.Run({"events", "-o", "json"});
  EXPECT_EQ(boost::json::parse(json.out).at("rule"), "default");
  record.set_rule("no-smb/smb");
  EXPECT_THAT(server.Run({"events"}).out,
              AllOf(HasSubstr("(no-smb/smb, generation 7)"), Not(HasSubstr("default"))));
}

}  // namespace
}  // namespace cordon::cp::cli

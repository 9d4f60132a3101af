// SPDX-License-Identifier: Apache-2.0
// get, describe, status, events, explain, learn: what only looks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/cli/fake_server.h"

namespace cordon::cp::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::Device Ct(const std::string& name) {
  v1::Device device;
  device.set_name(name);
  device.set_device_class("ct");
  device.set_effective_profile("ct-scanner");
  device.set_mode(v1::MODE_ENFORCE);
  device.set_gateway("radiology");
  device.set_pair("ct-suite");
  device.mutable_vlan()->set_outer(30);
  device.add_ips("10.30.0.21");
  device.add_ips("fd00::21");
  device.add_macs("02:00:00:00:30:21");
  return device;
}

v1::Profile CtScanner() {
  v1::Profile profile;
  profile.set_name("ct-scanner");
  v1::ProfileRule& rule = *profile.add_rules();
  rule.set_id("store-images");
  rule.set_initiator(v1::INITIATOR_DEVICE);
  rule.add_peer("pacs");
  rule.set_protocol(v1::PROTOCOL_TCP);
  for (const uint32_t l4_port : {104u, 11112u}) {
    v1::PortRange& range = *rule.add_peer_ports();
    range.set_first(l4_port);
    range.set_last(l4_port);
  }
  rule.set_reason("images go to the archive");
  return profile;
}

v1::FlowRecord Refused() {
  v1::FlowRecord record;
  record.set_gateway("icu");
  record.set_device("pump-1");
  record.set_initiator(v1::INITIATOR_DEVICE);
  record.set_protocol(6);
  record.set_peer_ip("10.20.0.99");
  record.set_peer_port(445);
  record.set_verdict(v1::VERDICT_DROP);
  record.set_reason("no_rule");
  record.set_count(3);
  return record;
}

TEST(GetDevices, ReadsAllPagesAndPassesFilters) {
  FakeServer server;
  server.devices.devices = {Ct("ct-1"), Ct("ct-2")};
  const Outcome outcome = server.Run({"get", "devices", "--class", "ct", "--gateway", "radiology"});
  EXPECT_EQ(
      outcome.out,
      "NAME  CLASS  PROFILE     MODE     GATEWAY    VLAN  IP             MAC\n"
      "ct-1  ct     ct-scanner  enforce  radiology  30    10.30.0.21 +1  02:00:00:00:30:21\n"
      "ct-2  ct     ct-scanner  enforce  radiology  30    10.30.0.21 +1  02:00:00:00:30:21\n");
  EXPECT_EQ(server.devices.asked.device_class(), "ct");
  EXPECT_EQ(server.devices.asked.gateway(), "radiology");
}

TEST(GetDevices, WritesAllPagesAsOneJsonObject) {
  FakeServer server;
  server.devices.devices = {Ct("ct-1"), Ct("ct-2")};
  const Outcome outcome = server.Run({"get", "devices", "--output", "json"});
  const boost::json::object tree = boost::json::parse(outcome.out).as_object();
  EXPECT_EQ(tree.at("devices").as_array().size(), 2u);
  EXPECT_EQ(tree.at("devices").at(1).at("mode"), "enforce");
  EXPECT_FALSE(tree.contains("next_page_token"));
}

TEST(GetDevices, SaysHowToGetSomeIfThereAreNone) {
  FakeServer server;
  EXPECT_THAT(server.Run({"get", "devices"}).err, HasSubstr("cordonctl import devices FILE"));
  EXPECT_EQ(server.Run({"get", "devices", "--class", "x"}).err, "No device fits these filters.\n");
}

TEST(GetDevices, ShowsOneByName) {
  FakeServer server;
  server.devices.canned_GetDevice.response = Ct("ct-2");
  EXPECT_THAT(server.Run({"get", "device", "ct-2"}).out, HasSubstr("ct-2  ct "));
  EXPECT_EQ(server.devices.canned_GetDevice.request.name(), "ct-2");
}

TEST(DescribeDevice, ShowsFactsAndWhatItMayDo) {
  FakeServer server;
  server.devices.canned_GetDevice.response = Ct("ct-2");
  server.profiles.canned_GetProfile.response = CtScanner();
  const Outcome outcome = server.Run({"describe", "device", "ct-2"});
  EXPECT_THAT(outcome.out, HasSubstr("IP:       10.30.0.21, fd00::21\n"));
  EXPECT_THAT(outcome.out, HasSubstr("ct-scanner (assigned by class, vendor and model)\n"));
  EXPECT_THAT(outcome.out,
              HasSubstr("store-images  -> pacs  tcp/104,11112  -     images go to the archive\n"));
}

TEST(DescribeDevice, PointsToTheListWhenThereIsNoSuchDevice) {
  FakeServer server;
  server.devices.canned_GetDevice.status = {grpc::StatusCode::NOT_FOUND, "no device \"x\""};
  const Outcome outcome = server.Run({"describe", "device", "x"});
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_EQ(outcome.err, "error: no device \"x\"\nSee: cordonctl get devices\n");
}

TEST(DescribePeer, NamesTheRulesThatUseIt) {
  FakeServer server;
  server.peers.canned_GetPeer.response.set_name("pacs");
  server.peers.canned_GetPeer.response.add_addresses("10.20.0.10/32");
  *server.profiles.canned_ListProfiles.response.add_profiles() = CtScanner();
  const Outcome outcome = server.Run({"describe", "peer", "pacs"});
  EXPECT_THAT(outcome.out, HasSubstr("Used by:    ct-scanner/store-images\n"));
}

TEST(Profiles, ListsAndDescribes) {
  FakeServer server;
  *server.profiles.canned_ListProfiles.response.add_profiles() = CtScanner();
  server.profiles.canned_GetProfile.response = CtScanner();
  EXPECT_THAT(server.Run({"get", "profiles"}).out,
              HasSubstr("ct-scanner      1  -        by name only"));
  EXPECT_THAT(server.Run({"describe", "profile", "ct-scanner"}).out, HasSubstr("Allows:\nRULE"));
}

TEST(Profiles, NamesTheClassesTheyAreFor) {
  FakeServer server;
  v1::Profile profile = CtScanner();
  profile.add_match()->set_device_class("ct");
  profile.add_match()->set_vendor("Example*");
  server.profiles.canned_GetProfile.response = profile;
  EXPECT_THAT(server.Run({"describe", "profile", "x"}).out,
              HasSubstr("For class:  ct, any class (vendor Example*)\n"));
}

TEST(Gateways, ShowsStateAndGenerations) {
  FakeServer server;
  v1::Gateway& gateway = *server.gateways.canned_ListGateways.response.add_gateways();
  gateway.set_name("icu");
  gateway.set_state(v1::GATEWAY_STATE_PENDING);
  gateway.set_intended_generation(12);
  gateway.set_enforced_generation(11);
  const Outcome outcome = server.Run({"gateways"});
  EXPECT_THAT(outcome.out, HasSubstr("icu   pending  -            12        11"));
  EXPECT_EQ(server.Run({"get", "gateways"}).out, outcome.out);
}

TEST(DescribeGateway, SaysWhyItRefused) {
  FakeServer server;
  v1::Gateway& gateway = server.gateways.canned_GetGateway.response;
  gateway.set_state(v1::GATEWAY_STATE_REFUSED);
  gateway.set_intended_generation(12);
  v1::Fault& fault = *gateway.add_faults();
  fault.set_path("rulesets[0]");
  fault.set_message("over capacity");
  EXPECT_THAT(server.Run({"describe", "gateway", "icu"}).out,
              HasSubstr("Why it refused generation 12:\n  rulesets[0]: over capacity\n"));
}

TEST(Status, CountsGatewaysThatEnforce) {
  FakeServer server;
  server.gateways.canned_ListGateways.response.add_gateways()->set_state(
      v1::GATEWAY_STATE_ENFORCING);
  server.gateways.canned_ListGateways.response.add_gateways()->set_state(
      v1::GATEWAY_STATE_DISCONNECTED);
  const Outcome outcome = server.Run({"status"});
  EXPECT_EQ(outcome.code, ExitCode::kDone);
  EXPECT_THAT(outcome.out, HasSubstr("1 of 2 enforce what is intended\n"));
  EXPECT_THAT(outcome.out, HasSubstr("none: no policy was ever applied\n"));
}

TEST(Status, LooksAtTheGatewayItself) {
  FakeServer server;
  server.gateway_status.status.set_gateway("icu");
  server.gateway_status.status.add_alarms("stored policy is corrupt");
  v1::ReasonCount& count = *server.gateway_status.status.add_reasons();
  count.set_verdict(v1::VERDICT_DROP);
  count.set_reason("no_rule");
  count.set_frames(1234);
  const Outcome outcome = server.RunOnGateway({"status"});
  EXPECT_THAT(outcome.out, HasSubstr("no policy: everything is denied\n"));
  EXPECT_THAT(outcome.out, HasSubstr("ALARM: stored policy is corrupt\n"));
  EXPECT_THAT(outcome.out, HasSubstr("1,234  no_rule  no rule of the device allows the flow\n"));
}

TEST(Events, PrintsOneAlignedLineAnEvent) {
  FakeServer server;
  v1::WatchEventsResponse& response = server.events.responses.emplace_back();
  *response.add_records() = Refused();
  v1::FlowRecord& inward = *response.add_records() = Refused();
  inward.set_initiator(v1::INITIATOR_PEER);
  inward.set_device_port(23);
  inward.set_count(1);
  const Outcome outcome = server.Run({"events", "--last", "5", "--device", "pump-1"});
  EXPECT_EQ(outcome.out,
            "-  icu  pump-1 -> 10.20.0.99  tcp/445  drop     no_rule: no rule of the device allows "
            "the flow (3 times)\n"
            "-  icu  pump-1 <- 10.20.0.99  tcp/23   drop     no_rule: no rule of the device allows "
            "the flow\n");
  EXPECT_EQ(server.events.asked.last(), 5u);
  EXPECT_EQ(server.events.asked.device(), "pump-1");
}

TEST(Events, NamesUnknownDevicesAndSpoofedAddresses) {
  FakeServer server;
  v1::FlowRecord& record = *server.events.responses.emplace_back().add_records();
  record.set_device_mac("02:00:00:00:00:99");
  record.set_device_ip("10.20.1.99");
  record.set_peer_mac("02:00:00:00:00:01");
  record.set_ethertype(0x0806);
  record.set_verdict(v1::VERDICT_DROP);
  record.set_reason("arp_sender_not_bound");
  const std::string out = server.Run({"events"}).out;
  EXPECT_THAT(out, HasSubstr("02:00:00:00:00:99 -> 02:00:00:00:00:01  arp  drop"));
  EXPECT_THAT(out, HasSubstr(": 10.20.1.99\n"));
}

TEST(Events, WritesOneJsonObjectALine) {
  FakeServer server;
  *server.events.responses.emplace_back().add_records() = Refused();
  *server.events.responses.emplace_back().add_records() = Refused();
  std::istringstream lines(server.Run({"events", "-o", "json"}).out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(boost::json::parse(line).at("reason"), "no_rule");
  }
  EXPECT_EQ(count, 2);
}

TEST(Events, EndsCleanlyOnCtrlC) {
  FakeServer server;
  *server.events.responses.emplace_back().add_records() = Refused();
  server.events.when_hanging = [&] { server.interrupt.Trigger(); };
  const Outcome outcome = server.Run({"events", "--follow"});
  EXPECT_EQ(outcome.code, ExitCode::kDone);
  EXPECT_EQ(outcome.err, "");
}

TEST(Events, EndsWhenNobodyReadsItsOutput) {
  FakeServer server;
  *server.events.responses.emplace_back().add_records() = Refused();
  std::istringstream in;
  std::ostringstream err;
  std::ostream closed(nullptr);
  Console console{in, closed, err, {}, {}, [] { return FakeServer::kNow; }};
  EXPECT_EQ(CommandLine("1").Run({"--controller", "unix:" + server.socket(), "events", "--follow"},
                                 console, server.interrupt),
            ExitCode::kDone);
}

TEST(Events, TellsWhatWasMissed) {
  FakeServer server;
  server.events.responses.emplace_back().set_lost(7);
  EXPECT_THAT(server.Run({"events"}).err, HasSubstr("7 records missed"));
}

TEST(Events, OfAGatewayAreOnlyNewOnes) {
  FakeServer server;
  *server.gateway_status.responses.emplace_back().add_records() = Refused();
  EXPECT_EQ(server.RunOnGateway({"events"}).code, ExitCode::kUsage);
  EXPECT_THAT(server.RunOnGateway({"events", "--follow"}).out, HasSubstr("pump-1 -> 10.20.0.99"));
}

TEST(Explain, AsksForADeviceThatOpens) {
  FakeServer server;
  v1::ExplainResponse& answer = server.policy.canned_Explain.response;
  answer.set_verdict(v1::VERDICT_FORWARD);
  answer.set_reason("rule");
  answer.set_rule("ct-scanner/store-images");
  answer.set_gateway("radiology");
  answer.set_generation(12);
  answer.set_enforced(true);
  const Outcome outcome = server.Run({"explain", "--device", "ct-2", "--to", "[fd00::10]:104/tcp"});
  EXPECT_EQ(outcome.code, ExitCode::kDone);
  EXPECT_THAT(outcome.out, HasSubstr("forward  ct-2 -> [fd00::10]:104/tcp\n"));
  EXPECT_THAT(outcome.out, HasSubstr("radiology, generation 12, enforced\n"));
  const v1::ExplainRequest& request = server.policy.canned_Explain.request;
  EXPECT_EQ(request.peer_ip(), "fd00::10");
  EXPECT_EQ(request.peer_port(), 104u);
  EXPECT_EQ(request.initiator(), v1::INITIATOR_DEVICE);
}

TEST(Explain, AsksForAPeerThatOpens) {
  FakeServer server;
  server.policy.canned_Explain.response.set_verdict(v1::VERDICT_DROP);
  server.policy.canned_Explain.response.add_considered("ct-scanner/x: another peer");
  const std::vector<std::string> line = {"explain", "--device", "ct-2", "--from",
                                         "10.0.0.1:3010/tcp"};
  const Outcome outcome = server.Run(line);
  EXPECT_THAT(outcome.out, HasSubstr("drop  10.0.0.1 -> ct-2:3010/tcp\n"));
  EXPECT_THAT(outcome.out, HasSubstr("    ct-scanner/x: another peer\n"));
  EXPECT_EQ(server.policy.canned_Explain.request.device_port(), 3010u);
  EXPECT_EQ(server.policy.canned_Explain.request.initiator(), v1::INITIATOR_PEER);
}

TEST(Explain, ExitsOneForDropOnlyIfAsked) {
  FakeServer server;
  server.policy.canned_Explain.response.set_verdict(v1::VERDICT_DROP);
  const std::vector<std::string> line = {"explain", "--device", "d", "--to", "10.0.0.1/icmp"};
  EXPECT_EQ(server.Run(line).code, ExitCode::kDone);
  EXPECT_EQ(server.policy.canned_Explain.request.icmp_type(), 8u);
  std::vector<std::string> strict = line;
  strict.push_back("--exit-code");
  EXPECT_EQ(server.Run(strict).code, ExitCode::kRefused);
}

TEST(Explain, RefusesABadEndpointBeforeItAsks) {
  FakeServer server;
  const Outcome outcome = server.Run({"explain", "--device", "d", "--to", "pacs:104/tcp"});
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--to: \"pacs\" is not an IP address"));
  EXPECT_EQ(server.policy.canned_Explain.calls, 0);
}

TEST(LearnPropose, PrintsOnlyTheDocumentOnStdout) {
  FakeServer server;
  server.learn.canned_Propose.response.add_rules();
  server.learn.canned_Propose.response.set_yaml("kind: Profile\n");
  server.learn.canned_Propose.response.add_left_out("a scan");
  const Outcome outcome = server.Run({"learn", "propose", "--profile", "ct-scanner"});
  EXPECT_EQ(outcome.out, "kind: Profile\n");
  EXPECT_EQ(outcome.err, "left out: a scan\n");
  EXPECT_EQ(server.learn.canned_Propose.request.profile(), "ct-scanner");
}

TEST(LearnPropose, SaysHowToLearnWhenNothingWasSeen) {
  FakeServer server;
  const Outcome outcome = server.Run({"learn", "propose", "--device", "ct-2"});
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("mode observe"));
}

}  // namespace
}  // namespace cordon::cp::cli

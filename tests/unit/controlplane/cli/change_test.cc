// SPDX-License-Identifier: Apache-2.0
// apply, diff, rollback, generations, import: what changes policy, and the wait for the gateways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/cli/fake_server.h"

namespace cordon::cp::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

void AddFault(google::protobuf::RepeatedPtrField<v1::Fault>* faults, const std::string& path,
              const std::string& message) {
  v1::Fault& fault = *faults->Add();
  fault.set_path(path);
  fault.set_message(message);
}

v1::ApplyResponse Generation(uint64_t generation, const std::vector<std::string>& gateways) {
  v1::ApplyResponse response;
  response.set_generation(generation);
  v1::ResourceChange& change = *response.add_changes();
  change.set_kind("Device");
  change.set_name("ct-2");
  change.set_type(v1::CHANGE_TYPE_CHANGED);
  change.add_details("mode: audit -> enforce");
  for (const std::string& gateway : gateways) response.add_gateways(gateway);
  return response;
}

v1::RolloutUpdate Update(const std::string& gateway, v1::RolloutState state, int milliseconds) {
  v1::RolloutUpdate update;
  update.set_gateway(gateway);
  update.set_state(state);
  update.mutable_elapsed()->set_nanos(milliseconds * 1'000'000);
  return update;
}

class Apply : public testing::Test {
 protected:
  Outcome Run(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"apply", "-f",
                                          server_.directory.Write("p.yaml", "kind: X")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return server_.Run(arguments);
  }

  FakeServer server_;
};

TEST_F(Apply, SaysWhichGatewaysEnforceAndHowLongItTook) {
  server_.policy.canned_Apply.response = Generation(12, {"icu", "radiology"});
  server_.policy.updates = {Update("icu", v1::ROLLOUT_STATE_PENDING, 0),
                            Update("icu", v1::ROLLOUT_STATE_ENFORCED, 38),
                            Update("radiology", v1::ROLLOUT_STATE_ENFORCED, 41)};
  const Outcome outcome = Run({"--comment", "why"});
  EXPECT_EQ(outcome.code, ExitCode::kDone);
  EXPECT_EQ(outcome.out,
            "Changed: 1 changed\n"
            "  ~ Device ct-2\n"
            "      mode: audit -> enforce\n"
            "Generation 12 is stored; waiting for 2 gateways.\n"
            "  icu        enforced after 38 ms\n"
            "  radiology  enforced after 41 ms\n"
            "Generation 12 is enforced by 2 gateways, after 41 ms.\n");
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(server_.policy.canned_Apply.request.comment(), "why");
  EXPECT_EQ(server_.policy.watched, 12u);
}

TEST_F(Apply, PrintsAllFaultsAndChangesNothingWhenRefused) {
  v1::ApplyResponse& response = server_.policy.canned_Apply.response;
  AddFault(response.mutable_faults(), "p.yaml:3: rules[0].peer", "no peer \"x\"");
  AddFault(response.mutable_faults(), "p.yaml:9", "unknown field \"y\"");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_EQ(outcome.err,
            "error: refused for 2 faults, nothing was changed:\n"
            "  p.yaml:3: rules[0].peer: no peer \"x\"\n"
            "  p.yaml:9: unknown field \"y\"\n");
  EXPECT_EQ(server_.policy.watched, 0u);
}

TEST_F(Apply, PrintsAllFaultsOfAGatewayThatRefuses) {
  server_.policy.canned_Apply.response = Generation(12, {"icu"});
  server_.policy.updates = {Update("icu", v1::ROLLOUT_STATE_REFUSED, 5)};
  AddFault(server_.policy.updates[0].mutable_faults(), "devices[3]", "over capacity");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_THAT(outcome.out, HasSubstr("icu  refused after 5.0 ms, 1 fault\n"));
  EXPECT_THAT(outcome.err, HasSubstr("icu refused generation 12 and keeps the one it has:\n"
                                     "  devices[3]: over capacity\n"));
}

TEST_F(Apply, NamesGatewaysThatAreNotConnected) {
  server_.policy.canned_Apply.response = Generation(12, {"icu", "radiology"});
  server_.policy.updates = {Update("icu", v1::ROLLOUT_STATE_DISCONNECTED, 0),
                            Update("radiology", v1::ROLLOUT_STATE_ENFORCED, 3)};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kDone);
  EXPECT_THAT(outcome.out, HasSubstr("icu        not connected: gets it when it connects\n"));
  EXPECT_THAT(outcome.out, HasSubstr("enforced by 1 of 2 gateways, after 3.0 ms"));
  EXPECT_THAT(outcome.err, HasSubstr("warning: 1 gateway not connected"));
  EXPECT_EQ(Run({"--require-all"}).code, ExitCode::kUnreachable);
}

TEST_F(Apply, TellsWhenAGatewayDoesNotAnswerInTime) {
  server_.policy.canned_Apply.response = Generation(12, {"icu"});
  server_.policy.hang_after_updates = true;
  const Outcome outcome = Run({"--timeout", "100ms"});
  EXPECT_EQ(outcome.code, ExitCode::kUnreachable);
  EXPECT_THAT(outcome.err, HasSubstr("only 0 of 1 gateway enforced it within 100 ms"));
  EXPECT_THAT(outcome.err, HasSubstr("generation 12 is stored"));
}

TEST_F(Apply, TellsThatTheChangeIsMadeWhenInterruptedWhileWaiting) {
  server_.policy.canned_Apply.response = Generation(12, {"icu"});
  server_.policy.hang_after_updates = true;
  server_.policy.when_hanging = [this] { server_.interrupt.Trigger(); };
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kInterrupted);
  EXPECT_THAT(outcome.err, HasSubstr("The change is made: generation 12 is stored"));
}

TEST_F(Apply, FailsWhenTheStreamEndsBeforeAGatewayAnswered) {
  server_.policy.canned_Apply.response = Generation(12, {"icu"});
  server_.policy.updates = {Update("icu", v1::ROLLOUT_STATE_PENDING, 0)};
  EXPECT_EQ(Run().code, ExitCode::kUnreachable);
}

TEST_F(Apply, DoesNotWaitWithNoWait) {
  server_.policy.canned_Apply.response = Generation(12, {"icu"});
  EXPECT_THAT(Run({"--no-wait"}).out, HasSubstr("Generation 12 is stored for 1 gateway; watch"));
  EXPECT_EQ(server_.policy.watched, 0u);
}

TEST_F(Apply, OnlyChecksWithDryRun) {
  server_.policy.canned_Apply.response = Generation(0, {"icu"});
  const Outcome outcome = Run({"--dry-run"});
  EXPECT_TRUE(server_.policy.canned_Apply.request.validate_only());
  EXPECT_THAT(outcome.out, HasSubstr("Sound; would change: 1 changed\n"));
  EXPECT_THAT(outcome.out, HasSubstr("Concerns gateways icu; nothing was changed.\n"));
}

TEST_F(Apply, SaysWhenThereIsNothingToChange) {
  EXPECT_EQ(Run().out, "Nothing to change: the configuration is this already.\n");
}

TEST_F(Apply, KeepsJsonOnStdoutAndProgressOnStderr) {
  server_.policy.canned_Apply.response = Generation(12, {"icu"});
  server_.policy.updates = {Update("icu", v1::ROLLOUT_STATE_ENFORCED, 38)};
  const Outcome outcome = Run({"-o", "json"});
  const boost::json::object tree = boost::json::parse(outcome.out).as_object();
  EXPECT_EQ(tree.at("generation"), 12);
  EXPECT_EQ(tree.at("rollout").at(0).at("state"), "enforced");
  EXPECT_THAT(outcome.err, HasSubstr("icu  enforced after 38 ms"));
}

TEST_F(Apply, ShowsWarnings) {
  AddFault(server_.policy.canned_Apply.response.mutable_warnings(), "Device ct-2", "no address");
  EXPECT_EQ(Run().err, "warning: Device ct-2: no address\n");
}

TEST_F(Apply, SendsNothingIfAFileCannotBeRead) {
  const Outcome outcome = Run({"-f", "/nonexistent", "-f", "/nonexistent2"});
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_EQ(outcome.err,
            "error: /nonexistent: No such file or directory\n"
            "error: /nonexistent2: No such file or directory\n");
  EXPECT_EQ(server_.policy.canned_Apply.calls, 0);
}

TEST_F(Apply, SendsStandardInput) {
  server_.Run({"apply", "-f", "-"}, "kind: Peer");
  ASSERT_EQ(server_.policy.canned_Apply.request.files_size(), 1);
  EXPECT_EQ(server_.policy.canned_Apply.request.files(0).content(), "kind: Peer");
}

TEST_F(Apply, ShortensALongListOfChanges) {
  v1::ApplyResponse response = Generation(1, {});
  for (int i = 0; i < 30; ++i) *response.add_changes() = response.changes(0);
  server_.policy.canned_Apply.response = response;
  const Outcome outcome = Run();
  EXPECT_THAT(outcome.out, HasSubstr("  and 11 more\n"));
  EXPECT_THAT(outcome.out, HasSubstr("it changes the policy of no gateway.\n"));
}

TEST(Diff, ShowsChangesAndTheirEffects) {
  FakeServer server;
  *server.policy.canned_Diff.response.mutable_changes() = Generation(0, {}).changes();
  server.policy.canned_Diff.response.add_effects("ct-2 may no longer open tcp to pacs");
  const Outcome outcome = server.Run({"diff", "-f", "-"});
  EXPECT_EQ(outcome.code, ExitCode::kDone);
  EXPECT_THAT(outcome.out, HasSubstr("~ Device ct-2\n"));
  EXPECT_THAT(outcome.out, HasSubstr("flows:\n  ct-2 may no longer open tcp to pacs\n"));
  EXPECT_EQ(server.Run({"diff", "-f", "-", "--exit-code"}).code, ExitCode::kRefused);
}

TEST(Diff, ExitsOneForFaults) {
  FakeServer server;
  AddFault(server.policy.canned_Diff.response.mutable_faults(), "p.yaml:1", "bad");
  const Outcome outcome = server.Run({"diff", "-f", "-"});
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("  p.yaml:1: bad\n"));
}

TEST(Rollback, AsksForTheGenerationAndWaits) {
  FakeServer server;
  server.policy.canned_Rollback.response = Generation(13, {"icu"});
  server.policy.updates = {Update("icu", v1::ROLLOUT_STATE_ENFORCED, 2)};
  const Outcome outcome = server.Run({"rollback", "--to", "7", "--comment", "back"});
  EXPECT_EQ(server.policy.canned_Rollback.request.to_generation(), 7u);
  EXPECT_EQ(server.policy.canned_Rollback.request.comment(), "back");
  EXPECT_THAT(outcome.out, HasSubstr("Generation 13 is enforced by 1 gateway, after 2.0 ms."));
}

TEST(Rollback, PointsToTheListWhenThereIsNoSuchGeneration) {
  FakeServer server;
  server.policy.canned_Rollback.status = {grpc::StatusCode::NOT_FOUND, "no generation 99"};
  const Outcome outcome = server.Run({"rollback", "--to", "99"});
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_EQ(outcome.err, "error: no generation 99\nSee: cordonctl generations\n");
}

TEST(Generations, ListsWhoAndWhy) {
  FakeServer server;
  v1::Generation& generation = *server.policy.canned_ListGenerations.response.add_generations();
  generation.set_generation(12);
  generation.mutable_created()->set_seconds(1'790'000'000 - 120);
  generation.set_author("local:root");
  generation.set_origin("apply");
  generation.set_comment("CT 2");
  const Outcome outcome = server.Run({"generations", "--limit", "5"});
  EXPECT_EQ(outcome.out,
            "GENERATION  CREATED    AUTHOR      ORIGIN  CHANGES  GATEWAYS  COMMENT\n"
            "        12  2 min ago  local:root  apply   -        -         CT 2\n");
  EXPECT_EQ(server.policy.canned_ListGenerations.request.limit(), 5u);
}

TEST(ImportDevices, SendsTheFilesAndSummarises) {
  FakeServer server;
  v1::ImportDevicesResponse& response = server.devices.canned_ImportDevices.response;
  response.set_rows(5);
  response.add_added("pump-1");
  response.set_unchanged(3);
  v1::ImportChange& change = *response.add_changed();
  change.set_device("ct-2");
  change.set_description("ip: 10.0.0.1 -> 10.0.0.2");
  const std::string csv = server.directory.Write("i.csv", "a;b\xff");
  const std::string mapping = server.directory.Write("m.yaml", "mac: b");
  const Outcome outcome = server.Run({"import", "devices", csv, "--mapping", mapping});
  EXPECT_EQ(outcome.code, ExitCode::kDone);
  EXPECT_EQ(outcome.out, csv +
                             ": 5 rows: 1 added, 1 changed, 3 unchanged, 0 conflicting, 0 with "
                             "errors, 0 stale\n  + pump-1\n  ~ ct-2  ip: 10.0.0.1 -> 10.0.0.2\n");
  EXPECT_EQ(server.devices.canned_ImportDevices.request.content(), "a;b\xff");
  EXPECT_EQ(server.devices.canned_ImportDevices.request.mapping(), "mac: b");
}

TEST(ImportDevices, ExitsOneIfRowsWereRefusedAlthoughTheOthersAreIn) {
  FakeServer server;
  v1::ImportDevicesResponse& response = server.devices.canned_ImportDevices.response;
  response.set_generation(4);
  AddFault(response.mutable_errors(), "i.csv:17: column 'MAC'", "not a MAC address");
  AddFault(response.mutable_conflicts(), "i.csv:18", "MAC belongs to ct-2");
  const Outcome outcome = server.Run({"import", "devices", server.directory.Write("i.csv", "x")});
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("  i.csv:17: column 'MAC': not a MAC address\n"));
  EXPECT_THAT(outcome.err, HasSubstr("  i.csv:18: MAC belongs to ct-2\n"));
  EXPECT_THAT(outcome.out, HasSubstr("Generation 4 is stored"));
}

}  // namespace
}  // namespace cordon::cp::cli

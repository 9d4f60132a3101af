// SPDX-License-Identifier: Apache-2.0
// The command line as such: usage, addresses, what --help teaches, completion.
#include "controlplane/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "controlplane/cli/completion.h"
#include "tests/unit/controlplane/cli/fake_server.h"

namespace cordon::cp::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

Outcome Cordonctl(const std::vector<std::string>& arguments) {
  return FakeServer().RunAlone(arguments);
}

// Every command that can be run, e.g. {"get", "devices"}.
void CollectCommands(const CLI::App& app, std::vector<std::string> path,
                     std::vector<std::vector<std::string>>& commands) {
  for (const CLI::App* command : app.get_subcommands({})) {
    std::vector<std::string> below = path;
    below.push_back(command->get_name());
    commands.push_back(below);
    CollectCommands(*command, below, commands);
  }
}

TEST(CommandLine, TeachesEveryCommandWithASentenceAndAnExample) {
  std::vector<std::vector<std::string>> commands;
  CollectCommands(CommandLine("1").root(), {}, commands);
  EXPECT_GT(commands.size(), 20u);
  for (std::vector<std::string> line : commands) {
    const std::string name = line.back();
    line.push_back("--help");
    const Outcome outcome = Cordonctl(line);
    EXPECT_EQ(outcome.code, ExitCode::kDone) << name;
    EXPECT_THAT(outcome.out, HasSubstr("Usage: cordonctl ")) << name;
    EXPECT_THAT(outcome.out, HasSubstr("\nExample:\n  ")) << name;
  }
}

TEST(CommandLine, PrintsHelpAndExitsTwoWithoutACommand) {
  const Outcome outcome = Cordonctl({});
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("Usage: cordonctl [OPTIONS] COMMAND"));
}

TEST(CommandLine, PrintsItsVersion) {
  EXPECT_EQ(Cordonctl({"--version"}).out, "cordonctl 1.2.3\n");
}

TEST(CommandLine, SuggestsTheWordThatWasMeant) {
  EXPECT_EQ(Cordonctl({"gatways"}).err,
            "error: unknown command \"gatways\". Did you mean gateways?\n"
            "For usage and examples: cordonctl --help\n");
  EXPECT_THAT(Cordonctl({"get", "devces"}).err, HasSubstr("Did you mean devices?\n"));
  EXPECT_THAT(Cordonctl({"get", "devices", "--clas", "ct"}).err,
              HasSubstr("Did you mean --class?\n"));
  EXPECT_THAT(Cordonctl({"get", "frobs"}).err,
              HasSubstr("There are: devices, profiles, peers, overlays, gateways"));
}

TEST(CommandLine, RefusesWhatItCannotUnderstandAsUsage) {
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"apply"},
           {"status", "-o", "xml"},
           {"status", "--timeout", "soon"},
           {"explain", "--device", "x"},
           {"explain", "--device", "x", "--to", "10.0.0.1/icmp", "--from", "10.0.0.1/icmp"},
           {"learn", "propose"},
           {"generations", "--limit", "0"},
           {"events", "--last", "100000"},
           {"rollback", "--to", "x"},
           {"status", "more"},
           {"completion", "fish"}}) {
    const Outcome outcome = Cordonctl(line);
    EXPECT_EQ(outcome.code, ExitCode::kUsage) << line[0];
    EXPECT_THAT(outcome.err, HasSubstr("error: ")) << line[0];
    EXPECT_THAT(outcome.err, EndsWith("--help\n")) << line[0];
  }
}

TEST(CommandLine, TakesGlobalOptionsBehindTheCommand) {
  FakeServer server;
  const Outcome outcome =
      server.RunAlone({"gateways", "-o", "json", "--controller", server.socket()});
  EXPECT_EQ(outcome.out, "{\n  \"gateways\": []\n}\n");
}

TEST(CommandLine, ReadsTheControllerFromTheEnvironment) {
  setenv("CORDON_CONTROLLER", "unix:/nonexistent.sock", 1);
  const Outcome outcome = Cordonctl({"status"});
  unsetenv("CORDON_CONTROLLER");
  EXPECT_THAT(outcome.err, HasSubstr("unix:/nonexistent.sock"));
}

TEST(CommandLine, SaysWhatToDoWhenTheControllerIsNotThere) {
  const Outcome outcome = Cordonctl({"--controller", "unix:/nonexistent.sock", "status"});
  EXPECT_EQ(outcome.code, ExitCode::kUnreachable);
  EXPECT_EQ(outcome.err,
            "error: cannot reach the controller at unix:/nonexistent.sock: No such file or "
            "directory\n"
            "Is cordon-controller running? Name another address with --controller ADDRESS or "
            "CORDON_CONTROLLER.\n");
}

TEST(CommandLine, NamesWhatIsMissingForTls) {
  const Outcome outcome = Cordonctl({"--controller", "localhost:9443", "status"});
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("missing: --ca, --certificate, --key\n"));
}

TEST(CommandLine, NamesACertificateItCannotRead) {
  const Outcome outcome = Cordonctl({"--controller", "localhost:9443", "--ca", "/nonexistent.pem",
                                     "--certificate", "x", "--key", "x", "status"});
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--ca: /nonexistent.pem: No such file or directory"));
}

TEST(CommandLine, DoesNotTakeAnEmptyCaForTheCasOfTheSystem) {
  const Outcome outcome = Cordonctl({"--controller", "localhost:9443", "--ca", "/dev/null",
                                     "--certificate", "x", "--key", "x", "status"});
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--ca: /dev/null: is empty"));
}

TEST(CommandLine, SaysThatTlsFilesCannotBeUsed) {
  const TemporaryDirectory directory;
  const std::string pem = directory.Write("x.pem", "no certificate");
  const Outcome outcome = Cordonctl(
      {"--controller", "127.0.0.1:9", "--ca", pem, "--certificate", pem, "--key", pem, "status"});
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("error: --ca, --certificate or --key cannot be used\n"));
}

TEST(CommandLine, AsksAGatewayOnlyWhatAGatewayAnswers) {
  const Outcome outcome = Cordonctl({"--gateway-socket", "/x", "get", "devices"});
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("a gateway answers status and events only"));
}

TEST(CommandLine, TellsPermissionAndAgeApart) {
  FakeServer server;
  server.gateways.canned_ListGateways.status = {grpc::StatusCode::PERMISSION_DENIED, "no role"};
  EXPECT_THAT(server.Run({"gateways"}).err, HasSubstr("error: not permitted: no role\n"));
  server.gateways.canned_ListGateways.status = {grpc::StatusCode::UNIMPLEMENTED, ""};
  EXPECT_THAT(server.Run({"gateways"}).err, HasSubstr("may be older than this cordonctl"));
}

// What bash offers for the last word of `line`.
std::string Offered(const std::string& line) {
  const TemporaryDirectory directory;
  const std::string script = directory.Write(
      "probe",
      BashCompletion(CommandLine("1").root()) + "COMP_WORDS=(" + line +
          ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_cordonctl\necho \"${COMPREPLY[*]}\"\n");
  FILE* bash = popen(("bash " + script + " 2>&1").c_str(), "r");
  std::array<char, 4096> text{};
  const size_t length = fread(text.data(), 1, text.size(), bash);
  EXPECT_EQ(pclose(bash), 0);
  return std::string(text.data(), length);
}

TEST(BashCompletion, OffersCommandsOptionsAndValues) {
  EXPECT_EQ(Offered("cordonctl ge"), "get generations\n");
  EXPECT_EQ(Offered("cordonctl get ''"), "devices profiles peers overlays gateways\n");
  EXPECT_EQ(Offered("cordonctl -o json get device --cl"), "--class\n");
  EXPECT_EQ(Offered("cordonctl --output ''"), "table json yaml\n");
  EXPECT_EQ(Offered("cordonctl completion ''"), "bash zsh\n");
}

TEST(BashCompletion, DoesNotTakeAnOptionsValueForACommand) {
  EXPECT_EQ(Offered("cordonctl --controller get learn ''"), "propose\n");
}

TEST(ZshCompletion, DescribesEveryCommand) {
  const Outcome outcome = Cordonctl({"completion", "zsh"});
  EXPECT_THAT(outcome.out, HasSubstr("#compdef cordonctl\n"));
  EXPECT_THAT(outcome.out, HasSubstr("'rollback:Make an older configuration current again"));
}

}  // namespace
}  // namespace cordon::cp::cli

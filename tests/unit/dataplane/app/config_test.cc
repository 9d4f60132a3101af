// SPDX-License-Identifier: Apache-2.0
#include "dataplane/app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace cordon::dp {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kLeast[] = R"(gateway: ward-gw
pairs:
  - name: ward
    device_side: {interface: d0}
    network_side: {interface: n0}
workers: {cores: [1]}
)";

std::vector<std::string> FaultsOf(const std::string& text) {
  std::vector<std::string> lines;
  for (const YamlFault& fault : ParseGatewayConfig("g.yaml", text).faults) {
    lines.push_back(fault.place + ": " + fault.message);
  }
  return lines;
}

std::string Documented() {
  std::ifstream file(CORDON_SOURCE_DIR "/configs/gateway.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(GatewayConfig, LeastFileTakesTheDefaults) {
  const ConfigResult result = ParseGatewayConfig("g.yaml", kLeast);
  ASSERT_THAT(result.faults, IsEmpty());
  const GatewayConfig& config = result.config;
  EXPECT_THAT(config.PairNames(), ElementsAre("ward"));
  EXPECT_EQ(config.io.pairs[0].sides[1].interface, "n0");
  EXPECT_TRUE(config.io.hugepages);
  EXPECT_EQ(config.io.idle_backoff.after_polls, 0U);
  EXPECT_EQ(config.adopt_grace, seconds(30));
  EXPECT_EQ(config.metrics->address, "127.0.0.1");
  EXPECT_EQ(config.controller_address, "");
}

TEST(GatewayConfig, DocumentedFileHasNoFaultAndShowsTheDefaults) {
  const ConfigResult shown = ParseGatewayConfig("gateway.yaml", Documented());
  const GatewayConfig least = ParseGatewayConfig("g.yaml", kLeast).config;
  ASSERT_THAT(shown.faults, IsEmpty());
  EXPECT_EQ(shown.config.state_directory, least.state_directory);
  EXPECT_EQ(shown.config.flow_capacity, least.flow_capacity);
  EXPECT_EQ(shown.config.io.hugepages, least.io.hugepages);
  EXPECT_EQ(shown.config.io.megabytes, least.io.megabytes);
  EXPECT_EQ(shown.config.io.idle_backoff.after_polls, least.io.idle_backoff.after_polls);
  EXPECT_EQ(shown.config.io.mtu, least.io.mtu);
  EXPECT_EQ(shown.config.adopt_grace, least.adopt_grace);
  EXPECT_EQ(shown.config.metrics->l4_port, least.metrics->l4_port);
  EXPECT_EQ(shown.config.status_socket, least.status_socket);
  EXPECT_EQ(shown.config.log_level, least.log_level);
}

TEST(GatewayConfig, DocumentedTimeoutsAreTheDefaults) {
  const FlowTimeouts shown = ParseGatewayConfig("gateway.yaml", Documented()).config.timeouts;
  const FlowTimeouts fallback;
  EXPECT_EQ(shown.tcp_half_open, fallback.tcp_half_open);
  EXPECT_EQ(shown.tcp_established, fallback.tcp_established);
  EXPECT_EQ(shown.tcp_closing, fallback.tcp_closing);
  EXPECT_EQ(shown.tcp_closed, fallback.tcp_closed);
  EXPECT_EQ(shown.udp, fallback.udp);
  EXPECT_EQ(shown.icmp, fallback.icmp);
}

TEST(GatewayConfig, DocumentedFileNamesEveryKey) {
  const auto faults = FaultsOf(
      "gateway: x\npairs: [{}]\nworkers: {nonsense: 1, cores: [1]}\n"
      "nonsense: 1\nmemory: {nonsense: 1}\ntimeouts: {nonsense: 1}\n");
  const std::string text = Documented();
  size_t known = 0;
  for (const std::string& fault : faults) {
    const size_t begin = fault.find("(known: ");
    if (begin == std::string::npos) continue;
    std::istringstream keys(fault.substr(begin + 8));
    for (std::string key; keys >> key; ++known) {
      key.erase(key.find_first_of(",)"));
      EXPECT_THAT(text, HasSubstr(key + ":"));
    }
  }
  EXPECT_GE(known, 20U);
}

TEST(GatewayConfig, NamesAllFaultsWithTheirLines) {
  EXPECT_THAT(FaultsOf("gateway: 'no good'\n"
                       "pears: []\n"
                       "pairs:\n"
                       "  - name: a\n"
                       "    device_side: {interface: d0, port: net_null0}\n"
                       "    network_side: {port: net_null1, driver: af_xdp}\n"
                       "workers: {coars: [1], cores: [1, 1]}\n"
                       "adopt_grace: 30\n"
                       "log: {level: loud}\n"),
              ElementsAre(HasSubstr("g.yaml:1: gateway: 'no good' is not a name"),
                          HasSubstr("g.yaml:2: unknown key 'pears'"),
                          HasSubstr("g.yaml:5: pairs[0].device_side: exactly one of"),
                          HasSubstr("g.yaml:6: pairs[0].network_side.driver: only an 'interface'"),
                          HasSubstr("core 1 is already used by workers.cores[0]"),
                          HasSubstr("2 cores, but the pairs have work for 1"),
                          HasSubstr("unknown key 'coars'"), HasSubstr("g.yaml:8: adopt_grace"),
                          HasSubstr("g.yaml:9: log.level")));
}

TEST(GatewayConfig, ReadsWorkersAndLinkPropagationOfAPair) {
  const PairOptions& pair = ParseGatewayConfig("g.yaml", kLeast).config.io.pairs[0];
  EXPECT_EQ(pair.workers, 1);
  EXPECT_FALSE(pair.link_propagation);
  std::string text = kLeast;
  text.replace(text.find("[1]"), 3, "[1, 2]");
  text.insert(text.find("workers:"), "    workers: 2\n    link_propagation: on\n");
  const ConfigResult result = ParseGatewayConfig("g.yaml", text);
  ASSERT_THAT(result.faults, IsEmpty());
  EXPECT_EQ(result.config.io.pairs[0].workers, 2);
  EXPECT_TRUE(result.config.io.pairs[0].link_propagation);
}

TEST(GatewayConfig, RefusesMoreWorkersOfAPairThanCores) {
  std::string text = kLeast;
  text.insert(text.find("workers:"), "    workers: 2\n    link_propagation: maybe\n");
  EXPECT_THAT(FaultsOf(text), ElementsAre(HasSubstr("link_propagation"),
                                          HasSubstr("pairs[0].workers: 2 workers for one pair")));
}

TEST(GatewayConfig, RefusesAnInterfaceThatIsUsedTwice) {
  std::string text = kLeast;
  text.replace(text.find("n0"), 2, "d0");
  EXPECT_THAT(FaultsOf(text),
              ElementsAre(HasSubstr("'d0' is already used by pairs[0].device_side")));
}

TEST(GatewayConfig, RefusesTcpToTheControllerWithoutTls) {
  EXPECT_THAT(FaultsOf(std::string(kLeast) + "controller: {address: 'c.example:7443'}\n"),
              ElementsAre(HasSubstr("needs mutual TLS")));
  EXPECT_THAT(FaultsOf(std::string(kLeast) + "controller: {address: 'unix:/run/c.sock'}\n"),
              IsEmpty());
}

TEST(GatewayConfig, RefusesAnAddressToListenAtThatIsNone) {
  EXPECT_THAT(FaultsOf(std::string(kLeast) + "metrics: {listen: 'localhost:9464'}\n"),
              ElementsAre(HasSubstr("g.yaml:7: metrics.listen")));
}

TEST(GatewayConfig, OffSwitchesServicesOff) {
  const auto result = ParseGatewayConfig(
      "g.yaml", std::string(kLeast) + "metrics: {listen: off}\nstatus_socket: off\n");
  ASSERT_THAT(result.faults, IsEmpty());
  EXPECT_FALSE(result.config.metrics.has_value());
  EXPECT_EQ(result.config.status_socket, "");
}

TEST(GatewayConfig, ReadsBackoffTimeoutsAndMemory) {
  std::string text = kLeast;
  text.replace(text.find("{cores: [1]}"), 12,
               "{cores: 1, idle_backoff: {after_polls: 9, max_sleep: 50us}}");
  const auto result = ParseGatewayConfig(
      "g.yaml", text + "timeouts: {udp: 5m}\nmemory: {hugepages: false, mbufs: 4096}\n");
  ASSERT_THAT(result.faults, IsEmpty());
  EXPECT_EQ(result.config.io.idle_backoff.after_polls, 9U);
  EXPECT_EQ(result.config.io.idle_backoff.max_sleep, microseconds(50));
  EXPECT_EQ(result.config.timeouts.udp, 300U);
  EXPECT_EQ(result.config.timeouts.tcp_established, seconds(hours(24)).count());
  EXPECT_EQ(result.config.io.mbufs, 4096U);
}

TEST(GatewayConfig, RefusesASleepThatWouldHoldUpAPolicy) {
  std::string text = kLeast;
  text.replace(text.find("{cores: [1]}"), 12, "{cores: [1], idle_backoff: {max_sleep: 5ms}}");
  EXPECT_THAT(FaultsOf(text), ElementsAre(HasSubstr("workers.idle_backoff.max_sleep")));
}

TEST(GatewayConfig, RefusesAnEmptyFileAndTwoDocuments) {
  EXPECT_THAT(FaultsOf(""), ElementsAre(HasSubstr("one document is expected, found 0")));
  EXPECT_THAT(FaultsOf(std::string(kLeast) + "---\n" + kLeast),
              ElementsAre(HasSubstr("one document is expected, found 2")));
}

}  // namespace
}  // namespace cordon::dp

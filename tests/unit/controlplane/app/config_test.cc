// SPDX-License-Identifier: Apache-2.0
#include "controlplane/app/config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace cordon::cp {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

MATCHER_P2(FaultAt, place, message, "") {
  return arg.place.find(place) != std::string::npos &&
         arg.message.find(message) != std::string::npos;
}

std::vector<dp::YamlFault> FaultsOf(const std::string& text) {
  return ParseControllerConfig("controller.yaml", text).faults;
}

TEST(ControllerConfig, ShippedFileStatesTheDefaults) {
  const auto shipped =
      ReadControllerConfig(std::string(CORDON_SOURCE_DIR) + "/configs/controller.yaml");
  EXPECT_THAT(shipped.faults, IsEmpty());
  const ControllerConfig defaults = ParseControllerConfig("x", "log: {}").config;
  EXPECT_EQ(shipped.config.unix_socket, defaults.unix_socket);
  EXPECT_EQ(shipped.config.state_directory, defaults.state_directory);
  EXPECT_EQ(shipped.config.metrics->address, defaults.metrics->address);
  EXPECT_EQ(shipped.config.metrics->l4_port, defaults.metrics->l4_port);
  EXPECT_EQ(shipped.config.log_level, defaults.log_level);
  EXPECT_FALSE(shipped.config.tcp);
}

TEST(ControllerConfig, ReadsEveryKey) {
  const auto read = ParseControllerConfig("controller.yaml", R"(
listen:
  unix: "off"
  tcp: {address: "0.0.0.0:9443", tls: {ca: a, certificate: b, key: c}}
state_directory: /srv/cordon
metrics: {listen: "off"}
log: {level: warn}
)");
  EXPECT_THAT(read.faults, IsEmpty());
  EXPECT_EQ(read.config.unix_socket, "");
  EXPECT_EQ(read.config.tcp->tls.key, "c");
  EXPECT_EQ(read.config.state_directory, "/srv/cordon");
  EXPECT_FALSE(read.config.metrics);
  EXPECT_EQ(read.config.log_level, "warn");
}

TEST(ControllerConfig, RefusesUnknownKeysWithTheirLines) {
  EXPECT_THAT(FaultsOf("listen: {}\nstate_dir: /x\nlog: {levle: info}\n"),
              testing::UnorderedElementsAre(FaultAt("controller.yaml:2", "state_dir"),
                                            FaultAt("controller.yaml:3", "levle")));
}

TEST(ControllerConfig, RefusesTcpWithoutTls) {
  EXPECT_THAT(FaultsOf("listen:\n  tcp: {address: \"0.0.0.0:9443\"}\n"),
              ElementsAre(FaultAt("controller.yaml:2", "only served with mutual TLS")));
}

TEST(ControllerConfig, ReportsAllFaultsOfTcpAtOnce) {
  EXPECT_THAT(FaultsOf("listen:\n  tcp: {address: nowhere, tls: {ca: a}}\n"), SizeIs(3));
}

TEST(ControllerConfig, RefusesToListenNowhere) {
  EXPECT_THAT(FaultsOf("listen: {unix: \"off\"}\n"),
              ElementsAre(FaultAt("controller.yaml", "nobody could reach")));
}

TEST(ControllerConfig, RefusesAMetricsAddressWithoutAPort) {
  EXPECT_THAT(FaultsOf("metrics: {listen: localhost}\n"),
              ElementsAre(FaultAt("controller.yaml:1", "127.0.0.1:9465")));
}

TEST(ControllerConfig, FileThatIsMissingIsAFault) {
  EXPECT_THAT(ReadControllerConfig("/no/such/file").faults, SizeIs(1));
}

}  // namespace
}  // namespace cordon::cp

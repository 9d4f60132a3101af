// SPDX-License-Identifier: Apache-2.0
#include "controlplane/app/controller.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace cordon::cp {
namespace {

using testing::HasSubstr;

class ControllerStart : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "cordon-app-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    config_.unix_socket = directory_ + "/controller.sock";
    config_.state_directory = directory_ + "/state";
    config_.metrics = dp::HttpServerOptions{};
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::unique_ptr<Controller> Start() { return Controller::Start(config_, error_); }

  std::string directory_;
  ControllerConfig config_;
  std::string error_;
};

TEST_F(ControllerStart, ServesItsSocketToOwnerAndGroupOnly) {
  const auto controller = Start();
  ASSERT_NE(controller, nullptr) << error_;
  struct stat socket {};
  ASSERT_EQ(::stat(config_.unix_socket.c_str(), &socket), 0);
  EXPECT_EQ(socket.st_mode & 0777, 0660);
  EXPECT_NE(controller->metrics_port(), 0);
}

TEST_F(ControllerStart, RemovesItsSocketWhenItStops) {
  Start().reset();
  EXPECT_FALSE(std::filesystem::exists(config_.unix_socket));
}

TEST_F(ControllerStart, ReplacesTheSocketOfAControllerThatDied) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  config_.unix_socket.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ::close(dead);
  EXPECT_NE(Start(), nullptr) << error_;
}

TEST_F(ControllerStart, NeverDeletesAFileThatStandsWhereTheSocketShould) {
  std::ofstream(config_.unix_socket).close();
  EXPECT_EQ(Start(), nullptr);
  EXPECT_THAT(error_, HasSubstr("exists and is not a socket"));
  EXPECT_TRUE(std::filesystem::exists(config_.unix_socket));
}

TEST_F(ControllerStart, RefusesASocketWhereAnotherControllerListens) {
  const auto first = Start();
  ASSERT_NE(first, nullptr) << error_;
  config_.state_directory = directory_ + "/other";
  EXPECT_EQ(Start(), nullptr);
  EXPECT_THAT(error_, HasSubstr("another controller listens there"));
}

TEST_F(ControllerStart, NamesTheKeyOfAStateDirectoryThatCannotBeMade) {
  std::ofstream(directory_ + "/file").close();
  config_.state_directory = directory_ + "/file/state";
  EXPECT_EQ(Start(), nullptr);
  EXPECT_THAT(error_, HasSubstr("state_directory"));
}

TEST_F(ControllerStart, NamesEveryTlsFileThatIsMissing) {
  config_.tcp = TcpListen{.address = "127.0.0.1:0", .tls = {"/no/ca", "/no/cert", "/no/key"}};
  EXPECT_EQ(Start(), nullptr);
  EXPECT_THAT(error_, testing::AllOf(HasSubstr("listen.tcp.tls"), HasSubstr("/no/ca"),
                                     HasSubstr("/no/cert"), HasSubstr("/no/key")));
}

TEST_F(ControllerStart, DamagedDatabaseIsAnErrorNotAnEmptyStart) {
  std::filesystem::create_directories(config_.state_directory);
  std::ofstream(config_.state_directory + "/controller.db") << std::string(8192, 'x');
  EXPECT_EQ(Start(), nullptr);
  EXPECT_THAT(error_, HasSubstr("controller.db"));
}

TEST_F(ControllerStart, MetricsNameTheGatewaysAndTheGeneration) {
  const auto controller = Start();
  ASSERT_NE(controller, nullptr) << error_;
  const DocumentSource gateway{"g.yaml", "kind: Gateway\nname: icu-1\npairs: [{name: ward}]\n"};
  ASSERT_TRUE(controller->engine().Apply({gateway}, {.author = "test", .comment = ""}).ok());
  const RpcCounters counters;
  const std::string text = ControllerMetrics(controller->engine(), counters, std::nullopt).Render();
  EXPECT_THAT(text, HasSubstr("cordon_controller_generation 1\n"));
  EXPECT_THAT(text, HasSubstr("cordon_controller_gateways{state=\"never_seen\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("intended_generation{gateway=\"icu-1\"} 1\n"));
}

}  // namespace
}  // namespace cordon::cp

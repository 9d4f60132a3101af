// SPDX-License-Identifier: Apache-2.0
#include "dataplane/daemon/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <thread>
#include <vector>

namespace cordon::dp {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Tcp = boost::asio::ip::tcp;

class HttpServerTest : public ::testing::Test {
 protected:
  void Start(HttpServerOptions options = {}) {
    std::string error;
    server_ = HttpServer::Start(options,
                                {.metrics =
                                     [this] {
                                       ++renderings_;
                                       return std::string("# metrics\n");
                                     },
                                 .unhealthy = [this] { return unhealthy_; }},
                                error);
    ASSERT_NE(server_, nullptr) << error;
  }

  Tcp::socket Connect() {
    Tcp::socket socket(io_);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server_->l4_port()});
    return socket;
  }

  // Everything the server says until it closes.
  static std::string ReadAll(Tcp::socket& socket) {
    std::string answer;
    boost::system::error_code end;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), end);
    return answer;
  }

  std::string Send(std::string_view request) {
    Tcp::socket socket = Connect();
    boost::system::error_code ignored;
    boost::asio::write(socket, boost::asio::buffer(request), ignored);
    return ReadAll(socket);
  }

  std::string Get(const std::string& path) {
    return Send("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  boost::asio::io_context io_;
  std::atomic<int> renderings_{0};
  std::optional<std::string> unhealthy_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ServesMetricsInThePrometheusContentType) {
  Start();
  const std::string answer = Get("/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\n# metrics\n"));
}

TEST_F(HttpServerTest, SaysWhyItIsUnhealthy) {
  Start();
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
  unhealthy_ = "no policy is enforced";
  const std::string answer = Get("/healthz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("no policy is enforced"));
}

TEST_F(HttpServerTest, RefusesOtherPathsAndMethods) {
  Start();
  EXPECT_THAT(Get("/"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Get("/metrics/x"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Get("/metrics?name=x"), StartsWith("HTTP/1.1 200"));
  const std::string deleted =
      Send("DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(deleted, StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(deleted, HasSubstr("Allow: GET"));
}

TEST_F(HttpServerTest, AnswersMalformedRequestsWith400AndLives) {
  Start();
  EXPECT_THAT(Send("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Send(std::string("\x16\x03\x01\x00\xff", 5) + "\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Send("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Get("/metrics"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, RefusesARequestLargerThanEightKilobytes) {
  Start();
  const std::string header = "GET /metrics HTTP/1.1\r\nX: ";
  Send(header + std::string(20'000, 'a') + "\r\n\r\n");  // answered or reset, not served
  EXPECT_EQ(renderings_, 0);
  EXPECT_THAT(Get("/metrics"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, ClosesAConnectionThatSendsNothingInTime) {
  Start({.timeout = 50ms});
  Tcp::socket silent = Connect();
  EXPECT_EQ(ReadAll(silent), "");
}

TEST_F(HttpServerTest, ClosesConnectionsBeyondTheBoundAndRecovers) {
  Start({.max_connections = 4});
  std::vector<Tcp::socket> open;
  for (int i = 0; i < 4; ++i) {
    open.push_back(Connect());
    boost::asio::write(
        open.back(), boost::asio::buffer(std::string("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")));
    std::string first(8, '\0');
    boost::asio::read(open.back(), boost::asio::buffer(first));  // it is counted by now
  }
  EXPECT_EQ(Get("/healthz"), "");
  open.clear();
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) answer = Get("/healthz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

// R143
TEST_F(HttpServerTest, SharesOneRenderingAmongConcurrentScrapes) {
  Start({.metrics_age = 1h});
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 8; ++i) {
    scrapers.emplace_back([this] {
      boost::asio::io_context io;
      Tcp::socket socket(io);
      socket.connect({boost::asio::ip::make_address("127.0.0.1"), server_->l4_port()});
      const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      boost::asio::write(socket, boost::asio::buffer(request));
      EXPECT_THAT(ReadAll(socket), HasSubstr("# metrics"));
    });
  }
  for (std::thread& scraper : scrapers) scraper.join();
  EXPECT_EQ(renderings_, 1);
}

TEST_F(HttpServerTest, ReportsAnAddressThatCannotBeBound) {
  Start();
  std::string error;
  EXPECT_EQ(HttpServer::Start({.l4_port = server_->l4_port()}, {}, error), nullptr);
  EXPECT_THAT(error, HasSubstr("cannot listen on 127.0.0.1:"));
  EXPECT_EQ(HttpServer::Start({.address = "hospital"}, {}, error), nullptr);
  EXPECT_EQ(error, "hospital: is not an IP address");
}

TEST(ParseListenAddress, ReadsBothFamiliesAndNothingElse) {
  HttpServerOptions options;
  EXPECT_TRUE(ParseListenAddress("127.0.0.1:9464", options));
  EXPECT_EQ(options.address, "127.0.0.1");
  EXPECT_EQ(options.l4_port, 9464);
  EXPECT_TRUE(ParseListenAddress("[::1]:80", options));
  EXPECT_EQ(options.address, "::1");
  for (const char* bad : {"", "127.0.0.1", "::1:80", "host:80", "127.0.0.1:0", "127.0.0.1:65536",
                          "127.0.0.1:80x", "[127.0.0.1:80"}) {
    EXPECT_FALSE(ParseListenAddress(bad, options)) << bad;
  }
}

}  // namespace
}  // namespace cordon::dp

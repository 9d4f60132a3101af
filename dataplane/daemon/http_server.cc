// SPDX-License-Identifier: Apache-2.0
#include "dataplane/daemon/http_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <thread>
#include <utility>

namespace cordon::dp {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;
using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

constexpr size_t kMaxRequestBytes = 8 * 1024;

// Answers requests. Used on the server's thread only.
class Router {
 public:
  Router(HttpHandlers handlers, std::chrono::milliseconds metrics_age)
      : handlers_(std::move(handlers)), metrics_age_(metrics_age) {}

  Response Answer(const Request& request) {
    const std::string_view target(request.target().data(), request.target().size());
    const std::string_view path = target.substr(0, target.find('?'));
    if (path != "/metrics" && path != "/healthz") {
      return Make(request, http::status::not_found, "not found: try /metrics or /healthz\n");
    }
    if (request.method() != http::verb::get) {
      Response refused = Make(request, http::status::method_not_allowed, "only GET is served\n");
      refused.set(http::field::allow, "GET");
      return refused;
    }
    if (path == "/healthz") {
      const auto reason = handlers_.unhealthy();
      if (reason) return Make(request, http::status::service_unavailable, *reason + "\n");
      return Make(request, http::status::ok, "ok\n");
    }
    Response metrics = Make(request, http::status::ok, Metrics());
    metrics.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    return metrics;
  }

 private:
  static Response Make(const Request& request, http::status status, std::string body) {
    Response response(status, request.version());
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.set(http::field::cache_control, "no-store");
    response.keep_alive(request.keep_alive());
    response.body() = std::move(body);
    response.prepare_payload();
    return response;
  }

  const std::string& Metrics() {
    const auto now = std::chrono::steady_clock::now();
    if (rendered_.empty() || now - rendered_at_ >= metrics_age_) {
      rendered_ = handlers_.metrics();
      rendered_at_ = now;
    }
    return rendered_;
  }

  HttpHandlers handlers_;
  const std::chrono::milliseconds metrics_age_;
  std::string rendered_;
  std::chrono::steady_clock::time_point rendered_at_;
};

// One connection: read, answer, until either side ends it. Kept alive by its pending operation.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Tcp::socket socket, Router& router, std::chrono::milliseconds timeout, size_t& open)
      : stream_(std::move(socket)), router_(router), timeout_(timeout), open_(open) {
    ++open_;
  }
  ~Connection() { --open_; }

  void Read() {
    parser_.emplace();
    parser_->header_limit(kMaxRequestBytes);
    stream_.expires_after(timeout_);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, size_t) { self->OnRead(error); });
  }

 private:
  void OnRead(beast::error_code error) {
    if (error == http::error::end_of_stream || error == beast::error::timeout) return Close();
    // Everything the parser says about the request itself deserves an answer.
    if (error.category() == http::make_error_code(http::error::bad_method).category()) {
      return RefuseMalformed();
    }
    if (error) return;
    Write(router_.Answer(parser_->get()));
  }

  void RefuseMalformed() {
    Response response(http::status::bad_request, 11);
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.keep_alive(false);
    response.body() = "malformed, too large, or a request with a body\n";
    response.prepare_payload();
    Write(std::move(response));
  }

  void Write(Response response) {
    response_ = std::move(response);
    stream_.expires_after(timeout_);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, size_t) {
                        if (error) return;
                        if (self->response_.keep_alive()) return self->Read();
                        self->Close();
                      });
  }

  void Close() {
    beast::error_code ignored;
    stream_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{2 * kMaxRequestBytes};
  std::optional<http::request_parser<http::empty_body>> parser_;
  Response response_;
  Router& router_;
  const std::chrono::milliseconds timeout_;
  size_t& open_;
};

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpServerOptions& options, HttpHandlers handlers)
      : options_(options), router_(std::move(handlers), options.metrics_age) {}

  ~Impl() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  bool Bind(std::string& error) {
    beast::error_code code;
    const auto address = asio::ip::make_address(options_.address, code);
    if (code) {
      error = options_.address + ": is not an IP address";
      return false;
    }
    const Tcp::endpoint endpoint(address, options_.l4_port);
    acceptor_.open(endpoint.protocol(), code);
    if (!code) acceptor_.set_option(asio::socket_base::reuse_address(true), code);
    if (!code) acceptor_.bind(endpoint, code);
    if (!code) acceptor_.listen(128, code);
    if (!code) return true;
    error = "cannot listen on " + options_.address + ":" + std::to_string(options_.l4_port) + ": " +
            code.message();
    return false;
  }

  void Run() {
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  uint16_t l4_port() const {
    beast::error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](beast::error_code error, Tcp::socket socket) {
      if (error) return AcceptLater();
      if (open_ < options_.max_connections) {
        std::make_shared<Connection>(std::move(socket), router_, options_.timeout, open_)->Read();
      }
      Accept();
    });
  }

  // Out of file descriptors, most likely: asking again at once would only burn the processor.
  void AcceptLater() {
    retry_.expires_after(std::chrono::milliseconds(100));
    retry_.async_wait([this](beast::error_code error) {
      if (!error) Accept();
    });
  }

  const HttpServerOptions options_;
  Router router_;
  size_t open_ = 0;         // connections; server thread only
  asio::io_context io_{1};  // after what its pending handlers refer to
  Tcp::acceptor acceptor_{io_};
  asio::steady_timer retry_{io_};
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

std::unique_ptr<HttpServer> HttpServer::Start(const HttpServerOptions& options,
                                              HttpHandlers handlers, std::string& error) {
  auto impl = std::make_unique<Impl>(options, std::move(handlers));
  if (!impl->Bind(error)) return nullptr;
  impl->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

uint16_t HttpServer::l4_port() const { return impl_->l4_port(); }

bool ParseListenAddress(const std::string& text, HttpServerOptions& options) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return false;
  }
  beast::error_code error;
  asio::ip::make_address(host, error);
  uint16_t l4_port = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, l4_port);
  if (error || parsed.ec != std::errc() || parsed.ptr != end || l4_port == 0) return false;
  options.address = host;
  options.l4_port = l4_port;
  return true;
}

}  // namespace cordon::dp

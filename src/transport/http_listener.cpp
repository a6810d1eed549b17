#include <fmt/format.h>

#include <millrace/transport/http_listener.hpp>
#include <thread>

#include "transport/addresses.hpp"
#include "transport/asio.hpp"
// clang-format off
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
// clang-format on

namespace millrace::inline v0::transport {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::chrono::seconds patience(10);
constexpr std::size_t most_request_bytes = 8192;
constexpr std::size_t most_connections = 16;

class BeastListener final : public HttpListener {
 public:
  explicit BeastListener(std::function<std::string()> page)
      : page_(std::move(page)), acceptor_(context_) {}
  ~BeastListener() override { close(); }

  Result<void> listen(const std::string& address);
  const std::string& address() const noexcept override { return address_; }
  void close() override {
    if (!thread_.joinable()) return;
    context_.stop();
    thread_.join();
    ErrorCode ignored;
    acceptor_.close(ignored);
  }

 private:
  using Response = http::response<http::string_body>;
  asio::awaitable<void> accept();
  asio::awaitable<void> converse(asio::ip::tcp::socket socket);
  Response answer(const http::request<http::empty_body>& request) const;

  const std::function<std::string()> page_;
  asio::io_context context_{1};
  asio::ip::tcp::acceptor acceptor_;
  std::string address_;
  std::size_t connections_ = 0;
  std::thread thread_;
};

Result<void> BeastListener::listen(const std::string& address) {
  const auto endpoint = tcp_endpoint(address);
  if (!endpoint) return endpoint.error();
  ErrorCode failed;
  acceptor_.open(endpoint->protocol(), failed);
  if (!failed) acceptor_.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed) acceptor_.bind(*endpoint, failed);
  if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) {
    return Error(Errc::io_error,
                 fmt::format("cannot serve metrics at {}: {}. Use another address, or port 0 for "
                             "any that is free",
                             address, failed.message()),
                 failed.value());
  }
  address_ = to_text(acceptor_.local_endpoint());
  asio::co_spawn(
      context_, [this] { return accept(); }, asio::detached);
  thread_ = std::thread([this] { context_.run(); });
  return {};
}

asio::awaitable<void> BeastListener::accept() {
  asio::steady_timer pause(context_);
  for (;;) {
    ErrorCode failed;
    auto socket =
        co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
    if (!failed && connections_ < most_connections) {
      asio::co_spawn(
          context_,
          [this, moved = std::make_shared<asio::ip::tcp::socket>(std::move(socket))] {
            return converse(std::move(*moved));
          },
          asio::detached);
    }
    if (!failed) continue;
    pause.expires_after(std::chrono::milliseconds(100));  // out of descriptors, most likely
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
  }
}

BeastListener::Response BeastListener::answer(
    const http::request<http::empty_body>& request) const {
  Response response;
  response.version(request.version());
  response.keep_alive(request.keep_alive());
  const bool is_get = request.method() == http::verb::get;
  const auto target = request.target().substr(0, request.target().find('?'));
  if (is_get && target == "/metrics") {
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    response.body() = page_();
  } else {
    response.result(is_get ? http::status::not_found : http::status::method_not_allowed);
    response.set(http::field::content_type, "text/plain");
    response.body() = "GET /metrics is all there is.\n";
  }
  response.prepare_payload();
  return response;
}

asio::awaitable<void> BeastListener::converse(asio::ip::tcp::socket socket) {
  ++connections_;
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer(most_request_bytes);
  for (bool goes_on = true; goes_on;) {
    http::request<http::empty_body> request;
    ErrorCode failed;
    stream.expires_after(patience);
    co_await http::async_read(stream, buffer, request,
                              asio::redirect_error(asio::use_awaitable, failed));
    if (failed) break;
    const Response response = answer(request);
    goes_on = response.keep_alive();
    stream.expires_after(patience);
    co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) break;
  }
  --connections_;
}

}  // namespace

Result<std::unique_ptr<HttpListener>> HttpListener::open(const std::string& address,
                                                         std::function<std::string()> page) {
  auto listener = std::make_unique<BeastListener>(std::move(page));
  MILLRACE_CHECK(listener->listen(address));
  return std::unique_ptr<HttpListener>(std::move(listener));
}

}  // namespace millrace::inline v0::transport

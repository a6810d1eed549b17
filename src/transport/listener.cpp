#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <millrace/transport/listener.hpp>

#include "transport/addresses.hpp"
#include "transport/connection.hpp"

namespace millrace::inline v0::transport {
namespace {

using TcpAcceptor = asio::ip::tcp::acceptor;
using UnixAcceptor = asio::local::stream_protocol::acceptor;

template <typename Executor>
Peer peer_of(const asio::basic_stream_socket<asio::ip::tcp, Executor>& socket) {
  ErrorCode gone;
  const auto theirs = socket.remote_endpoint(gone);
  const auto ours = socket.local_endpoint(gone);
  Peer peer;
  if (gone) {
    peer.address = "a client that is gone";
    return peer;
  }
  peer.address = to_text(theirs);
  peer.reached_host = ours.address().to_string();
  peer.reached_port = ours.port();
  return peer;
}

template <typename Executor>
Peer peer_of(const asio::basic_stream_socket<asio::local::stream_protocol, Executor>&) {
  Peer peer;
  peer.address = "a local client";
  peer.is_local = true;
  return peer;
}

template <typename Executor>
void do_not_gather(asio::basic_stream_socket<asio::ip::tcp, Executor>& socket) {
  ErrorCode ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
}
template <typename Executor>
void do_not_gather(asio::basic_stream_socket<asio::local::stream_protocol, Executor>&) {}

/// A socket is for those who may write to its folder: connecting is writing.
ErrorCode set_rights(const std::string& socket) {
  struct stat folder {};
  struct stat made {};
  const std::string parent = socket.substr(0, socket.rfind('/') + 1);
  mode_t mode = S_IRUSR | S_IWUSR;
  if (::stat(parent.empty() ? "." : parent.c_str(), &folder) == 0 &&
      ::stat(socket.c_str(), &made) == 0) {
    mode |= folder.st_mode & S_IWOTH;
    const bool is_of_group = made.st_gid == folder.st_gid ||
                             ::chown(socket.c_str(), static_cast<uid_t>(-1), folder.st_gid) == 0;
    if (is_of_group) mode |= folder.st_mode & S_IWGRP;
  }
  if (::chmod(socket.c_str(), mode) == 0) return {};
  return {errno, boost::system::system_category()};
}

class AsioListener final : public Listener {
 public:
  AsioListener(const ListenerOptions& options, SessionFactory& sessions)
      : shared_(std::make_shared<Shared>(options, sessions)) {
    for (int i = 0; i < options.threads; ++i) loops_.push_back(std::make_unique<AsioLoop>());
  }
  ~AsioListener() override { close(); }

  const std::vector<ListenAddress>& addresses() const noexcept override { return addresses_; }
  std::size_t connection_count() const noexcept override { return shared_->connections.load(); }
  void close() override;

  Result<void> listen();

 private:
  Result<void> listen_at(const ListenAddress& address);
  Result<void> listen_at_path(const std::string& path);
  template <typename Acceptor>
  Result<void> open(Acceptor& acceptor, const typename Acceptor::endpoint_type& endpoint,
                    const std::string& text);
  template <typename Acceptor>
  asio::awaitable<void> accept(std::shared_ptr<Acceptor> acceptor, bool is_encrypted);
  template <typename Accepted>
  void admit(Accepted socket, AsioLoop& loop, bool is_encrypted);
  template <typename Acceptor>
  void start_accepting(std::shared_ptr<Acceptor> acceptor, bool is_encrypted);
  void watch_for_stalls(AsioLoop& loop);

  const std::shared_ptr<Shared> shared_;
  std::shared_ptr<TlsContext> tls_;
  std::vector<std::unique_ptr<AsioLoop>> loops_;
  std::size_t next_loop_ = 0;
  std::vector<ListenAddress> addresses_;
  std::vector<std::string> socket_paths_;
  std::vector<std::function<void()>> stop_accepting_;
  bool is_closed_ = false;
};

template <typename Acceptor>
Result<void> AsioListener::open(Acceptor& acceptor,
                                const typename Acceptor::endpoint_type& endpoint,
                                const std::string& text) {
  ErrorCode failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  // Nobody can connect before listen().
  if constexpr (std::is_same_v<Acceptor, UnixAcceptor>) {
    if (!failed) failed = set_rights(endpoint.path());
  }
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (!failed) return {};
  return Error(Errc::io_error,
               fmt::format("cannot listen at {}: {}. Use another address, or port 0 for any that "
                           "is free",
                           text, failed.message()),
               failed.value());
}

Result<void> AsioListener::listen_at_path(const std::string& path) {
  const SocketPath named(path);
  const auto endpoint = unix_endpoint(path, named);
  if (!endpoint) return endpoint.error();
  const auto acceptor = std::make_shared<UnixAcceptor>(loops_.front()->context());
  ::unlink(path.c_str());  // of a listener that was killed; who comes second is not let in here
  if (auto done = open(*acceptor, *endpoint, path); !done) return done;
  socket_paths_.push_back(path);
  start_accepting(acceptor, false);
  return {};
}

Result<void> AsioListener::listen_at(const ListenAddress& address) {
  if (address.text.starts_with(unix_prefix)) {
    addresses_.push_back(address);
    return listen_at_path(address.text.substr(unix_prefix.size()));
  }
  const auto endpoint = tcp_endpoint(address.text);
  if (!endpoint) return endpoint.error();
  const auto acceptor = std::make_shared<TcpAcceptor>(loops_.front()->context());
  if (auto done = open(*acceptor, *endpoint, address.text); !done) return done;
  addresses_.push_back({to_text(acceptor->local_endpoint()), address.is_encrypted});
  start_accepting(acceptor, address.is_encrypted);
  return {};
}

Result<void> AsioListener::listen() {
  const ListenerOptions& options = shared_->options;
  if (options.most_frame_bytes > options.byte_budget) {
    return Error(Errc::invalid_argument,
                 fmt::format("the byte budget of {} does not hold the longest frame of {}: raise "
                             "queued.max.request.bytes or lower socket.request.max.bytes",
                             options.byte_budget, options.most_frame_bytes));
  }
  for (const ListenAddress& address : options.addresses) {
    if (address.is_encrypted && tls_ == nullptr) {
      auto loaded = load_tls(options.tls);
      if (!loaded) return loaded.error();
      tls_ = *loaded;
    }
    if (auto done = listen_at(address); !done) return done;
  }
  for (const auto& loop : loops_) loop->start();
  return {};
}

template <typename Acceptor>
void AsioListener::start_accepting(std::shared_ptr<Acceptor> acceptor, bool is_encrypted) {
  stop_accepting_.push_back([acceptor] {
    ErrorCode ignored;
    acceptor->close(ignored);
  });
  asio::co_spawn(
      loops_.front()->context(),
      [this, acceptor, is_encrypted] { return accept(acceptor, is_encrypted); }, asio::detached);
}

template <typename Acceptor>
asio::awaitable<void> AsioListener::accept(std::shared_ptr<Acceptor> acceptor, bool is_encrypted) {
  asio::steady_timer pause(loops_.front()->context());
  while (acceptor->is_open()) {
    AsioLoop& loop = *loops_[next_loop_++ % loops_.size()];
    ErrorCode failed;
    auto socket = co_await acceptor->async_accept(
        loop.context(), asio::redirect_error(asio::use_awaitable, failed));
    if (!acceptor->is_open()) co_return;
    if (!failed) {
      do_not_gather(socket);
      admit(std::move(socket), loop, is_encrypted);
      continue;
    }
    shared_->report(Error::from_os("accepting a connection", failed.value()));
    pause.expires_after(std::chrono::milliseconds(100));  // out of descriptors, most likely
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
  }
}

template <typename Accepted>
void AsioListener::admit(Accepted socket, AsioLoop& loop, bool is_encrypted) {
  Peer peer = peer_of(socket);
  peer.is_encrypted = is_encrypted;
  if (shared_->connections.load() >= shared_->options.most_connections) {
    shared_->report(Error(Errc::back_pressure,
                          fmt::format("refused {}: there are {} connections already, the most that "
                                      "max.connections allows",
                                      peer.address, shared_->options.most_connections)));
    return;
  }
  Socket generic(std::move(socket));
  auto stream =
      is_encrypted ? tls_stream(std::move(generic), tls_) : plain_stream(std::move(generic));
  const auto connection =
      std::make_shared<Connection>(std::move(stream), std::move(peer), loop, shared_);
  loop.post([this, connection, &loop] {
    const bool is_first = loop.connections().empty();
    connection->start();
    if (is_first) watch_for_stalls(loop);
  });
}

void AsioListener::watch_for_stalls(AsioLoop& loop) {
  if (loop.connections().empty()) return;
  const auto every = std::min(shared_->options.idle_timeout, shared_->options.stall_timeout) / 4 +
                     std::chrono::milliseconds(1);
  const auto now = std::chrono::steady_clock::now();
  const std::vector<Connection*> open(loop.connections().begin(), loop.connections().end());
  for (Connection* connection : open) connection->check_stalled(now);
  loop.call_at(now + every, [this, &loop] { watch_for_stalls(loop); });
}

void AsioListener::close() {
  if (std::exchange(is_closed_, true)) return;
  loops_.front()->post([this] {
    for (const auto& stop : stop_accepting_) stop();
  });
  // The first loop accepts for the others.
  for (const auto& loop : loops_) loop->stop();
  for (const std::string& path : socket_paths_) ::unlink(path.c_str());
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(const ListenerOptions& options,
                                                 SessionFactory& sessions) {
  if (options.threads < 1 || options.addresses.empty()) {
    return Error(Errc::invalid_argument, "a listener needs at least one address and one thread");
  }
  auto listener = std::make_unique<AsioListener>(options, sessions);
  if (auto done = listener->listen(); !done) return done.error();
  return std::unique_ptr<Listener>(std::move(listener));
}

}  // namespace millrace::inline v0::transport

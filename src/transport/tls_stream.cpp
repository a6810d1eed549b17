#include <fmt/format.h>

#include "transport/byte_stream.hpp"
// After asio.hpp, see there.
#include <boost/asio/ssl.hpp>

namespace millrace::inline v0::transport {

class TlsContext {
 public:
  asio::ssl::context ssl{asio::ssl::context::tls_server};
};

namespace {

class TlsStream final : public ByteStream {
 public:
  TlsStream(Socket socket, std::shared_ptr<TlsContext> context)
      : context_(std::move(context)), stream_(std::move(socket), context_->ssl) {}

  asio::awaitable<void> begin(ErrorCode& failed) override {
    co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                     asio::redirect_error(asio::use_awaitable, failed));
  }

  asio::awaitable<MutableBytes> read(MutableBytes memory, ErrorCode& failed) override {
    const std::size_t read =
        co_await stream_.async_read_some(asio::buffer(memory.data(), memory.size()),
                                         asio::redirect_error(asio::use_awaitable, failed));
    co_return memory.first(read);
  }
  bool shares_memory() const noexcept override { return false; }

  std::size_t try_write(std::span<const asio::const_buffer>) override { return 0; }

  void write(std::span<const asio::const_buffer> buffers, Written done) override {
    stream_.async_write_some(buffers, std::move(done));
  }

  void close() override {
    ErrorCode ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  std::shared_ptr<TlsContext> context_;
  asio::ssl::stream<Socket> stream_;
};

Error refused(std::string_view what, const std::string& file, const ErrorCode& why) {
  return Error(Errc::invalid_argument,
               fmt::format("cannot use {} as the {} for TLS: {}. Give a readable PEM file", file,
                           what, why.message()));
}

}  // namespace

Result<std::shared_ptr<TlsContext>> load_tls(const TlsFiles& files) {
  auto context = std::make_shared<TlsContext>();
  ErrorCode failed;
  context->ssl.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                               asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                               asio::ssl::context::no_tlsv1_1,
                           failed);
  context->ssl.use_certificate_chain_file(files.certificate_chain, failed);
  if (failed) return refused("certificate", files.certificate_chain, failed);
  context->ssl.use_private_key_file(files.private_key, asio::ssl::context::pem, failed);
  if (failed) return refused("private key", files.private_key, failed);
  if (files.client_authority.empty()) return context;
  context->ssl.load_verify_file(files.client_authority, failed);
  if (failed) return refused("authority of clients", files.client_authority, failed);
  context->ssl.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert,
                               failed);
  return context;
}

std::unique_ptr<ByteStream> tls_stream(Socket socket, std::shared_ptr<TlsContext> context) {
  return std::make_unique<TlsStream>(std::move(socket), std::move(context));
}

}  // namespace millrace::inline v0::transport

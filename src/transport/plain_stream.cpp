#include "transport/byte_stream.hpp"

namespace millrace::inline v0::transport {
namespace {

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(Socket socket) : socket_(std::move(socket)) {
    ErrorCode ignored;
    socket_.non_blocking(true, ignored);
  }

  asio::awaitable<void> begin(ErrorCode& failed) override {
    failed = {};
    co_return;
  }

  asio::awaitable<MutableBytes> read(MutableBytes memory, ErrorCode& failed) override {
    for (;;) {
      co_await socket_.async_wait(Socket::wait_read,
                                  asio::redirect_error(asio::use_awaitable, failed));
      if (failed) co_return MutableBytes();
      const std::size_t read =
          socket_.receive(asio::buffer(memory.data(), memory.size()), 0, failed);
      if (failed == asio::error::would_block) continue;
      if (!failed && read == 0) failed = asio::error::eof;
      co_return memory.first(read);
    }
  }
  bool shares_memory() const noexcept override { return true; }

  std::size_t try_write(std::span<const asio::const_buffer> buffers) override {
    ErrorCode failed;
    const std::size_t written = socket_.send(buffers, 0, failed);
    return failed ? 0 : written;
  }

  void write(std::span<const asio::const_buffer> buffers, Written done) override {
    socket_.async_write_some(buffers, std::move(done));
  }

  void close() override {
    ErrorCode ignored;
    socket_.close(ignored);
  }

 private:
  Socket socket_;
};

}  // namespace

std::unique_ptr<ByteStream> plain_stream(Socket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace millrace::inline v0::transport

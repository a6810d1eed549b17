#include <cstdio>

#include "bench_child.hpp"
#include "bench_children.hpp"
#include "bench_framed.hpp"
#include "bench_limits.hpp"
#include "bench_socket.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

constexpr std::size_t ack_bytes = 8;
constexpr std::size_t piece_bytes = 256u << 10;
constexpr std::uint64_t end_mark = std::uint64_t{1} << 63;

/// What came and was not dealt with yet.
class Incoming {
 public:
  explicit Incoming(std::size_t bytes) : buffer_(bytes) {}
  /// Reads once behind what is left.
  void fill(const Socket& from) {
    have_ += from.read(MutableBytes(buffer_).subspan(have_));
    used_ = 0;
  }
  const std::byte* next() const { return buffer_.data() + used_; }
  std::size_t left() const { return have_ - used_; }
  void take(std::size_t bytes) { used_ += bytes; }
  void move_up() {
    std::memmove(buffer_.data(), next(), left());
    have_ = left();
    used_ = 0;
  }

 private:
  std::vector<std::byte> buffer_;
  std::size_t have_ = 0;
  std::size_t used_ = 0;
};

template <typename T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Stores the records that come, and acknowledges them all with one number for each read.
void sink_records(const Socket& socket, const WrittenFile& file) {
  Incoming in(piece_bytes);
  std::size_t at = 0;
  std::uint64_t count = 0;
  for (bool is_end = false; !is_end;) {
    in.fill(socket);
    while (in.left() >= header_bytes && !is_end) {
      const auto length = load<std::uint32_t>(in.next());
      if (in.left() < header_bytes + length) break;
      is_end = length == 0;
      if (!is_end) {
        if (checksum(in.next() + 8, length + 8) != load<std::uint32_t>(in.next() + 4)) {
          fail("a record came with a wrong checksum");
        }
        if (at + header_bytes + length > file_bytes) at = 0;
        std::memcpy(file.data() + at, in.next(), header_bytes + length);
        at += header_bytes + length;
        ++count;
      }
      in.take(header_bytes + length);
    }
    in.move_up();
    const std::uint64_t ack = count | (is_end ? end_mark : 0);
    socket.write(reinterpret_cast<const std::byte*>(&ack), sizeof ack);
  }
}

/// Sends records for so long; how many.
std::uint64_t send_records(const Socket& socket, std::size_t value_bytes, std::size_t window,
                           double seconds) {
  const std::size_t record_bytes = header_bytes + value_bytes;
  const Payload payload(value_bytes);
  std::vector<std::byte> value(value_bytes);
  std::vector<std::byte> out(std::max<std::size_t>(64u << 10, record_bytes * 2));
  Incoming acks(64u << 10);
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  const auto take_acks = [&] {
    acks.fill(socket);
    for (; acks.left() >= ack_bytes; acks.take(ack_bytes)) {
      acknowledged = load<std::uint64_t>(acks.next());
    }
    acks.move_up();
  };
  for (const auto start = SteadyClock::now(); seconds_since(start) < seconds;) {
    std::size_t filled = 0;
    while (filled + record_bytes <= out.size() && sent - acknowledged < window) {
      payload.make(value.data(), sent, value_bytes);
      filled += frame(out.data() + filled, value.data(), value_bytes, sent);
      if (++sent % std::max<std::size_t>(window / 2, 1) == 0 && window > 1) break;
    }
    socket.write(out.data(), filled);
    if (sent - acknowledged >= window) take_acks();
  }
  const std::byte end[header_bytes] = {};
  socket.write(end, sizeof end);
  while (acknowledged < end_mark) take_acks();
  if ((acknowledged & ~end_mark) != sent) {
    fail("the other process has " + std::to_string(acknowledged & ~end_mark) + " records, not " +
         std::to_string(sent));
  }
  return sent;
}

/// Takes the whole file, checks each record; how many.
std::uint64_t take_file(const Socket& socket, std::size_t value_bytes) {
  const std::size_t record_bytes = header_bytes + value_bytes;
  const std::uint64_t total = file_bytes / record_bytes;
  const std::byte go{};
  socket.write(&go, sizeof go);
  Incoming in(piece_bytes);
  std::uint64_t count = 0;
  while (count < total) {
    in.fill(socket);
    for (; in.left() >= record_bytes; in.take(record_bytes), ++count) {
      if (checksum(in.next() + 8, value_bytes + 8) != load<std::uint32_t>(in.next() + 4)) {
        fail("a record came back with a wrong checksum");
      }
    }
    in.move_up();
  }
  return count;
}

}  // namespace

void serve_limits(std::size_t value_bytes, const Effort& effort, const RowSink& sink) {
  for (const std::size_t window : {1u, 1000u}) {
    const Scratch scratch;
    Child child({"sink", scratch / "sink", std::to_string(value_bytes)});
    const Socket socket = connect_to(child.read_line());
    const auto start = SteadyClock::now();
    const std::uint64_t sent = send_records(socket, value_bytes, window, effort.seconds);
    const double rate = static_cast<double>(sent) / seconds_since(start);
    for (const char* connections : {"", "2"}) {
      sink("limit/srv.publish" + std::string(connections) + ".w" + std::to_string(window) +
               size_tag(value_bytes),
           rate, "rec/s");
    }
    const auto asked = SteadyClock::now();
    const std::uint64_t taken = take_file(socket, value_bytes);
    if (window == 1) continue;
    sink("limit/srv.consume" + size_tag(value_bytes),
         static_cast<double>(taken) / seconds_since(asked), "rec/s");
  }
}

int sink_until_end(const std::string& path, std::size_t value_bytes) {
  const WrittenFile file(path, small_piece, true);
  // What is taken back later has to be records.
  const std::size_t record_bytes = header_bytes + value_bytes;
  const Payload payload(value_bytes);
  std::vector<std::byte> value(value_bytes);
  std::size_t end = 0;
  for (std::uint64_t i = 0; end + record_bytes <= file_bytes; ++i) {
    payload.make(value.data(), i, value_bytes);
    end += frame(file.data() + end, value.data(), value_bytes, i);
  }
  const Socket socket = accept_one();
  sink_records(socket, file);
  std::byte go;
  socket.read({&go, 1});
  for (std::size_t sent = 0; sent < end;) {
    const std::size_t piece = std::min(end - sent, piece_bytes);
    socket.write(file.data() + sent, piece);
    sent += piece;
  }
  std::getchar();  // ends when the other process is done
  return 0;
}

}  // namespace millrace::inline v0::cli::bench

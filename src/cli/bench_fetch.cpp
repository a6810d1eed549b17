#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <millrace/client/connection.hpp>
#include <millrace/protocol/messages/fetch.hpp>
#include <millrace/record/batch_view.hpp>

#include "bench_child.hpp"
#include "bench_children.hpp"
#include "bench_framed.hpp"
#include "bench_limits.hpp"
#include "bench_rows.hpp"
#include "bench_socket.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

constexpr std::size_t value_bytes = 1024;
constexpr std::size_t batch_records = 16;
constexpr double mebibyte = 1 << 20;

void tell(const RowSink& sink, const std::string& row, std::uint64_t bytes, double seconds) {
  sink(row, static_cast<double>(bytes) / mebibyte / seconds, "MiB/s");
}

/// Has the files below come from the disk again. Nobody may have them mapped.
void forget_pages(const std::string& path) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (!entry.is_regular_file()) continue;
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_done = file >= 0 && ::fdatasync(file) == 0 &&
                         ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0;
    if (file >= 0) ::close(file);
    if (!is_done) fail("cannot drop the pages of " + entry.path().string());
  }
}

/// A log in 128 MiB segments; how many records it has.
std::uint64_t write_log(const std::string& path, const Effort& effort) {
  TopicOptions options;
  options.flush = flush::by_os{};
  const Store store = open_store(path, options);
  PayloadWriter writer(store.partition(0).handle(), value_bytes, batch_records);
  while (writer.count() * value_bytes < 2 * effort.most_bytes()) writer.append();
  must(store.broker.close());
  return writer.count();
}

/// Fetches `count` records, the next request under way while an answer is taken; how many bytes.
std::uint64_t fetch_all(const std::string& address, std::uint64_t count) {
  constexpr protocol::ApiVersion last_with_names = 12;
  const auto connection = must(client::Connection::open(address));
  const auto ask = [&](std::int64_t offset) {
    protocol::FetchRequest request{.max_wait_ms = 500, .min_bytes = 1};
    auto& topic = request.topics.emplace_back();
    topic.topic = "bench";
    topic.partitions.push_back({.fetch_offset = offset, .partition_max_bytes = 1 << 20});
    must(connection->send(request, last_with_names));
  };
  std::uint64_t bytes = 0;
  const auto end = static_cast<std::int64_t>(count);
  ask(0);
  for (std::int64_t next = 0; next < end;) {
    const auto response = must(connection->receive<protocol::FetchResponse>());
    const Bytes records = response.responses.at(0).partitions.at(0).records.value_or(Bytes());
    if (records.empty()) fail("records are missing");
    for (Bytes left = records; !left.empty();) {
      const auto batch = must(record::BatchView::parse(left));
      next = batch.next_offset().value();
      left = left.subspan(batch.size());
    }
    if (next < end) ask(next);
    bytes += records.size();
  }
  return bytes;
}

void take(const Socket& from, std::uint64_t bytes) {
  std::vector<std::byte> memory(std::size_t{256} << 10);
  const std::byte go{};
  from.write(&go, sizeof go);
  for (std::uint64_t taken = 0; taken < bytes;) taken += from.read(memory);
}

}  // namespace

void fetch_limits(const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  const std::string path = scratch / "file";
  const std::uint64_t bytes = 2 * effort.most_bytes();
  {
    const std::vector<std::byte> piece(1 << 20, std::byte{0x5a});
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "we"),
                                                               std::fclose);
    for (std::uint64_t at = 0; at < bytes; at += piece.size()) {
      if (std::fwrite(piece.data(), 1, piece.size(), file.get()) != piece.size()) {
        fail("cannot write " + path);
      }
    }
  }
  forget_pages(scratch.path());
  Child child({"send-file", path, std::to_string(bytes)});
  const Socket socket = connect_to(child.read_line());
  for (const char* row : {"limit/srv.fetch.cold", "limit/srv.fetch.warm"}) {
    const auto start = SteadyClock::now();
    take(socket, bytes);
    tell(sink, row, bytes, seconds_since(start));
  }
}

void fetch_rows(const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  const std::string path = scratch / "log";
  const std::uint64_t count = write_log(path, effort);
  forget_pages(path);
  Child child({"serve-log", path});
  const std::string address = child.read_line();
  for (const char* row : {"millrace/srv.fetch.cold", "millrace/srv.fetch.warm"}) {
    const auto start = SteadyClock::now();
    const std::uint64_t bytes = fetch_all(address, count);
    tell(sink, row, bytes, seconds_since(start));
  }
}

int send_file_until_end(const std::string& path, std::size_t bytes) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("cannot open " + path);
  const Socket socket = accept_one();
  for (int times = 0; times < 2; ++times) {
    std::byte go;
    socket.read({&go, 1});
    socket.send_file(file, bytes);
  }
  ::close(file);
  std::getchar();  // ends when the other process is done
  return 0;
}

}  // namespace millrace::inline v0::cli::bench

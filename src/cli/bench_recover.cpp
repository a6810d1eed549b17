#include <cstdio>
#include <string>

#include "bench_child.hpp"
#include "bench_children.hpp"
#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

constexpr std::size_t value_bytes = 1024;
constexpr std::size_t batch_records = 1000;

}  // namespace

int fill_and_wait(const std::string& path, std::uint64_t mebibytes) {
  TopicOptions options;
  options.flush = flush::by_os{};
  options.settings = {{"max.message.bytes", "2097152"}};
  const Store store = open_store(path, options);
  PayloadWriter writer(store.partition(0).handle(), value_bytes, batch_records);
  while (writer.count() * value_bytes < mebibytes << 20) writer.append();
  std::printf("%llu\n", static_cast<unsigned long long>(writer.count()));
  std::fflush(stdout);
  std::getchar();  // to be killed here; ends when the other process is gone
  return 3;
}

void recover_row(std::uint64_t mebibytes, const RowSink& sink) {
  const Scratch scratch;
  const std::string path = scratch / "recover";
  std::uint64_t count = 0;
  {
    Child child({"fill", path, std::to_string(mebibytes)});
    count = std::stoull(child.read_line());
    child.kill();
  }
  const auto start = SteadyClock::now();
  const Store store = open_store(path, {.create_if_missing = false});
  const BytesPartition partition = store.partition(0);
  check_last(partition, count, value_bytes);
  const double milliseconds = seconds_since(start) * 1e3;
  const std::string row = mebibytes == 1024 ? "" : "." + std::to_string(mebibytes / 1024) + "GiB";
  sink("millrace/recover_after_kill9" + row + size_tag(value_bytes), milliseconds, "ms");
  if (allocated_bytes(path) < count * value_bytes) fail("the recovered log is too small");
}

}  // namespace millrace::inline v0::cli::bench

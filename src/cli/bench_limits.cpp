#include "bench_limits.hpp"

#include <atomic>
#include <memory>

#include "bench_framed.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

/// Fills the map again and again; records a second.
double fill(const WrittenFile& file, std::size_t value_bytes, double seconds) {
  const Payload payload(value_bytes);
  std::atomic<std::size_t> head{0};
  std::byte value[largest_value];
  std::uint64_t records = 0;
  const auto start = SteadyClock::now();
  do {
    std::uint64_t n = 0;
    for (std::size_t at = 0; at + header_bytes + value_bytes <= file_bytes; ++n) {
      payload.make(value, n, value_bytes);
      at += frame(file.data() + at, value, value_bytes, n);
      head.store(at, std::memory_order_release);
    }
    records += n;
  } while (seconds_since(start) < seconds);
  return static_cast<double>(records) / seconds_since(start);
}

void check_record(const std::byte* at, std::uint64_t sequence, std::size_t value_bytes) {
  std::uint32_t length = 0;
  std::uint32_t crc = 0;
  std::memcpy(&length, at, sizeof length);
  std::memcpy(&crc, at + 4, sizeof crc);
  if (length != value_bytes || sequence_of(at + 8) != sequence ||
      checksum(at + 8, value_bytes + 8) != crc) [[unlikely]] {
    fail("a record of the limit does not come back");
  }
}

double scan(const WrittenFile& file, std::size_t value_bytes, double seconds) {
  const std::size_t step = header_bytes + value_bytes;
  const std::uint64_t count = file_bytes / step;
  std::uint64_t records = 0;
  std::uint64_t touched = 0;
  const auto start = SteadyClock::now();
  do {
    for (std::uint64_t n = 0; n < count; ++n) {
      const std::byte* const at = file.data() + n * step;
      check_record(at, n, value_bytes);
      touched += sequence_of(at + header_bytes);
    }
    records += count;
  } while (seconds_since(start) < seconds);
  asm volatile("" ::"r"(touched));
  return static_cast<double>(records) / seconds_since(start);
}

double get(const WrittenFile& file, std::size_t value_bytes, double seconds) {
  const std::size_t step = header_bytes + value_bytes;
  std::vector<std::uint64_t> positions(file_bytes / step);
  for (std::size_t n = 0; n < positions.size(); ++n) positions[n] = n * step;
  Random random(7);
  std::byte out[largest_value];
  std::uint64_t gets = 0;
  const auto start = SteadyClock::now();
  for (; gets % 256 != 0 || seconds_since(start) < seconds; ++gets) {
    const std::uint64_t wanted = random.below(positions.size());
    const std::byte* const at = file.data() + positions[wanted];
    check_record(at, wanted, value_bytes);
    std::memcpy(out, at + header_bytes, value_bytes);
    asm volatile("" ::"r"(out) : "memory");
  }
  return static_cast<double>(gets) / seconds_since(start);
}

/// Appends synced batches until the time or the file is over; records.
std::uint64_t fill_synced(const WrittenFile& file, const AppendShape& shape, double seconds) {
  const Payload payload(shape.value_bytes);
  std::vector<std::byte> buffer(shape.batch * (header_bytes + shape.value_bytes));
  std::byte value[largest_value];
  std::uint64_t records = 0;
  const auto start = SteadyClock::now();
  for (std::size_t at = 0; at + buffer.size() <= file_bytes && seconds_since(start) < seconds;
       at += buffer.size()) {
    std::size_t used = 0;
    for (std::size_t i = 0; i < shape.batch; ++i, ++records) {
      payload.make(value, records, shape.value_bytes);
      used += frame(buffer.data() + used, value, shape.value_bytes, records);
    }
    file.write(buffer, at);
    file.sync();
  }
  return records;
}

}  // namespace

void memory_limits(std::size_t value_bytes, const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  const WrittenFile file(scratch / "file", small_piece, true);
  const std::string tag = size_tag(value_bytes);
  sink("limit/append.nosync" + tag, fill(file, value_bytes, effort.seconds), "rec/s");
  sink("limit/scan" + tag, scan(file, value_bytes, effort.seconds / 2), "rec/s");
  sink("limit/get" + tag, get(file, value_bytes, effort.seconds / 2), "rec/s");
}

void two_thread_limit(std::size_t value_bytes, const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  const WrittenFile first(scratch / "first", small_piece, true);
  const WrittenFile second(scratch / "second", small_piece, true);
  double rates[2];
  in_threads(2,
             [&](int i) { rates[i] = fill(i == 0 ? first : second, value_bytes, effort.seconds); });
  sink("limit/append2.nosync" + size_tag(value_bytes), rates[0] + rates[1], "rec/s");
}

void sync_limit(const AppendShape& shape, const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  std::vector<std::unique_ptr<WrittenFile>> files;
  files.reserve(static_cast<std::size_t>(shape.threads));
  for (int i = 0; i < shape.threads; ++i) {
    files.push_back(std::make_unique<WrittenFile>(scratch / std::to_string(i), large_piece, false));
  }
  std::atomic<std::uint64_t> records{0};
  const auto start = SteadyClock::now();
  in_threads(shape.threads, [&](int i) {
    records += fill_synced(*files[static_cast<std::size_t>(i)], shape, effort.seconds);
  });
  sink("limit/" + row_of(shape), static_cast<double>(records) / seconds_since(start), "rec/s");
}

}  // namespace millrace::inline v0::cli::bench

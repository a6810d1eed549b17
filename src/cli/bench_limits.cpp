#include "bench_limits.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <millrace/core/crc32c.hpp>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace millrace::inline v0::cli::bench {
namespace {

constexpr std::size_t header_bytes = 16;
constexpr std::size_t file_bytes = 128u << 20;
constexpr std::size_t largest_value = 4096;

/// The kernel for short inputs, which the limit is defined with.
std::uint32_t checksum(const std::byte* data, std::size_t bytes) {
  static const auto kernel = [] {
    auto chosen = detail::crc32c_variants();
    for (auto each = chosen; each->name != nullptr; ++each) {
      if (each->usable && std::string_view(each->name) == "sse4.2") chosen = each;
    }
    return chosen->run;
  }();
  return kernel(data, bytes, 0);
}

std::size_t frame(std::byte* to, const std::byte* value, std::size_t bytes,
                  std::uint64_t sequence) {
  const auto length = static_cast<std::uint32_t>(bytes);
  std::memcpy(to, &length, sizeof length);
  std::memcpy(to + 8, &sequence, sizeof sequence);
  std::memcpy(to + header_bytes, value, bytes);
  const std::uint32_t crc = checksum(to + 8, bytes + 8);
  std::memcpy(to + 4, &crc, sizeof crc);
  return header_bytes + bytes;
}

/// A file whose blocks were written before, and optionally its populated map.
class WrittenFile {
 public:
  WrittenFile(const std::string& path, std::size_t piece_bytes, bool populate) {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) fail("cannot create " + path);
    const std::vector<std::byte> zeros(piece_bytes);
    for (std::size_t at = 0; at < file_bytes; at += piece_bytes) write(zeros, at);
    void* map = ::mmap(nullptr, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (map == MAP_FAILED) fail("cannot map " + path);
    data_ = static_cast<std::byte*>(map);
    if (populate && ::madvise(map, file_bytes, MADV_POPULATE_WRITE) != 0) {
      fail("cannot populate a mapping");
    }
    if (!populate && ::fsync(fd_) != 0) fail("cannot sync " + path);
  }
  WrittenFile(const WrittenFile&) = delete;
  WrittenFile& operator=(const WrittenFile&) = delete;
  ~WrittenFile() {
    ::munmap(data_, file_bytes);
    ::close(fd_);
  }

  std::byte* data() const { return data_; }
  void write(Bytes bytes, std::size_t position) const {
    const auto done = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (done != static_cast<ssize_t>(bytes.size())) fail("cannot write to a scratch file");
  }
  void sync() const {
    if (::fdatasync(fd_) != 0) fail("cannot sync a scratch file");
  }

 private:
  int fd_ = -1;
  std::byte* data_ = nullptr;
};

constexpr std::size_t small_piece = 4096;
constexpr std::size_t large_piece = 1u << 20;

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
  for (std::size_t at = 0;
       at + buffer.size() <= file_bytes && seconds_since(start) < seconds; at += buffer.size()) {
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
  in_threads(2, [&](int i) {
    rates[i] = fill(i == 0 ? first : second, value_bytes, effort.seconds);
  });
  sink("limit/append2.nosync" + size_tag(value_bytes), rates[0] + rates[1], "rec/s");
}

void sync_limit(const AppendShape& shape, const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  std::vector<std::unique_ptr<WrittenFile>> files;
  for (int i = 0; i < shape.threads; ++i) {
    files.push_back(
        std::make_unique<WrittenFile>(scratch / std::to_string(i), large_piece, false));
  }
  std::atomic<std::uint64_t> records{0};
  const auto start = SteadyClock::now();
  in_threads(shape.threads, [&](int i) {
    records += fill_synced(*files[static_cast<std::size_t>(i)], shape, effort.seconds);
  });
  sink("limit/" + row_of(shape), static_cast<double>(records) / seconds_since(start), "rec/s");
}

}  // namespace millrace::inline v0::cli::bench

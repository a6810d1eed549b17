#pragma once
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace millrace::inline v0::cli::bench {

using SteadyClock = std::chrono::steady_clock;

inline double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}
inline std::uint64_t nanoseconds_now() {
  return static_cast<std::uint64_t>(SteadyClock::now().time_since_epoch().count());
}

/// Ends the measurement: throws std::runtime_error.
[[noreturn]] void fail(const std::string& why);
template <typename T>
T must(Result<T> result) {
  if (!result) fail(result.error().message());
  return *std::move(result);
}
inline void must(const Result<void>& result) {
  if (!result) fail(result.error().message());
}

/// How long and how large measurements are.
struct Effort {
  bool quick = false;
  double seconds = 0.6;  ///< a row's
  int round = 0;
  std::uint64_t most_bytes() const { return (quick ? 100u : 200u) << 20; }
};

/// Takes `row value unit` lines as they come.
using RowSink = std::function<void(const std::string& row, double value, const char* unit)>;

/// Incompressible bytes: record n takes a window of a pool that moves by 64 bytes a record, and
/// carries its sequence number in the first 8, so that whoever reads it can check what it got.
class Payload {
 public:
  explicit Payload(std::size_t largest);
  void make(std::byte* out, std::uint64_t sequence, std::size_t bytes) const {
    std::memcpy(out, pool_.data() + ((sequence * 64) & (pool_bytes - 1)), bytes);
    std::memcpy(out, &sequence, sizeof sequence);
  }
  /// Whether `bytes` is what make() gives for `sequence`.
  bool matches(Bytes bytes, std::uint64_t sequence) const;

 private:
  static constexpr std::size_t pool_bytes = 64u << 10;
  std::vector<std::byte> pool_;
};

/// The sequence number that a payload carries.
inline std::uint64_t sequence_of(const std::byte* payload) {
  std::uint64_t sequence;
  std::memcpy(&sequence, payload, sizeof sequence);
  return sequence;
}

/// Uniform numbers, the same in every run.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2654435761u + 88172645463325252u) {}
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }

 private:
  __extension__ using Wide = unsigned __int128;
  std::uint64_t state_;
};

/// Durations in nanoseconds.
class Latencies {
 public:
  void add(std::uint64_t nanoseconds) { samples_.push_back(nanoseconds); }
  bool empty() const { return samples_.empty(); }
  /// The `share` quantile, 0 to 1.
  double at(double share);

 private:
  std::vector<std::uint64_t> samples_;
};

/// A directory of its own below $BENCH_DIR (or $TMPDIR, or /tmp) that goes with this object.
class Scratch {
 public:
  Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

/// Calls work(0) to work(count - 1) at the same time, and passes on the first failure.
template <typename Work>
void in_threads(int count, Work work) {
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(count));
  const auto run = [&](int i) {
    try {
      work(i);
    } catch (...) {
      failures[static_cast<std::size_t>(i)] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < count; ++i) others.emplace_back(run, i);
  run(0);
  for (std::thread& other : others) other.join();
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void remove_tree(const std::string& path);
/// Bytes that the file system has allocated for all files below.
std::uint64_t allocated_bytes(const std::string& path);
/// Keeps the calling thread on one processor for as long as this lives.
class Pin {
 public:
  explicit Pin(int processor);
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  ~Pin();

 private:
  std::vector<unsigned long> before_;
};
/// Processor time that this process has taken.
double processor_seconds();
/// Memory that this process has resident, in MiB.
double resident_mebibytes();

inline std::string size_tag(std::size_t bytes) {
  return "/" + std::to_string(bytes) + "B";
}

}  // namespace millrace::inline v0::cli::bench

#include "bench_support.hpp"

#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace millrace::inline v0::cli::bench {

void fail(const std::string& why) {
  throw std::runtime_error(why);
}

Payload::Payload(std::size_t largest) : pool_(pool_bytes + largest + 64) {
  std::uint64_t word = 0x9e3779b97f4a7c15u;
  for (std::size_t at = 0; at + sizeof word <= pool_.size(); at += sizeof word) {
    word ^= word << 13;
    word ^= word >> 7;
    word ^= word << 17;
    std::memcpy(&pool_[at], &word, sizeof word);
  }
}

bool Payload::matches(Bytes bytes, std::uint64_t sequence) const {
  std::vector<std::byte> expected(bytes.size());
  make(expected.data(), sequence, bytes.size());
  return std::equal(bytes.begin(), bytes.end(), expected.begin());
}

double Latencies::at(double share) {
  if (samples_.empty()) return 0;
  const auto rank =
      static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(samples_.size() - 1)));
  std::nth_element(samples_.begin(), samples_.begin() + rank, samples_.end());
  return static_cast<double>(samples_[static_cast<std::size_t>(rank)]);
}

Scratch::Scratch() {
  const char* parent = std::getenv("BENCH_DIR");
  if (parent == nullptr || *parent == '\0') parent = std::getenv("TMPDIR");
  if (parent == nullptr || *parent == '\0') parent = "/tmp";
  path_ = std::string(parent) + "/millrace-bench.XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) {
    fail("cannot create a scratch directory in " + std::string(parent) +
         "; name a writable one in BENCH_DIR");
  }
}

Scratch::~Scratch() {
  remove_tree(path_);
}

void remove_tree(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

std::uint64_t allocated_bytes(const std::string& path) {
  std::uint64_t total = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    struct stat info {};
    if (::lstat(entry.path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    total += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  return total;
}

Pin::Pin(int processor) : before_(sizeof(cpu_set_t) / sizeof(unsigned long)) {
  ::sched_getaffinity(0, sizeof(cpu_set_t), reinterpret_cast<cpu_set_t*>(before_.data()));
  const int count = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor % std::max(count, 1)), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

Pin::~Pin() {
  ::sched_setaffinity(0, sizeof(cpu_set_t), reinterpret_cast<cpu_set_t*>(before_.data()));
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_mebibytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

}  // namespace millrace::inline v0::cli::bench

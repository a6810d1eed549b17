#include "bench_framed.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <millrace/core/crc32c.hpp>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace millrace::inline v0::cli::bench {

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

WrittenFile::WrittenFile(const std::string& path, std::size_t piece_bytes, bool populate) {
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

WrittenFile::~WrittenFile() {
  ::munmap(data_, file_bytes);
  ::close(fd_);
}

void WrittenFile::write(Bytes bytes, std::size_t position) const {
  const auto done = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(position));
  if (done != static_cast<ssize_t>(bytes.size())) fail("cannot write to a scratch file");
}

void WrittenFile::sync() const {
  if (::fdatasync(fd_) != 0) fail("cannot sync a scratch file");
}

void WrittenFile::sync_map(std::size_t from, std::size_t to) const {
  from &= ~(small_piece - 1);
  if (::msync(data_ + from, to - from, MS_SYNC) != 0) fail("cannot sync a mapping");
}

}  // namespace millrace::inline v0::cli::bench

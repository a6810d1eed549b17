#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <millrace/os/io_hooks.hpp>
#include <millrace/os/mapping.hpp>
#include <utility>

#include "os/system_call.hpp"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

namespace millrace::inline v0::os {
namespace {

std::uint64_t page_bytes() noexcept {
  static const auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

struct Range {
  std::uint64_t position;
  std::uint64_t length;
};

Range widen_to_pages(std::uint64_t position, std::uint64_t length) noexcept {
  const std::uint64_t begin = position & ~(page_bytes() - 1);
  const std::uint64_t end = (position + length + page_bytes() - 1) & ~(page_bytes() - 1);
  return {begin, end - begin};
}

Result<void> check_range(const Mapping& mapping, Range range, const std::string& path) {
  if (range.position <= mapping.length() && range.length <= mapping.length() - range.position)
    return {};
  return Error(Errc::invalid_argument,
               fmt::format("{} bytes at {} lie outside the {} mapped bytes of {}; map more of it",
                           range.length, range.position, mapping.length(), path));
}

int advise(std::byte* data, Range range, int advice) noexcept {
  int code = EAGAIN;
  for (int attempt = 0; code == EAGAIN && attempt < 1000; ++attempt)
    code = code_of([&] { return ::madvise(data + range.position, range.length, advice); });
  // Kernels before 5.14 do not know the advice.
  return code == EINVAL ? 0 : code;
}

}  // namespace

Result<Mapping> Mapping::map(const File& file, std::uint64_t length, MapMode mode) {
  if (length == 0)
    return Error(Errc::invalid_argument,
                 fmt::format("mapping 0 bytes of {}; ask for at least one", file.path()));
  Mapping mapping;
  const int protection = mode == MapMode::read_only ? PROT_READ : PROT_READ | PROT_WRITE;
  const int code = hooked(
      file.hooks(), {IoOp::map, below_root(file.path(), file.root_length()), 0, length}, [&] {
        void* address = ::mmap(nullptr, length, protection, MAP_SHARED, file.descriptor(), 0);
        if (address == MAP_FAILED) return errno;
        mapping.data_ = static_cast<std::byte*>(address);
        return 0;
      });
  if (code != 0)
    return system_error(fmt::format("mapping {} bytes of {}", length, file.path()), code);
  mapping.length_ = length;
  mapping.hooks_ = file.hooks();
  mapping.path_ = file.path();
  mapping.root_length_ = file.root_length();
  return mapping;
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      length_(std::exchange(other.length_, 0)),
      hooks_(std::exchange(other.hooks_, nullptr)),
      path_(std::move(other.path_)),
      root_length_(other.root_length_) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this == &other) return *this;
  if (data_ != nullptr) ::munmap(data_, length_);
  data_ = std::exchange(other.data_, nullptr);
  length_ = std::exchange(other.length_, 0);
  hooks_ = std::exchange(other.hooks_, nullptr);
  path_ = std::move(other.path_);
  root_length_ = other.root_length_;
  return *this;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, length_);
}

Result<void> Mapping::populate_write(std::uint64_t position, std::uint64_t length) const {
  if (length == 0) return {};
  MILLRACE_CHECK(check_range(*this, {position, length}, path_));
  const int code =
      hooked(hooks_, {IoOp::populate, below_root(path_, root_length_), position, length},
             [&] { return advise(data_, widen_to_pages(position, length), MADV_POPULATE_WRITE); });
  if (code != 0)
    return system_error(
        fmt::format("backing {} mapped bytes at {} of {} for writing", length, position, path_),
        code);
  return {};
}

Result<void> Mapping::populate_read(std::uint64_t position, std::uint64_t length) const {
  if (length == 0) return {};
  MILLRACE_CHECK(check_range(*this, {position, length}, path_));
  const int code =
      hooked(hooks_, {IoOp::populate, below_root(path_, root_length_), position, length},
             [&] { return advise(data_, widen_to_pages(position, length), MADV_POPULATE_READ); });
  if (code != 0)
    return system_error(fmt::format("reading {} mapped bytes at {} of {}", length, position, path_),
                        code);
  return {};
}

void Mapping::drop_pages(std::uint64_t position, std::uint64_t length) const noexcept {
  const std::uint64_t page = page_bytes();
  const std::uint64_t begin = (position + page - 1) & ~(page - 1);
  const std::uint64_t end = std::min(position + length, length_) & ~(page - 1);
  if (begin < end) static_cast<void>(::madvise(data_ + begin, end - begin, MADV_DONTNEED));
}

Result<void> Mapping::sync(std::uint64_t position, std::uint64_t length) const {
  if (length == 0) return {};
  MILLRACE_CHECK(check_range(*this, {position, length}, path_));
  const Range pages = widen_to_pages(position, length);
  const int code = hooked(
      hooks_, {IoOp::sync_range, below_root(path_, root_length_), pages.position, pages.length},
      [&] { return ::msync(data_ + pages.position, pages.length, MS_SYNC) == 0 ? 0 : errno; });
  if (code != 0)
    return system_error(fmt::format("syncing {} mapped bytes at {} of {}", length, position, path_),
                        code);
  return {};
}

}  // namespace millrace::inline v0::os

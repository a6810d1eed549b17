#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <millrace/os/file.hpp>
#include <millrace/os/io_hooks.hpp>
#include <utility>

#include "os/system_call.hpp"

namespace millrace::inline v0::os {
namespace {

constexpr std::size_t zero_bytes = std::size_t{1} << 20;

// Not const: lives in .bss, where it costs neither file size nor memory.
std::byte zeros[zero_bytes];

off_t as_offset(std::uint64_t position) noexcept {
  return static_cast<off_t>(position);
}

int write_fully(int fd, Bytes data, std::uint64_t position) noexcept {
  while (!data.empty()) {
    const ssize_t written = retry_interrupted(
        [&] { return ::pwrite(fd, data.data(), data.size(), as_offset(position)); });
    if (written < 0) return errno;
    if (written == 0) return EIO;
    data = data.subspan(static_cast<std::size_t>(written));
    position += static_cast<std::uint64_t>(written);
  }
  return 0;
}

int read_fully(int fd, MutableBytes out, std::uint64_t position, std::size_t& filled) noexcept {
  filled = 0;
  while (filled < out.size()) {
    const ssize_t got = retry_interrupted([&] {
      return ::pread(fd, out.data() + filled, out.size() - filled, as_offset(position + filled));
    });
    if (got < 0) return errno;
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return 0;
}

// The first position at or behind `position` that is in a hole (or in data), up to `end`.
std::uint64_t seek(const File& file, std::uint64_t position, std::uint64_t end,
                   int whence) noexcept {
  const off_t found = ::lseek(file.descriptor(), as_offset(position), whence);
  return found < 0 ? end : std::min(end, static_cast<std::uint64_t>(found));
}

// What fallocate(2) does, for file systems without it: zeros go where nothing was written yet, and
// bytes that are there are not touched, since somebody may be storing into them.
Result<void> fill_holes(File& file, std::uint64_t position, std::uint64_t end, std::uint64_t size) {
  const std::uint64_t old_end = std::min(size, end);
  while (position < old_end) {
    position = seek(file, position, old_end, SEEK_HOLE);
    const std::uint64_t hole_end = seek(file, position, old_end, SEEK_DATA);
    MILLRACE_CHECK(file.write_zeros(position, hole_end - position, zero_bytes));
    position = hole_end;
  }
  return file.write_zeros(position, end - position, zero_bytes);
}

}  // namespace

File::File(int fd, std::string path, IoHooks* hooks, std::size_t root_length) noexcept
    : fd_(fd), hooks_(hooks), path_(std::move(path)), root_length_(root_length) {}

File::File(File&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      hooks_(std::exchange(other.hooks_, nullptr)),
      path_(std::move(other.path_)),
      root_length_(other.root_length_) {}

File& File::operator=(File&& other) noexcept {
  if (this == &other) return *this;
  if (fd_ >= 0) ::close(fd_);
  fd_ = std::exchange(other.fd_, -1);
  hooks_ = std::exchange(other.hooks_, nullptr);
  path_ = std::move(other.path_);
  root_length_ = other.root_length_;
  return *this;
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> File::write_at(Bytes data, std::uint64_t position) {
  const IoCall call{IoOp::write, below_root(path_, root_length_), position, data.size()};
  const int refused = hooks_ == nullptr ? 0 : hooks_->before(call);
  if (refused != 0) data = data.first(std::min(hooks_->short_write(call), data.size()));
  const int written = write_fully(fd_, data, position);
  const int code = refused != 0 ? refused : written;
  if (hooks_ != nullptr) code == 0 ? hooks_->after(call) : hooks_->failed(call, code);
  if (code != 0)
    return system_error(fmt::format("writing {} bytes at {} of {}", call.length, position, path_),
                        code);
  return {};
}

Result<std::size_t> File::read_at(MutableBytes out, std::uint64_t position) const {
  std::size_t filled = 0;
  const int code =
      hooked(hooks_, {IoOp::read, below_root(path_, root_length_), position, out.size()},
             [&] { return read_fully(fd_, out, position, filled); });
  if (code != 0)
    return system_error(fmt::format("reading {} bytes at {} of {}", out.size(), position, path_),
                        code);
  return filled;
}

Result<std::string> File::read_all(std::uint64_t limit_bytes) const {
  constexpr std::size_t piece_bytes = 1u << 16;
  std::string content;
  for (;;) {
    const std::size_t start = content.size();
    content.resize(start + piece_bytes);
    MutableBytes rest{reinterpret_cast<std::byte*>(content.data()) + start, piece_bytes};
    MILLRACE_TRY(const std::size_t got, read_at(rest, start));
    content.resize(start + got);
    if (content.size() > limit_bytes)
      return Error(Errc::corrupt_data,
                   fmt::format("reading {}: it is larger than {} bytes, which no such file is; "
                               "move it away or restore it from a copy",
                               path_, limit_bytes));
    if (got < piece_bytes) return content;
  }
}

Result<void> File::reserve(std::uint64_t position, std::uint64_t length) {
  if (length == 0) return {};
  struct stat before {};
  const bool known = ::fstat(fd_, &before) == 0;
  const int code =
      hooked(hooks_, {IoOp::reserve, below_root(path_, root_length_), position, length}, [&] {
        return code_of([&] { return ::fallocate(fd_, 0, as_offset(position), as_offset(length)); });
      });
  if (code == 0) return {};
  const std::string doing = fmt::format("reserving {} bytes at {} of {}", length, position, path_);
  Result<void> outcome = system_error(doing, code);
  if (known && (code == EOPNOTSUPP || code == ENOSYS))
    outcome =
        fill_holes(*this, position, position + length, static_cast<std::uint64_t>(before.st_size));
  // Running out half-way may have extended the file; what was asked for is all or nothing.
  struct stat now {};
  if (!outcome && known && ::fstat(fd_, &now) == 0 && now.st_size > before.st_size)
    static_cast<void>(code_of([&] { return ::ftruncate(fd_, before.st_size); }));
  return outcome;
}

Result<void> File::write_zeros(std::uint64_t position, std::uint64_t length,
                               std::size_t piece_bytes) {
  const std::size_t piece = std::clamp<std::size_t>(piece_bytes, 1, zero_bytes);
  for (const std::uint64_t end = position + length; position < end;) {
    const std::size_t now = std::min<std::uint64_t>(piece, end - position);
    MILLRACE_CHECK(write_at({zeros, now}, position));
    position += now;
  }
  return {};
}

Result<void> File::resize(std::uint64_t length) {
  const int code = hooked(hooks_, {IoOp::resize, below_root(path_, root_length_), 0, length}, [&] {
    return code_of([&] { return ::ftruncate(fd_, as_offset(length)); });
  });
  if (code != 0) return system_error(fmt::format("resizing {} to {} bytes", path_, length), code);
  return {};
}

Result<void> File::sync() {
  // Not repeated when interrupted: after any failure the kernel may have dropped dirty pages.
  const int code = hooked(hooks_, {IoOp::sync_data, below_root(path_, root_length_)},
                          [&] { return ::fdatasync(fd_) == 0 ? 0 : errno; });
  if (code != 0) return system_error(fmt::format("syncing {} to the disk", path_), code);
  return {};
}

Result<void> File::drop_cache() {
  const int code = hooked(hooks_, {IoOp::drop_cache, below_root(path_, root_length_)},
                          [&] { return ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED); });
  if (code != 0) return system_error(fmt::format("dropping cached pages of {}", path_), code);
  return {};
}

namespace {

Result<struct stat> metadata(const File& file) {
  struct stat found {};
  const int code = hooked(file.hooks(), {IoOp::size, below_root(file.path(), file.root_length())},
                          [&] { return ::fstat(file.descriptor(), &found) == 0 ? 0 : errno; });
  if (code != 0) return system_error(fmt::format("asking for the size of {}", file.path()), code);
  return found;
}

}  // namespace

Result<std::uint64_t> File::size() const {
  MILLRACE_TRY(const auto found, metadata(*this));
  return static_cast<std::uint64_t>(found.st_size);
}

Result<std::uint64_t> File::allocated_bytes() const {
  MILLRACE_TRY(const auto found, metadata(*this));
  return static_cast<std::uint64_t>(found.st_blocks) * 512;
}

Result<Timestamp> File::modified() const {
  MILLRACE_TRY(const auto found, metadata(*this));
  return Timestamp{std::int64_t{found.st_mtim.tv_sec} * 1000 + found.st_mtim.tv_nsec / 1'000'000};
}

}  // namespace millrace::inline v0::os

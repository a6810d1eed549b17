#include <millrace/storage/index_file.hpp>

#include <algorithm>
#include <cstring>

namespace millrace::inline v0::storage {
namespace {
constexpr std::uint64_t page_bytes = 4096;
}

Result<void> IndexFile::open(const os::DirectoryPtr& directory, std::string name, IndexMode mode,
                             std::size_t entry_bytes, std::uint64_t limit_bytes) {
  directory_ = directory;
  name_ = std::move(name);
  mode_ = mode;
  entry_bytes_ = entry_bytes;
  limit_bytes_ = limit_bytes / entry_bytes * entry_bytes;
  MILLRACE_TRY(os::File file, directory->open(name_, mode == IndexMode::active
                                                         ? os::OpenMode::create
                                                         : os::OpenMode::read_only));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  if (mode == IndexMode::sealed && size % entry_bytes != 0) {
    return Error(Errc::corrupt_data, "index " + file.path() + " has " + std::to_string(size) +
                                         " bytes, no multiple of " + std::to_string(entry_bytes) +
                                         "; it is derived data and can be deleted");
  }
  limit_bytes_ = std::max(limit_bytes_, size);
  return map(file, size);
}

Result<void> IndexFile::map(const os::File& file, std::uint64_t size) {
  const bool writable = mode_ == IndexMode::active;
  const std::uint64_t length = mode_ == IndexMode::sealed ? size : limit_bytes_;
  if (length != 0) {
    MILLRACE_TRY(map_, os::Mapping::map(file, length, writable ? os::MapMode::read_write
                                                               : os::MapMode::read_only));
  }
  reserved_ = size;
  if (size != 0) MILLRACE_CHECK(map_.populate_read(0, size));
  count_.store(mode_ == IndexMode::sealed ? size / entry_bytes_ : find_count(size),
               std::memory_order_release);
  return {};
}

std::size_t IndexFile::find_count(std::uint64_t size) const noexcept {
  // Entries are non-zero, except that the very first may be, and are followed by zeros.
  const auto is_zero = [&](std::size_t i) {
    const std::byte* at = entry(i);
    return std::all_of(at, at + entry_bytes_, [](std::byte b) { return b == std::byte{0}; });
  };
  std::size_t low = 0;
  std::size_t high = size / entry_bytes_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (is_zero(middle) && middle != 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low == 1 && is_zero(0) ? 0 : low;
}

Result<void> IndexFile::reserve(std::size_t entries) {
  const std::uint64_t wanted = std::min(entries * entry_bytes_, limit_bytes_);
  const std::uint64_t reserved = reserved_.load();
  if (wanted <= reserved) return {};
  const std::uint64_t end =
      std::min((wanted + page_bytes - 1) / page_bytes * page_bytes, limit_bytes_);
  MILLRACE_TRY(os::File file, directory_->open(name_, os::OpenMode::read_write));
  MILLRACE_CHECK(file.reserve(reserved, end - reserved));
  MILLRACE_CHECK(file.write_zeros(reserved, end - reserved, page_bytes));
  MILLRACE_CHECK(map_.populate_write(reserved, end - reserved));
  reserved_.store(end);
  return {};
}

Result<void> IndexFile::truncate(std::size_t entries) {
  const std::uint64_t reserved = reserved_.load();
  const std::size_t had = std::max<std::size_t>(count(), reserved / entry_bytes_);
  if (entries >= had) return {};
  count_.store(std::min(entries, count()), std::memory_order_release);
  MILLRACE_CHECK(map_.populate_write(0, reserved));
  std::memset(map_.data() + entries * entry_bytes_, 0, reserved - entries * entry_bytes_);
  return {};
}

Result<void> IndexFile::refresh() {
  MILLRACE_TRY(os::File file, directory_->open(name_, os::OpenMode::read_only));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  reserved_ = std::min(size, limit_bytes_);
  count_.store(find_count(reserved_), std::memory_order_release);
  return {};
}

Result<void> IndexFile::seal(bool sync) {
  MILLRACE_TRY(os::File file, directory_->open(name_, os::OpenMode::read_write));
  MILLRACE_CHECK(file.resize(count() * entry_bytes_));
  reserved_ = count() * entry_bytes_;
  if (sync) return file.sync();
  return {};
}

}  // namespace millrace::inline v0::storage

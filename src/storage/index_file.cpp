#include <algorithm>
#include <array>
#include <cstring>
#include <millrace/storage/index_file.hpp>

namespace millrace::inline v0::storage {
namespace {

constexpr std::uint64_t page_bytes = 4096;

/// The number of entries below `limit`: they are non-zero, except that the very first may be, and
/// are followed by zeros.
template <typename IsZero>
Result<std::size_t> find_count(std::size_t limit, IsZero is_zero) {
  std::size_t low = 0;
  std::size_t high = limit;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    MILLRACE_TRY(const bool zero, is_zero(middle));
    if (zero && middle != 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  if (low != 1) return low;
  MILLRACE_TRY(const bool zero, is_zero(0));
  return std::size_t{zero ? 0u : 1u};
}

bool all_zero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

Result<void> IndexFile::open(const os::DirectoryPtr& directory, std::string name, IndexMode mode,
                             std::size_t entry_bytes, std::uint64_t limit_bytes) {
  directory_ = directory;
  name_ = std::move(name);
  mode_ = mode;
  entry_bytes_ = entry_bytes;
  limit_bytes_ = limit_bytes / entry_bytes * entry_bytes;
  MILLRACE_TRY(os::File file,
               directory->open(name_, mode == IndexMode::active ? os::OpenMode::create
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
    MILLRACE_TRY(map_,
                 os::Mapping::map(file, length,
                                  writable ? os::MapMode::read_write : os::MapMode::read_only));
  }
  reserved_ = size;
  if (mode_ == IndexMode::attached) return take_count(file, size);
  if (size != 0) MILLRACE_CHECK(map_.populate_read(0, size));
  std::size_t count = size / entry_bytes_;
  if (mode_ == IndexMode::active) {
    MILLRACE_TRY(count, count_in_map(size));
  }
  count_.store(count, std::memory_order_release);
  return {};
}

Result<std::size_t> IndexFile::count_in_map(std::uint64_t size) const {
  return find_count(size / entry_bytes_, [&](std::size_t i) -> Result<bool> {
    return all_zero(Bytes(entry(i), entry_bytes_));
  });
}

Result<void> IndexFile::take_count(const os::File& file, std::uint64_t size) {
  // By system calls: the owner may cut the file to its entries meanwhile, and a map that is touched
  // behind them is a SIGBUS.
  MILLRACE_TRY(const std::size_t count,
               find_count(size / entry_bytes_, [&](std::size_t i) -> Result<bool> {
                 std::array<std::byte, 16> entry{};
                 const MutableBytes bytes = MutableBytes(entry).first(entry_bytes_);
                 MILLRACE_TRY(const std::size_t got, file.read_at(bytes, i * entry_bytes_));
                 return got < entry_bytes_ || all_zero(bytes);
               }));
  count_.store(count, std::memory_order_release);
  return {};
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
  was_cut_ |= entries < count();
  count_.store(std::min(entries, count()), std::memory_order_release);
  MILLRACE_CHECK(map_.populate_write(0, reserved));
  std::memset(map_.data() + entries * entry_bytes_, 0, reserved - entries * entry_bytes_);
  return {};
}

Result<void> IndexFile::refresh() {
  MILLRACE_TRY(os::File file, directory_->open(name_, os::OpenMode::read_only));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  reserved_ = std::min(size, limit_bytes_);
  return take_count(file, reserved_);
}

Result<void> IndexFile::seal(bool sync) {
  if (was_cut_) {
    // Attachments may still look at entries that are gone, so their file must keep its length.
    const auto* text = reinterpret_cast<const char*>(map_.data());
    MILLRACE_CHECK(directory_->replace_file(name_, std::string_view(text, count() * entry_bytes_)));
    was_cut_ = false;
  }
  MILLRACE_TRY(os::File file, directory_->open(name_, os::OpenMode::read_write));
  MILLRACE_CHECK(file.resize(count() * entry_bytes_));
  reserved_ = count() * entry_bytes_;
  if (sync) return file.sync();
  return {};
}

}  // namespace millrace::inline v0::storage

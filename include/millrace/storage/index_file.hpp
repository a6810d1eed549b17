#pragma once
#include <atomic>
#include <millrace/os/directory.hpp>
#include <millrace/os/mapping.hpp>
#include <string>

namespace millrace::inline v0::storage {

/// How an index file is opened.
enum class IndexMode : std::uint8_t {
  active,    ///< created if missing; grows by append
  sealed,    ///< complete, read-only
  attached,  ///< somebody else's, perhaps growing, read-only
};

/// A file of fixed-size entries behind a map: what the offset index and the time index share. One
/// writer; any number of readers, lock-free: they see the first count() entries.
class IndexFile {
 public:
  /// `limit_bytes` is how far an active or attached file may grow. Sealed files whose size is no
  /// multiple of `entry_bytes` are corrupt_data.
  Result<void> open(const os::DirectoryPtr& directory, std::string name, IndexMode mode,
                    std::size_t entry_bytes, std::uint64_t limit_bytes);

  std::size_t count() const noexcept { return count_.load(std::memory_order_acquire); }
  std::size_t capacity() const noexcept {
    return reserved_.load(std::memory_order_relaxed) / entry_bytes_;
  }
  std::size_t limit() const noexcept { return limit_bytes_ / entry_bytes_; }
  const std::byte* entry(std::size_t i) const noexcept { return map_.data() + i * entry_bytes_; }

  /// Makes room for `entries` in all; may fail with no_space, changing nothing.
  Result<void> reserve(std::size_t entries);
  /// Where to store the next entry; room must have been reserved. publish() then makes it visible.
  std::byte* next_entry() noexcept { return map_.data() + count() * entry_bytes_; }
  void publish() noexcept { count_.store(count() + 1, std::memory_order_release); }
  /// Forgets entries from `entries` on, zeroing them.
  Result<void> truncate(std::size_t entries);
  /// An attached file: looks again how many entries there are.
  Result<void> refresh();
  /// Cuts the file to its entries; with `sync`, makes it durable.
  Result<void> seal(bool sync);

 private:
  Result<void> map(const os::File& file, std::uint64_t size);
  Result<std::size_t> count_in_map(std::uint64_t size) const;
  Result<void> take_count(const os::File& file, std::uint64_t size);

  os::DirectoryPtr directory_;
  std::string name_;
  IndexMode mode_ = IndexMode::sealed;
  std::size_t entry_bytes_ = 1;
  std::uint64_t limit_bytes_ = 0;
  bool was_cut_ = false;  // truncated since it was opened
  std::atomic<std::uint64_t> reserved_{0};
  std::atomic<std::size_t> count_{0};
  os::Mapping map_;
};

}  // namespace millrace::inline v0::storage

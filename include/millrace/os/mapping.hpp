#pragma once
#include <millrace/os/file.hpp>

namespace millrace::inline v0::os {

enum class MapMode : std::uint8_t { read_only, read_write };

/// A shared mapping of the first `length` bytes of a file. `length` may exceed the file's size:
/// bytes beyond it must not be touched until the file has grown. Move-only; unmaps on destruction.
/// Outlives the File it was made from, and an unlink or rename of the name.
class Mapping {
 public:
  Mapping() noexcept = default;
  static Result<Mapping> map(const File& file, std::uint64_t length, MapMode mode);
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  bool is_mapped() const noexcept { return data_ != nullptr; }
  std::byte* data() const noexcept { return data_; }
  std::uint64_t length() const noexcept { return length_; }

  /// Faults pages in for writing ahead of the writer (MADV_POPULATE_WRITE; a no-op on kernels
  /// before 5.14). A failure to back the pages is an error here instead of a SIGBUS later.
  Result<void> populate_write(std::uint64_t position, std::uint64_t length) const;
  /// Faults pages in for reading: turns a bad disk sector into an io_error instead of a SIGBUS.
  Result<void> populate_read(std::uint64_t position, std::uint64_t length) const;
  /// Drops the whole pages of the range from the page table, all at once (MADV_DONTNEED); the file
  /// keeps what was stored, and the next access faults them in. A sync of many pages that are
  /// mapped for writing interrupts every processor that runs this process once for each of them.
  void drop_pages(std::uint64_t position, std::uint64_t length) const noexcept;
  /// msync(2) MS_SYNC of the range, widened to whole pages: those bytes are durable on success.
  Result<void> sync(std::uint64_t position, std::uint64_t length) const;

 private:
  std::byte* data_ = nullptr;
  std::uint64_t length_ = 0;
  IoHooks* hooks_ = nullptr;
  std::string path_;
  std::size_t root_length_ = 0;
};

}  // namespace millrace::inline v0::os

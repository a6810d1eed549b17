#pragma once
#include <millrace/os/directory.hpp>
#include <millrace/os/mapping.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::storage {

/// The bytes of a whole file for reading once. Pages that the disk does not give back are zeros.
class FileBytes {
 public:
  static Result<FileBytes> open(const os::DirectoryPtr& directory, const std::string& name);
  Bytes bytes() const noexcept { return bytes_; }
  /// Bytes that could not be read.
  std::uint64_t unreadable() const noexcept { return unreadable_; }

 private:
  Result<void> copy_pages(const os::File& file, std::uint64_t size);

  os::Mapping map_;
  std::vector<std::byte> copy_;
  Bytes bytes_;
  std::uint64_t unreadable_ = 0;
};

}  // namespace millrace::inline v0::storage

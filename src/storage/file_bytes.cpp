#include "storage/file_bytes.hpp"

#include <algorithm>

namespace millrace::inline v0::storage {
namespace {
constexpr std::size_t page_bytes = 4096;
}

Result<FileBytes> FileBytes::open(const os::DirectoryPtr& directory, const std::string& name) {
  FileBytes content;
  MILLRACE_TRY(const os::File file, directory->open(name, os::OpenMode::read_only));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  if (size == 0) return content;
  MILLRACE_TRY(content.map_, os::Mapping::map(file, size, os::MapMode::read_only));
  if (content.map_.populate_read(0, size)) {
    content.bytes_ = Bytes(content.map_.data(), size);
    return content;
  }
  MILLRACE_CHECK(content.copy_pages(file, size));
  return content;
}

Result<void> FileBytes::copy_pages(const os::File& file, std::uint64_t size) {
  copy_.resize(size);
  for (std::uint64_t at = 0; at < size; at += page_bytes) {
    const MutableBytes page =
        MutableBytes(copy_).subspan(at, std::min<std::uint64_t>(page_bytes, size - at));
    if (file.read_at(page, at)) continue;
    std::fill(page.begin(), page.end(), std::byte{0});
    unreadable_ += page.size();
  }
  bytes_ = copy_;
  return {};
}

}  // namespace millrace::inline v0::storage

// Any bytes as an offset index and as a time index: open, check, look up.
#include <cstdlib>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/offset_index.hpp>
#include <millrace/storage/time_index.hpp>

using namespace millrace;
using namespace millrace::storage;

namespace {

constexpr Offset base{1000};
constexpr std::uint64_t limit_bytes = 4096;

void require(bool promise) {
  if (!promise) std::abort();
}

void check_offsets(const os::DirectoryPtr& directory, IndexMode mode) {
  OffsetIndex index;
  if (!index.open(directory, base, mode, limit_bytes)) return;
  const bool in_order = index.check(FilePosition{1u << 30}).has_value();
  for (std::size_t i = 0; i < index.file().count(); i += 1 + i / 8) {
    const OffsetEntry entry = index.entry(i);
    const std::size_t below = index.entries_below(entry.offset);
    require(below <= index.file().count());
    if (!in_order) continue;
    require(below == i);
    require(index.at_or_below(entry.offset)->offset == entry.offset);
  }
}

void check_times(const os::DirectoryPtr& directory, IndexMode mode) {
  TimeIndex index;
  if (!index.open(directory, base, mode, limit_bytes)) return;
  const bool in_order = index.check().has_value();
  for (std::size_t i = 0; i < index.file().count(); i += 1 + i / 8) {
    const std::size_t below = index.entries_below(index.entry(i).timestamp);
    require(below <= index.file().count());
    if (in_order) require(below == i);
  }
  require(index.last().has_value() == (index.file().count() != 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto directory = os::make_memory_directory();
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  for (const auto suffix : {offset_index_suffix, time_index_suffix}) {
    auto file = directory->open(file_name(base, suffix), os::OpenMode::create);
    if (!file || !file->write_at(bytes, 0)) return 0;
  }
  for (const auto mode : {IndexMode::sealed, IndexMode::attached, IndexMode::active}) {
    check_offsets(directory, mode);
    check_times(directory, mode);
  }
  return 0;
}

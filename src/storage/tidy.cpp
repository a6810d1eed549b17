#include <millrace/storage/tidy.hpp>

#include <algorithm>
#include <array>

#include <millrace/os/mapping.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/storage/file_names.hpp>

namespace millrace::inline v0::storage {
namespace {

constexpr std::array derived_suffixes = {offset_index_suffix, time_index_suffix,
                                         transaction_index_suffix};

bool is_leftover(std::string_view name) {
  return name.ends_with(deleted_suffix) || name.ends_with(cleaned_suffix) ||
         name.ends_with(".tmp");
}

/// The last offset that a complete replacement segment covers.
Result<Offset> last_offset_of(const os::DirectoryPtr& directory, const std::string& name,
                              Offset base) {
  MILLRACE_TRY(os::File file, directory->open(name, os::OpenMode::read_only));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  Offset last = base - 1;
  if (size == 0) return last;
  MILLRACE_TRY(os::Mapping map, os::Mapping::map(file, size, os::MapMode::read_only));
  MILLRACE_CHECK(map.populate_read(0, size));
  for (std::uint64_t position = 0; position < size;) {
    const auto batch = record::BatchView::try_parse(Bytes(map.data() + position, size - position));
    if (batch.size() == 0) break;
    last = batch.last_offset();
    position += batch.size();
  }
  return last;
}

Result<void> finish_swap(const os::DirectoryPtr& directory, const std::string& name,
                         std::vector<Offset>& bases) {
  const std::string log_name = name.substr(0, name.size() - swap_suffix.size());
  const auto base = parse_file_name(log_name, log_suffix);
  if (!base) return directory->remove(name);
  MILLRACE_TRY(const Offset last, last_offset_of(directory, name, *base));
  for (const Offset other : bases) {
    if (other > *base && other <= last) MILLRACE_CHECK(remove_segment_files(directory, other));
  }
  std::erase_if(bases, [&](Offset other) { return other > *base && other <= last; });
  for (const auto suffix : derived_suffixes) {
    MILLRACE_CHECK(directory->remove(file_name(*base, suffix)));
  }
  MILLRACE_CHECK(directory->rename(name, log_name));
  if (!std::binary_search(bases.begin(), bases.end(), *base)) {
    bases.insert(std::upper_bound(bases.begin(), bases.end(), *base), *base);
  }
  return directory->sync();
}

}  // namespace

Result<void> remove_segment_files(const os::DirectoryPtr& directory, Offset base) {
  MILLRACE_CHECK(directory->remove(file_name(base, log_suffix)));
  for (const auto suffix : derived_suffixes) {
    MILLRACE_CHECK(directory->remove(file_name(base, suffix)));
  }
  return {};
}

Result<std::vector<Offset>> tidy_segment_files(const os::DirectoryPtr& directory) {
  MILLRACE_TRY(const auto entries, directory->list());
  std::vector<Offset> bases;
  for (const auto& entry : entries) {
    if (const auto base = parse_file_name(entry.name, log_suffix)) bases.push_back(*base);
  }
  std::sort(bases.begin(), bases.end());
  for (const auto& entry : entries) {
    if (is_leftover(entry.name)) MILLRACE_CHECK(directory->remove(entry.name));
  }
  std::vector<std::string> swaps;
  for (const auto& entry : entries) {
    if (entry.name.ends_with(swap_suffix)) swaps.push_back(entry.name);
  }
  std::sort(swaps.begin(), swaps.end());
  for (const auto& name : swaps) MILLRACE_CHECK(finish_swap(directory, name, bases));
  for (const auto& entry : entries) {
    for (const auto suffix : derived_suffixes) {
      const auto base = parse_file_name(entry.name, suffix);
      if (base && !std::binary_search(bases.begin(), bases.end(), *base)) {
        MILLRACE_CHECK(directory->remove(entry.name));
      }
    }
  }
  return bases;
}

}  // namespace millrace::inline v0::storage

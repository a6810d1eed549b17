#include <algorithm>
#include <array>
#include <charconv>
#include <millrace/core/crc32c.hpp>
#include <millrace/os/mapping.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/storage/checkpoint.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/tidy.hpp>

namespace millrace::inline v0::storage {
namespace {

/// Of a segment whose log is exchanged. Its transaction index may stay: at worst it names
/// transactions that have no records any more.
constexpr std::array index_suffixes = {offset_index_suffix, time_index_suffix};
constexpr std::array derived_suffixes = {offset_index_suffix, time_index_suffix,
                                         transaction_index_suffix};

bool is_leftover(std::string_view name) {
  return name.ends_with(deleted_suffix) || name.ends_with(cleaned_suffix) || name.ends_with(".tmp");
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
  for (const auto suffix : index_suffixes) {
    MILLRACE_CHECK(directory->remove(file_name(*base, suffix)));
  }
  MILLRACE_CHECK(directory->rename(name, log_name));
  if (!std::binary_search(bases.begin(), bases.end(), *base)) {
    bases.insert(std::upper_bound(bases.begin(), bases.end(), *base), *base);
  }
  return directory->sync();
}

/// What finishing an exchange comes to if it is not known which: segments within others go.
Result<void> remove_overlaps(const os::DirectoryPtr& directory, const std::vector<Offset>& bases) {
  Offset covered{-1};
  for (const Offset base : bases) {
    if (base <= covered) {
      MILLRACE_CHECK(remove_segment_files(directory, base));
      continue;
    }
    MILLRACE_TRY(covered, last_offset_of(directory, file_name(base, log_suffix), base));
    for (const auto suffix : index_suffixes) {
      MILLRACE_CHECK(directory->remove(file_name(base, suffix)));
    }
  }
  return {};
}

std::vector<Offset> bases_in(const std::vector<os::DirectoryEntry>& entries) {
  std::vector<Offset> bases;
  for (const auto& entry : entries) {
    if (const auto base = parse_file_name(entry.name, log_suffix)) bases.push_back(*base);
  }
  std::sort(bases.begin(), bases.end());
  return bases;
}

std::string describe_exchange(OffsetRange segments) {
  const std::string offsets =
      std::to_string(segments.begin.value()) + " " + std::to_string(segments.end.value());
  return offsets + " " + std::to_string(crc32c(as_bytes(offsets)));
}

std::optional<OffsetRange> parse_exchange(const std::string& text) {
  const auto lines = parse_checkpoint(text, exchange_file_name);
  if (!lines || lines->size() != 1) return std::nullopt;
  const char* const last = lines->front().data() + lines->front().size();
  std::int64_t begin = 0;
  std::int64_t end = 0;
  const auto first = std::from_chars(lines->front().data(), last, begin);
  if (first.ec != std::errc{} || first.ptr == last) return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, last, end);
  if (second.ec != std::errc{}) return std::nullopt;
  const OffsetRange segments{Offset{begin}, Offset{end}};
  // With other offsets it would take segments away that are whole.
  if (lines->front() != describe_exchange(segments)) return std::nullopt;
  return segments;
}

}  // namespace

Result<void> begin_exchange(const os::DirectoryPtr& directory, OffsetRange segments) {
  return directory->replace_file(exchange_file_name,
                                 format_checkpoint({describe_exchange(segments)}));
}

Result<void> end_exchange(const os::DirectoryPtr& directory) {
  // What was removed must be gone for good first: names may become durable in any order, and
  // nothing else tells a replaced segment from one that counts.
  MILLRACE_CHECK(directory->sync());
  MILLRACE_CHECK(directory->remove(exchange_file_name));
  return directory->sync();
}

Result<Exchange> read_exchange(const os::DirectoryPtr& directory) {
  Exchange exchange;
  MILLRACE_TRY(exchange.is_announced, directory->exists(exchange_file_name));
  if (!exchange.is_announced) return exchange;
  MILLRACE_TRY(const std::string text, directory->read_file(exchange_file_name));
  exchange.segments = parse_exchange(text);
  if (!exchange.segments) return exchange;
  MILLRACE_TRY(
      exchange.is_undone,
      directory->exists(file_name(exchange.segments->begin, log_suffix).append(cleaned_suffix)));
  return exchange;
}

Result<void> finish_exchange(const os::DirectoryPtr& directory) {
  MILLRACE_TRY(const Exchange exchange, read_exchange(directory));
  if (!exchange.is_announced) return {};
  // Taken back before the cleaned file goes: without it this would look like a finished exchange.
  if (exchange.is_undone) return end_exchange(directory);
  MILLRACE_TRY(const auto entries, directory->list());
  const auto bases = bases_in(entries);
  const auto& segments = exchange.segments;
  if (!segments) {
    MILLRACE_CHECK(remove_overlaps(directory, bases));
    return end_exchange(directory);
  }
  for (const Offset base : bases) {
    if (base > segments->begin && base < segments->end) {
      MILLRACE_CHECK(remove_segment_files(directory, base));
    }
  }
  for (const auto suffix : index_suffixes) {  // perhaps still those of the old log
    MILLRACE_CHECK(directory->remove(file_name(segments->begin, suffix)));
  }
  return end_exchange(directory);
}

Result<void> remove_segment_files(const os::DirectoryPtr& directory, Offset base) {
  MILLRACE_CHECK(directory->remove(file_name(base, log_suffix)));
  for (const auto suffix : derived_suffixes) {
    MILLRACE_CHECK(directory->remove(file_name(base, suffix)));
  }
  return {};
}

Result<std::vector<Offset>> tidy_segment_files(const os::DirectoryPtr& directory) {
  MILLRACE_CHECK(finish_exchange(directory));
  MILLRACE_TRY(const auto entries, directory->list());
  std::vector<Offset> bases = bases_in(entries);
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

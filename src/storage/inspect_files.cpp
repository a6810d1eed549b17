#include "storage/inspect_files.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/tidy.hpp>

#include "storage/file_bytes.hpp"

namespace millrace::inline v0::storage {
namespace {

constexpr std::string_view side_mark = ".damaged-";
constexpr std::array derived_suffixes = {offset_index_suffix, time_index_suffix,
                                         transaction_index_suffix};

bool is_leftover(std::string_view name) {
  return name.ends_with(deleted_suffix) || name.ends_with(cleaned_suffix) ||
         name.ends_with(swap_suffix) || name.ends_with(".tmp") || name == exchange_file_name;
}

Result<Offset> next_offset_of(const os::DirectoryPtr& directory, const std::string& name,
                              Offset base) {
  MILLRACE_TRY(const FileBytes file, FileBytes::open(directory, name));
  BatchScan scan(file.bytes(), base);
  while (scan.next() != BatchScan::Step::end) {
  }
  return scan.expected();
}

using SegmentFiles = std::vector<PartitionFiles::SegmentFile>;

/// Leaves out what finishing an announced exchange takes away.
Result<void> apply_exchange(const os::DirectoryPtr& directory, PartitionFiles& files) {
  MILLRACE_TRY(const auto exchange, read_exchange(directory));
  if (!exchange.is_announced || exchange.is_undone) return {};
  Offset covered{0};
  SegmentFiles kept;
  for (auto& segment : files.segments) {
    const bool goes = exchange.segments ? segment.base > exchange.segments->begin &&
                                              segment.base < exchange.segments->end
                                        : segment.base < covered;
    if (goes) {
      files.leftovers.push_back(segment.name);
      continue;
    }
    segment.has_old_indexes = !exchange.segments || segment.base == exchange.segments->begin;
    if (!exchange.segments) {
      MILLRACE_TRY(covered, next_offset_of(directory, segment.name, segment.base));
    }
    kept.push_back(segment);
  }
  files.segments = std::move(kept);
  return {};
}

}  // namespace

Offset limit_of_segment(const os::DirectoryPtr& directory, const SegmentFiles& segments,
                        std::size_t index, const KnownState& known) {
  while (++index < segments.size()) {
    const auto content = FileBytes::open(directory, segments[index].name);
    if (!content || end_of_content(content->bytes(), 0) != 0) return segments[index].base;
  }
  // What was not published before the owner was killed does not count.
  return known.is_same_run ? known.log_end : Offset{std::numeric_limits<std::int64_t>::max()};
}

Result<PartitionFiles> list_partition(const os::DirectoryPtr& directory) {
  MILLRACE_TRY(auto entries, directory->list());
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  PartitionFiles files;
  std::vector<PartitionFiles::SegmentFile> replacements;
  for (const auto& entry : entries) {
    const std::string& name = entry.name;
    if (const auto base = parse_file_name(name, log_suffix)) {
      files.segments.push_back({*base, name, false});
    } else if (name.find(side_mark) != std::string::npos) {
      files.side_files.push_back(name);
    } else if (is_leftover(name)) {
      files.leftovers.push_back(name);
      const auto suffix = std::string(log_suffix).append(swap_suffix);
      if (const auto replaced = parse_file_name(name, suffix)) {
        replacements.push_back({*replaced, name, true});
      }
    }
  }
  MILLRACE_CHECK(apply_exchange(directory, files));
  for (const auto& replacement : replacements) {
    MILLRACE_TRY(const Offset next, next_offset_of(directory, replacement.name, replacement.base));
    std::erase_if(files.segments, [&](const auto& segment) {
      return segment.base >= replacement.base &&
             (segment.base == replacement.base || segment.base < next);
    });
    files.segments.push_back(replacement);
  }
  std::sort(files.segments.begin(), files.segments.end(),
            [](const auto& a, const auto& b) { return a.base < b.base; });
  for (const auto& entry : entries) {
    for (const auto suffix : derived_suffixes) {
      const auto base = parse_file_name(entry.name, suffix);
      const auto is_its = [&](const auto& segment) { return segment.base == *base; };
      if (base && std::none_of(files.segments.begin(), files.segments.end(), is_its)) {
        files.orphans.push_back(entry.name);
      }
    }
  }
  return files;
}

std::vector<OffsetRange> merged(std::vector<OffsetRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const auto& a, const auto& b) { return a.begin < b.begin; });
  std::vector<OffsetRange> joined;
  for (const OffsetRange& range : ranges) {
    if (!joined.empty() && range.begin <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, range.end);
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

std::string side_file_name(const std::string& log, std::uint64_t position) {
  return log + std::string(side_mark) + std::to_string(position);
}

}  // namespace millrace::inline v0::storage

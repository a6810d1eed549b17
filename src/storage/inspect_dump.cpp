#include <algorithm>
#include <limits>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/inspect.hpp>
#include <millrace/storage/producer_snapshot.hpp>
#include <millrace/storage/transaction_index.hpp>

#include "storage/file_bytes.hpp"
#include "storage/inspect_files.hpp"

namespace millrace::inline v0::storage {

namespace {

/// Calls `visit(entry bytes, position)` up to the first entry that was never used.
template <typename Visit>
Result<bool> for_each_entry(const os::DirectoryPtr& directory, const std::string& name,
                            std::size_t entry_bytes, Visit&& visit) {
  MILLRACE_TRY(const bool exists, directory->exists(name));
  if (!exists) return true;
  MILLRACE_TRY(const FileBytes content, FileBytes::open(directory, name));
  const Bytes bytes = content.bytes();
  const std::uint64_t end = end_of_content(bytes, 0);
  for (std::uint64_t at = 0; at < end && at + entry_bytes <= bytes.size(); at += entry_bytes) {
    if (!visit(bytes.data() + at, FilePosition{at})) return false;
  }
  return true;
}

using VisitIndex = std::function<bool(const IndexItem&)>;

bool dump_transactions(const os::DirectoryPtr& directory, Offset base, const VisitIndex& visit) {
  const std::string name = file_name(base, transaction_index_suffix);
  const auto transactions = read_transaction_index(directory, base);
  if (!transactions) return visit({name, FilePosition{0}, transactions.error()});
  std::uint64_t position = 0;
  for (const AbortedTransaction& one : *transactions) {
    if (!visit({name, FilePosition{position}, one})) return false;
    position += transaction_entry_bytes;
  }
  return true;
}

Result<void> dump_snapshots(const os::DirectoryPtr& directory, const VisitIndex& visit) {
  MILLRACE_TRY(const auto entries, directory->list());
  std::vector<Offset> ends;
  for (const auto& entry : entries) {
    if (const auto end = parse_file_name(entry.name, snapshot_suffix)) ends.push_back(*end);
  }
  std::sort(ends.begin(), ends.end());
  for (const Offset end : ends) {
    const std::string name = file_name(end, snapshot_suffix);
    const auto producers = read_snapshot(directory, end);
    if (!producers && !visit({name, FilePosition{0}, producers.error()})) return {};
    for (const auto& one : producers ? *producers : std::vector<ProducerSummary>()) {
      if (!visit({name, FilePosition{0}, one})) return {};
    }
  }
  return {};
}

}  // namespace

Result<void> dump_indexes(const os::DirectoryPtr& directory,
                          const std::function<bool(const IndexItem&)>& visit) {
  MILLRACE_TRY(const PartitionFiles files, list_partition(directory));
  for (const auto& [base, log, has_old_indexes] : files.segments) {
    const std::string offsets = file_name(base, offset_index_suffix);
    const std::string times = file_name(base, time_index_suffix);
    const auto visit_offset = [&, from = base](const std::byte* at, FilePosition position) {
      return visit({offsets, position,
                    OffsetEntry{from + load_big<std::int32_t>(at),
                                FilePosition{load_big<std::uint32_t>(at + 4)}}});
    };
    const auto visit_time = [&, from = base](const std::byte* at, FilePosition position) {
      return visit({times, position,
                    TimeEntry{Timestamp{load_big<std::int64_t>(at)},
                              from + load_big<std::int32_t>(at + 8)}});
    };
    MILLRACE_TRY(const bool more_offsets,
                 for_each_entry(directory, offsets, OffsetIndex::entry_bytes, visit_offset));
    if (!more_offsets) return {};
    MILLRACE_TRY(const bool more_times,
                 for_each_entry(directory, times, TimeIndex::entry_bytes, visit_time));
    if (!more_times || !dump_transactions(directory, base, visit)) return {};
  }
  return dump_snapshots(directory, visit);
}

Result<void> dump_partition(const os::DirectoryPtr& directory,
                            const std::function<bool(const DumpItem&)>& visit) {
  MILLRACE_TRY(const PartitionFiles files, list_partition(directory));
  for (std::size_t i = 0; i < files.segments.size(); ++i) {
    const auto& file = files.segments[i];
    const bool is_last = i + 1 == files.segments.size();
    const Offset limit =
        is_last ? Offset{std::numeric_limits<std::int64_t>::max()} : files.segments[i + 1].base;
    MILLRACE_TRY(const FileBytes content, FileBytes::open(directory, file.name));
    BatchScan scan(content.bytes(), file.base, limit);
    for (auto step = scan.next(); step != BatchScan::Step::end; step = scan.next()) {
      DumpItem item{file.name, FilePosition{scan.position()},
                    content.bytes().subspan(scan.position(), scan.length()), scan.batch(),
                    scan.missing()};
      if (step == BatchScan::Step::batch) {
        item.offsets = {scan.batch().base_offset(), scan.batch().next_offset()};
      } else if (item.offsets.begin == item.offsets.end && !is_last) {
        item.offsets.end = limit;
      }
      if (!visit(item)) return {};
    }
  }
  return {};
}

Result<void> dump_records(const record::BatchView& batch,
                          const std::function<bool(const record::RecordView&)>& visit) {
  std::vector<std::byte> scratch;
  MILLRACE_TRY(auto cursor, record::RecordCursor::open(batch, scratch));
  record::RecordView record;
  for (;;) {
    switch (cursor.next(record)) {
      case record::RecordCursor::Step::end:
        return {};
      case record::RecordCursor::Step::malformed:
        return Error(Errc::corrupt_data, "the records of the batch at offset " +
                                             std::to_string(batch.base_offset().value()) +
                                             " break the format of record batches");
      case record::RecordCursor::Step::record:
        if (!visit(record)) return {};
    }
  }
}

}  // namespace millrace::inline v0::storage

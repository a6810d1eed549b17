#include <limits>

#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/inspect.hpp>

#include "storage/file_bytes.hpp"
#include "storage/inspect_files.hpp"

namespace millrace::inline v0::storage {

Result<void> dump_partition(const os::DirectoryPtr& directory,
                            const std::function<bool(const DumpItem&)>& visit) {
  MILLRACE_TRY(const PartitionFiles files, list_partition(directory));
  for (std::size_t i = 0; i < files.segments.size(); ++i) {
    const auto& file = files.segments[i];
    const bool is_last = i + 1 == files.segments.size();
    const Offset limit = is_last ? Offset{std::numeric_limits<std::int64_t>::max()}
                                 : files.segments[i + 1].base;
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
      case record::RecordCursor::Step::end: return {};
      case record::RecordCursor::Step::malformed:
        return Error(Errc::corrupt_data,
                     "the records of the batch at offset " +
                         std::to_string(batch.base_offset().value()) +
                         " break the format of record batches");
      case record::RecordCursor::Step::record:
        if (!visit(record)) return {};
    }
  }
}

}  // namespace millrace::inline v0::storage

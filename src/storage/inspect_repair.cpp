#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/checkpoint.hpp>
#include <millrace/storage/cleaner.hpp>
#include <millrace/storage/epoch_cache.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/index_builder.hpp>
#include <millrace/storage/inspect.hpp>
#include <millrace/storage/tidy.hpp>

#include "storage/file_bytes.hpp"
#include "storage/inspect_files.hpp"
#include "storage/known_state.hpp"

namespace millrace::inline v0::storage {
namespace {

struct ByteRange {
  std::uint64_t position;
  std::uint64_t length;
};

/// What is good and what is not in the bytes of one segment.
struct Sorted {
  std::vector<ByteRange> good;  // neighbours joined
  std::vector<ByteRange> damaged;
  std::vector<OffsetRange> lost;
  std::uint64_t end = 0;  // behind the last byte to keep or to put aside
  std::uint64_t torn_bytes = 0;
  Offset next_offset;
};

class Repair {
 public:
  Repair(const os::DirectoryPtr& directory, const RepairOptions& options)
      : directory_(directory), options_(options) {}
  Result<RepairReport> run();

 private:
  Sorted sort_bytes(Bytes log, Offset base, Offset limit, bool is_last);
  Result<std::vector<PartitionFiles::SegmentFile>> tidy();
  Result<void> repair_segment(const PartitionFiles::SegmentFile& segment, Offset limit,
                              bool is_last);
  Result<void> put_aside(const std::string& log, Bytes bytes, std::uint64_t position);
  Result<void> replace_log(Offset base, Bytes log, const std::vector<ByteRange>& good);
  Result<void> trim(const std::string& name, const Sorted& sorted, std::uint64_t file_bytes);
  Result<void> rebuild_indexes(Offset base);
  Result<void> rebuild_epochs(const std::vector<Offset>& bases);
  Result<void> write_control(const std::vector<Offset>& bases);
  bool finds_fault(std::string_view file) const;
  void did(std::string sentence) { report_.done.push_back(std::move(sentence)); }

  const os::DirectoryPtr& directory_;
  const RepairOptions& options_;
  PartitionReport found_;
  KnownState known_;
  RepairReport report_;
  Offset end_;
  std::uint64_t last_bytes_ = 0;
};

bool Repair::finds_fault(std::string_view file) const {
  return std::any_of(found_.findings.begin(), found_.findings.end(), [&](const Finding& finding) {
    return finding.file == file && finding.kind != FindingKind::missing_offsets;
  });
}

Sorted Repair::sort_bytes(Bytes log, Offset base, Offset limit, bool is_last) {
  Sorted sorted;
  BatchScan scan(log, base, limit);
  for (auto step = scan.next(); step != BatchScan::Step::end; step = scan.next()) {
    const std::uint64_t after = scan.position() + scan.length();
    OffsetRange lost = scan.missing();
    if (step == BatchScan::Step::batch) {
      if (!sorted.good.empty() &&
          sorted.good.back().position + sorted.good.back().length == scan.position()) {
        sorted.good.back().length += scan.length();
      } else {
        sorted.good.push_back({scan.position(), scan.length()});
      }
      sorted.end = after;
      continue;
    }
    const bool nothing_behind = lost.begin == lost.end;
    if (nothing_behind && is_last && (!known_.is_known || lost.begin >= known_.durable)) {
      sorted.torn_bytes = scan.length();
      continue;
    }
    if (nothing_behind) lost.end = std::max(lost.begin, is_last ? known_.durable : limit);
    sorted.damaged.push_back({scan.position(), scan.length()});
    if (lost.begin < lost.end) sorted.lost.push_back(lost);
    sorted.end = after;
  }
  sorted.next_offset = scan.expected();
  return sorted;
}

Result<void> Repair::put_aside(const std::string& log, Bytes bytes, std::uint64_t position) {
  const std::string wanted = side_file_name(log, position);
  std::string name = wanted;
  for (int n = 2;; ++n) {
    MILLRACE_TRY(const bool exists, directory_->exists(name));
    if (!exists) break;
    MILLRACE_TRY(const std::string there, directory_->read_file(name));
    if (there == as_text(bytes)) break;
    name = fmt::format("{}-{}", wanted, n);
  }
  if (!options_.dry_run) MILLRACE_CHECK(directory_->replace_file(name, as_text(bytes)));
  report_.side_files.push_back(name);
  did(fmt::format("{} damaged bytes at {} of {} are in {} now", bytes.size(), position, log, name));
  return {};
}

Result<void> Repair::replace_log(Offset base, Bytes log, const std::vector<ByteRange>& good) {
  if (options_.dry_run) return {};
  const std::string name = file_name(base, log_suffix) + std::string(cleaned_suffix);
  auto written = [&]() -> Result<void> {
    MILLRACE_TRY(os::File file, directory_->open(name, os::OpenMode::replace));
    std::uint64_t at = 0;
    for (const ByteRange& range : good) {
      MILLRACE_CHECK(file.write_at(log.subspan(range.position, range.length), at));
      at += range.length;
    }
    last_bytes_ = at;
    return file.sync();
  }();
  if (!written) {
    static_cast<void>(directory_->remove(name));
    return written;
  }
  // Indexes of the old bytes must never stand beside the new ones.
  for (const auto suffix : {offset_index_suffix, time_index_suffix}) {
    MILLRACE_CHECK(directory_->remove(file_name(base, suffix)));
  }
  MILLRACE_CHECK(directory_->rename(name, file_name(base, log_suffix)));
  return directory_->sync();
}

Result<void> Repair::trim(const std::string& name, const Sorted& sorted, std::uint64_t file_bytes) {
  last_bytes_ = sorted.end;
  if (sorted.end == file_bytes) return {};
  did(fmt::format("{} is cut behind its last batch, at {} of {} bytes", name, sorted.end,
                  file_bytes));
  if (options_.dry_run) return {};
  MILLRACE_TRY(os::File file, directory_->open(name, os::OpenMode::read_write));
  MILLRACE_CHECK(file.resize(sorted.end));
  return file.sync();
}

Result<void> Repair::rebuild_indexes(Offset base) {
  const std::string name = file_name(base, log_suffix);
  did(fmt::format("the indexes of {} are rebuilt", name));
  if (options_.dry_run) return {};
  MILLRACE_TRY(const FileBytes content, FileBytes::open(directory_, name));
  MILLRACE_CHECK(write_indexes(directory_, base, content.bytes()));
  for (const auto suffix : {offset_index_suffix, time_index_suffix}) {
    MILLRACE_TRY(os::File file,
                 directory_->open(file_name(base, suffix), os::OpenMode::read_write));
    MILLRACE_CHECK(file.sync());
  }
  return {};
}

Result<void> Repair::repair_segment(const PartitionFiles::SegmentFile& segment, Offset limit,
                                    bool is_last) {
  const auto& [base, name, has_old_indexes] = segment;
  bool indexes = finds_fault(file_name(base, offset_index_suffix)) ||
                 finds_fault(file_name(base, time_index_suffix));
  {
    MILLRACE_TRY(const FileBytes content, FileBytes::open(directory_, name));
    const Bytes log = content.bytes();
    if (content.unreadable() != 0) {
      did(fmt::format("{} bytes of {} cannot be read from the disk and count as zeros",
                      content.unreadable(), name));
    }
    const Sorted sorted = sort_bytes(log, segment.base, limit, is_last);
    report_.torn_bytes += sorted.torn_bytes;
    report_.lost.insert(report_.lost.end(), sorted.lost.begin(), sorted.lost.end());
    for (const ByteRange& range : sorted.damaged) {
      MILLRACE_CHECK(put_aside(name, log.subspan(range.position, range.length), range.position));
    }
    if (sorted.damaged.empty()) {
      MILLRACE_CHECK(trim(name, sorted, log.size()));
    } else {
      MILLRACE_CHECK(replace_log(base, log, sorted.good));
      indexes = true;
    }
    end_ = std::max(end_, sorted.next_offset);
  }
  return indexes ? rebuild_indexes(base) : Result<void>();
}

Result<void> Repair::rebuild_epochs(const std::vector<Offset>& bases) {
  did(fmt::format("{} is rebuilt from the batches", EpochCache::file_name));
  if (options_.dry_run) return {};
  EpochCache epochs;
  MILLRACE_CHECK(epochs.rebuild(directory_, bases));
  return epochs.save(directory_);
}

Result<void> Repair::write_control(const std::vector<Offset>& bases) {
  const Offset end = std::max(end_, known_.is_known ? known_.durable : end_);
  const Offset start =
      known_.is_known ? std::clamp(known_.log_start, bases.front(), end) : bases.front();
  did(fmt::format("the control file says that the log is [{}, {})", start.value(), end.value()));
  if (options_.dry_run) return {};
  MILLRACE_TRY(ControlFile control, ControlFile::open_owner(directory_));
  control.initialise();
  ControlBlock& block = control.block();
  block.compacted = known_.gaps_are_normal ? 1 : 0;
  block.log_start_offset.store(start.value());
  block.log_end_offset.store(end.value());
  block.flushed_offset.store(end.value());
  block.high_watermark.store(end.value());
  block.active_base_offset.store(bases.back().value());
  block.active_end.store(last_bytes_);
  block.state.store(static_cast<std::uint32_t>(ControlState::live));
  return control.sync();
}

Result<std::vector<PartitionFiles::SegmentFile>> Repair::tidy() {
  MILLRACE_TRY(PartitionFiles files, list_partition(directory_));
  for (const auto* names : {&files.leftovers, &files.orphans}) {
    for (const auto& name : *names) {
      did(fmt::format("{} is gone: the exchange of files that left it is finished or undone",
                      name));
    }
  }
  if (options_.dry_run) return std::move(files.segments);
  MILLRACE_TRY(const std::vector<Offset> bases, tidy_segment_files(directory_));
  std::vector<PartitionFiles::SegmentFile> segments;
  for (const Offset base : bases) segments.push_back({base, file_name(base, log_suffix), false});
  return segments;
}

Result<RepairReport> Repair::run() {
  MILLRACE_TRY(found_, verify_partition(directory_, options_.progress));
  known_ = read_known_state(directory_);
  const bool needed =
      std::any_of(found_.findings.begin(), found_.findings.end(), [](const Finding& finding) {
        return finding.severity != Severity::note || finding.kind != FindingKind::leftover;
      });
  MILLRACE_TRY(const auto segments, tidy());
  if (!needed || segments.empty()) return std::move(report_);
  std::vector<Offset> bases;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool is_last = i + 1 == segments.size();
    Offset limit{std::numeric_limits<std::int64_t>::max()};
    if (!is_last) limit = segments[i + 1].base;
    if (is_last && known_.is_same_run) limit = known_.log_end;
    bases.push_back(segments[i].base);
    MILLRACE_CHECK(repair_segment(segments[i], limit, is_last));
  }
  if (finds_fault(EpochCache::file_name)) MILLRACE_CHECK(rebuild_epochs(bases));
  if (finds_fault(cleaner_checkpoint_name)) {
    did(fmt::format("{} is set back to 0", cleaner_checkpoint_name));
    if (!options_.dry_run) {
      MILLRACE_CHECK(directory_->replace_file(cleaner_checkpoint_name, format_checkpoint({"0"})));
    }
  }
  MILLRACE_CHECK(write_control(bases));
  for (const Finding& finding : found_.findings) {
    if (finding.kind == FindingKind::missing_offsets) report_.lost.push_back(finding.offsets);
  }
  report_.lost = merged(std::move(report_.lost));
  if (!options_.dry_run) MILLRACE_CHECK(directory_->sync());
  return std::move(report_);
}

}  // namespace

Result<RepairReport> repair_partition(const os::DirectoryPtr& directory,
                                      const RepairOptions& options) {
  return Repair(directory, options).run();
}

}  // namespace millrace::inline v0::storage

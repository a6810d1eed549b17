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
#include "storage/inspect_producers.hpp"
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
  bool ends_log = false;
};

using SegmentFiles = std::vector<PartitionFiles::SegmentFile>;

class Repair {
 public:
  Repair(const os::DirectoryPtr& directory, const RepairOptions& options)
      : directory_(directory), options_(options) {}
  Result<RepairReport> run();

 private:
  /// Where the offsets of a segment end at the latest, and what follows it.
  struct Bounds {
    Offset limit;
    std::optional<Offset> next_base;
  };
  Sorted sort_bytes(Bytes log, Offset base, const Bounds& bounds);
  Result<SegmentFiles> tidy();
  Result<bool> repair_segment(const PartitionFiles::SegmentFile& segment, const Bounds& bounds);
  Result<std::vector<Offset>> repair_segments(const SegmentFiles& files);
  Result<void> repair_checkpoints(const std::vector<Offset>& bases);
  Result<void> remove_control();
  Result<void> remove_segment(Offset base, std::string_view why);
  Result<void> put_aside(const std::string& log, Bytes bytes, std::uint64_t position);
  Result<void> replace_log(Offset base, Bytes log, const std::vector<ByteRange>& good);
  Result<void> trim(const std::string& name, const Sorted& sorted, std::uint64_t file_bytes);
  Result<void> rebuild_indexes(Offset base);
  Result<void> rebuild_epochs(const std::vector<Offset>& bases);
  Result<void> write_control(const std::vector<Offset>& bases);
  Result<void> repair_producers(const std::vector<Offset>& bases);
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

Sorted Repair::sort_bytes(Bytes log, Offset base, const Bounds& bounds) {
  Sorted sorted;
  sorted.next_offset = base;
  BatchScan scan(log, base, bounds.limit);
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
      sorted.next_offset = scan.expected();
      continue;
    }
    const DamageVerdict verdict = judge_damage(known_, {scan.position(), lost, bounds.next_base});
    sorted.ends_log = verdict.ends_log;
    if (!verdict.is_kept) {
      sorted.torn_bytes = end_of_content(log, scan.position()) - scan.position();
      break;
    }
    lost = verdict.lost;
    if (lost.begin == lost.end && bounds.next_base) {
      lost.end = std::max(lost.begin, *bounds.next_base);
    }
    sorted.damaged.push_back({scan.position(), scan.length()});
    if (lost.begin < lost.end) sorted.lost.push_back(lost);
    sorted.end = after;
    if (verdict.ends_log) break;
    sorted.next_offset = std::max(sorted.next_offset, scan.expected());
  }
  if (sorted.ends_log) sorted.next_offset = std::max(sorted.next_offset, known_.least_end());
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

/// Whether the log goes on behind it.
Result<bool> Repair::repair_segment(const PartitionFiles::SegmentFile& segment,
                                    const Bounds& bounds) {
  const Offset base = segment.base;
  const std::string& name = segment.name;
  bool indexes = finds_fault(file_name(base, offset_index_suffix)) ||
                 finds_fault(file_name(base, time_index_suffix));
  bool goes_on = true;
  {
    MILLRACE_TRY(const FileBytes content, FileBytes::open(directory_, name));
    const Bytes log = content.bytes();
    if (content.unreadable() != 0) {
      did(fmt::format("{} bytes of {} cannot be read from the disk and count as zeros",
                      content.unreadable(), name));
    }
    const Sorted sorted = sort_bytes(log, base, bounds);
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
    goes_on = !sorted.ends_log;
  }
  if (indexes) MILLRACE_CHECK(rebuild_indexes(base));
  return goes_on;
}

Result<void> Repair::remove_segment(Offset base, std::string_view why) {
  did(fmt::format("{} {} and is removed", file_name(base, log_suffix), why));
  return options_.dry_run ? Result<void>() : remove_segment_files(directory_, base);
}

/// The segments that the log has then.
Result<std::vector<Offset>> Repair::repair_segments(const SegmentFiles& files) {
  std::vector<Offset> bases;
  bool goes_on = files.empty() || !known_.is_stray(files.front().base);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Offset base = files[i].base;
    if (i > 0 && base < end_) {
      MILLRACE_TRY(const FileBytes content, FileBytes::open(directory_, files[i].name));
      if (end_of_content(content.bytes(), 0) == 0) {
        MILLRACE_CHECK(remove_segment(base, "is empty"));
        continue;
      }
    }
    goes_on = goes_on && (i == 0 || joins(known_, end_, base));
    if (!goes_on) {
      MILLRACE_CHECK(remove_segment(base, "is behind the end of the log"));
      continue;
    }
    bases.push_back(base);
    Bounds bounds{limit_of_segment(directory_, files, i, known_), std::nullopt};
    if (i + 1 < files.size()) bounds.next_base = files[i + 1].base;
    MILLRACE_TRY(goes_on, repair_segment(files[i], bounds));
  }
  return bases;
}

Result<void> Repair::rebuild_epochs(const std::vector<Offset>& bases) {
  did(fmt::format("{} is rebuilt from the batches", EpochCache::file_name));
  if (options_.dry_run) return {};
  EpochCache epochs;
  MILLRACE_CHECK(epochs.rebuild(directory_, bases));
  return epochs.save(directory_);
}

Result<void> Repair::write_control(const std::vector<Offset>& bases) {
  Offset end = std::max(end_, known_.least_end());
  Offset start = std::max(known_.log_start, known_.flushed);
  if (!bases.empty()) {
    start = std::clamp(known_.log_start, std::min(bases.front(), end), end);
  } else {
    end = std::max(start, end);
  }
  did(fmt::format("the control file says that the log is [{}, {})", start.value(), end.value()));
  if (options_.dry_run) return {};
  MILLRACE_TRY(ControlFile control, ControlFile::open_owner(directory_));
  ControlBlock& block = control.block();
  // What attachments leave out is a setting of the topic, which is not known here.
  const std::uint32_t delayed = control.is_valid() ? block.delayed.load() : 0;
  control.initialise();
  block.delayed = delayed;
  block.compacted = known_.gaps_are_normal ? 1 : 0;
  block.log_start_offset.store(start.value());
  block.log_end_offset.store(end.value());
  block.flushed_offset.store(end.value());
  block.high_watermark.store(end.value());
  block.active_base_offset.store(bases.empty() ? end.value() : bases.back().value());
  block.active_end.store(last_bytes_);
  block.state.store(static_cast<std::uint32_t>(ControlState::live));
  return control.sync();
}

Result<SegmentFiles> Repair::tidy() {
  MILLRACE_TRY(PartitionFiles files, list_partition(directory_));
  for (const auto* names : {&files.leftovers, &files.orphans}) {
    for (const auto& name : *names) {
      did(fmt::format("{} is gone: the exchange of files that left it is finished or undone",
                      name));
    }
  }
  if (options_.dry_run) return std::move(files.segments);
  MILLRACE_TRY(const std::vector<Offset> bases, tidy_segment_files(directory_));
  SegmentFiles segments;
  for (const Offset base : bases) segments.push_back({base, file_name(base, log_suffix), false});
  return segments;
}

/// Without a control file opening goes by the checkpoints beside the partition.
Result<void> Repair::remove_control() {
  if (!known_.is_missing) did(fmt::format("{} is removed", ControlFile::name));
  if (options_.dry_run) return {};
  MILLRACE_CHECK(directory_->remove(ControlFile::name));
  return directory_->sync();
}

Result<void> Repair::repair_checkpoints(const std::vector<Offset>& bases) {
  if (finds_fault(EpochCache::file_name)) MILLRACE_CHECK(rebuild_epochs(bases));
  if (!finds_fault(cleaner_checkpoint_name)) return {};
  did(fmt::format("{} is set back to 0", cleaner_checkpoint_name));
  if (options_.dry_run) return {};
  return directory_->replace_file(cleaner_checkpoint_name, format_checkpoint({"0"}));
}

/// Of snapshots that are wrong the log does without.
Result<void> Repair::repair_producers(const std::vector<Offset>& bases) {
  bool indexes = false;
  for (const Finding& finding : found_.findings) {
    indexes = indexes || finding.kind == FindingKind::transaction_index;
    if (finding.kind != FindingKind::producer_snapshot) continue;
    did(fmt::format("{} is removed", finding.file));
    if (!options_.dry_run) MILLRACE_CHECK(directory_->remove(finding.file));
  }
  if (!indexes) return {};
  ProducerCheck check(directory_);
  for (const Offset base : bases) {
    MILLRACE_TRY(const FileBytes content, FileBytes::open(directory_, file_name(base, log_suffix)));
    BatchScan scan(content.bytes(), base);
    for (auto step = scan.next(); step != BatchScan::Step::end; step = scan.next()) {
      if (step == BatchScan::Step::batch) check.batch(scan.batch(), base);
    }
  }
  return check.repair(bases, options_.dry_run, [this](std::string sentence) { did(sentence); });
}

Result<RepairReport> Repair::run() {
  MILLRACE_TRY(found_, verify_partition(directory_, options_.progress));
  MILLRACE_TRY(known_, read_known_state(directory_));
  const bool needed =
      std::any_of(found_.findings.begin(), found_.findings.end(), [](const Finding& finding) {
        return finding.severity != Severity::note || finding.kind != FindingKind::leftover;
      });
  MILLRACE_TRY(const SegmentFiles segments, tidy());
  if (!needed) return std::move(report_);
  if (segments.empty() && !known_.is_known) {
    MILLRACE_CHECK(remove_control());
    return std::move(report_);
  }
  MILLRACE_TRY(const std::vector<Offset> bases, repair_segments(segments));
  MILLRACE_CHECK(repair_checkpoints(bases));
  MILLRACE_CHECK(repair_producers(bases));
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

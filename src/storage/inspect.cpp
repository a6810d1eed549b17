#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/epoch_cache.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/inspect.hpp>
#include <span>

#include "storage/file_bytes.hpp"
#include "storage/inspect_files.hpp"
#include "storage/inspect_index.hpp"
#include "storage/inspect_producers.hpp"
#include "storage/known_state.hpp"

namespace millrace::inline v0::storage {
namespace {

using record::BatchView;

class Verification {
 public:
  Verification(const os::DirectoryPtr& directory, const InspectionProgress& progress)
      : directory_(directory), progress_(progress), producers_(directory) {}
  Result<PartitionReport> run();

 private:
  struct Place {
    Offset limit{std::numeric_limits<std::int64_t>::max()};
    std::span<const PartitionFiles::SegmentFile> later = {};
    bool is_last() const { return later.empty(); }
    std::optional<Offset> following() const {
      return is_last() ? std::nullopt : std::optional(later.front().base);
    }
    /// The base of the segment that follows if this one ends at `end`; `end` if there is none.
    Offset next_base(Offset end) const {
      for (const auto& segment : later) {
        if (segment.base >= end) return segment.base;
      }
      return end;
    }
  };

  void check_control();
  bool check_segment(const PartitionFiles::SegmentFile& file, Bytes log, const Place& place);
  void check_segments(const std::vector<PartitionFiles::SegmentFile>& segments);
  void check_unreadable(const PartitionFiles::SegmentFile& file, const Error& error,
                        const Place& place);
  void surplus(const std::string& file, std::string_view what);
  void check_batch(const BatchScan& scan, const std::string& file);
  bool check_damage(const BatchScan& scan, const std::string& file, const Place& place);
  void check_end(const BatchScan& scan, const SegmentSummary& segment, const Place& place);
  void check_epoch(const BatchView& batch);
  void check_epoch_file();
  void check_cleaner_checkpoint();
  void check_control_against_log();
  void name_other_files(const PartitionFiles& files);
  void missing(const std::string& file, std::uint64_t position, OffsetRange offsets);
  void add(Finding finding) { report_.findings.push_back(std::move(finding)); }

  const os::DirectoryPtr& directory_;
  const InspectionProgress& progress_;
  KnownState known_;
  EpochCache epochs_;
  ProducerCheck producers_;
  std::string epoch_fault_;
  PartitionReport report_;
  Offset next_;  // behind everything seen so far
};

void Verification::missing(const std::string& file, std::uint64_t position, OffsetRange offsets) {
  if (known_.gaps_are_normal) return;
  add({FindingKind::missing_offsets, Severity::damage, file, position, 0, offsets,
       fmt::format("offsets [{}, {}) are missing at byte {} of {}: they were lost, or taken out by "
                   "a repair; readers skip them by seeking to {}",
                   offsets.begin.value(), offsets.end.value(), position, file,
                   offsets.end.value())});
}

void Verification::check_epoch(const BatchView& batch) {
  if (batch.leader_epoch() == LeaderEpoch::unknown || !epoch_fault_.empty()) return;
  const auto& entries = epochs_.entries();
  const auto after = std::upper_bound(
      entries.begin(), entries.end(), batch.base_offset(),
      [](Offset offset, const EpochCache::Entry& entry) { return offset < entry.start; });
  const bool below_start = batch.base_offset() < report_.log_start_offset;
  if (below_start || (after != entries.begin() && (after - 1)->epoch == batch.leader_epoch())) {
    return;
  }
  epoch_fault_ =
      fmt::format("does not have leader epoch {} of the batch at offset {}",
                  static_cast<std::int32_t>(batch.leader_epoch()), batch.base_offset().value());
}

void Verification::check_batch(const BatchScan& scan, const std::string& file) {
  const BatchView& batch = scan.batch();
  if (scan.missing().begin < scan.missing().end) missing(file, scan.position(), scan.missing());
  check_epoch(batch);
  const auto walked = dump_records(batch, [](const record::RecordView&) { return true; });
  if (walked || walked.error().code() == Errc::unsupported) return;
  add({FindingKind::malformed_records,
       Severity::damage,
       file,
       scan.position(),
       scan.length(),
       {batch.base_offset(), batch.next_offset()},
       fmt::format("the batch at byte {} of {} has a good CRC but {}; it was written so, ask its "
                   "producer",
                   scan.position(), file, walked.error().message())});
}

/// Whether the log ends here.
bool Verification::check_damage(const BatchScan& scan, const std::string& file,
                                const Place& place) {
  const DamageVerdict verdict =
      judge_damage(known_, {scan.position(), scan.missing(), place.following()});
  if (!verdict.is_kept) {
    add({FindingKind::torn_tail,
         Severity::note,
         file,
         scan.position(),
         scan.length(),
         {},
         fmt::format("{} bytes at {} of {} are behind the end of the log: an append that a crash "
                     "cut short; opening the log removes them",
                     scan.length(), scan.position(), file)});
    return verdict.ends_log;
  }
  OffsetRange lost = verdict.lost;
  if (lost.begin == lost.end) lost.end = place.next_base(lost.begin);
  next_ = std::max(next_, lost.end);
  add({FindingKind::damaged_batches, Severity::damage, file, scan.position(), scan.length(), lost,
       fmt::format("{} bytes at {} of {} are damaged: offsets [{}, {}) cannot be read; restore the "
                   "file from a copy, or take them out with `millrace log repair`",
                   scan.length(), scan.position(), file, lost.begin.value(), lost.end.value())});
  return verdict.ends_log;
}

void Verification::check_end(const BatchScan& scan, const SegmentSummary& segment,
                             const Place& place) {
  Offset should_end = place.is_last() ? known_.least_end() : place.next_base(next_);
  if (!place.is_last() && !joins(known_, next_, should_end)) {
    should_end = std::max(next_, known_.least_end());
  }
  if (next_ < should_end) missing(segment.file, scan.position(), {next_, should_end});
  next_ = std::max(next_, should_end);
  if (place.is_last() || scan.position() == segment.file_bytes) return;
  add({FindingKind::untrimmed,
       Severity::note,
       segment.file,
       scan.position(),
       segment.file_bytes - scan.position(),
       {},
       fmt::format("{} has {} bytes of zeros behind its last batch: a roll that a crash cut short; "
                   "opening the log trims it",
                   segment.file, segment.file_bytes - scan.position())});
}

void Verification::check_unreadable(const PartitionFiles::SegmentFile& file, const Error& error,
                                    const Place& place) {
  const Offset end =
      std::max(file.base, place.is_last() ? known_.least_end() : place.next_base(file.base + 1));
  add({FindingKind::damaged_batches,
       Severity::damage,
       file.name,
       0,
       0,
       {file.base, end},
       error.message()});
  next_ = std::max(next_, end);
  SegmentSummary segment;
  segment.file = file.name;
  segment.base_offset = segment.next_offset = file.base;
  report_.segments.push_back(std::move(segment));
}

/// Whether the log goes on behind it.
bool Verification::check_segment(const PartitionFiles::SegmentFile& file, Bytes log,
                                 const Place& place) {
  if (file.base < next_) {
    add({FindingKind::overlap,
         Severity::problem,
         file.name,
         0,
         0,
         {},
         fmt::format("segment {} begins below offset {}, where the one before it ends; move it "
                     "away if the log reads without it",
                     file.name, next_.value())});
  }
  SegmentSummary segment;
  segment.file = file.name;
  segment.base_offset = file.base;
  segment.file_bytes = log.size();
  IndexCheck indexes(directory_, file.base);
  BatchScan scan(log, file.base, place.limit);
  bool ended = false;
  for (auto step = scan.next(); step != BatchScan::Step::end && !ended; step = scan.next()) {
    if (step == BatchScan::Step::damage) {
      ended = check_damage(scan, file.name, place);
      indexes.damage(scan.position(), scan.length(), scan.missing());
      if (ended) break;
      continue;
    }
    check_batch(scan, file.name);
    indexes.batch(scan.batch(), scan.position());
    producers_.batch(scan.batch(), file.base);
    ++segment.batches;
    segment.records += static_cast<std::uint64_t>(scan.batch().record_count());
    segment.bytes += scan.length();
    next_ = std::max(next_, scan.expected());
    if (progress_) progress_(scan.batch());
  }
  segment.next_offset = next_;
  if (ended) {
    next_ = std::max(next_, known_.least_end());
  } else {
    check_end(scan, segment, place);
  }
  if (file.has_old_indexes) {
    indexes.name_old(report_.findings);
  } else {
    indexes.finish(!place.is_last() || report_.state == ControlState::clean, report_.findings);
  }
  segment.offset_entries = indexes.offset_entries();
  segment.time_entries = indexes.time_entries();
  segment.largest_timestamp = indexes.largest();
  report_.segments.push_back(std::move(segment));
  return !ended;
}

void Verification::surplus(const std::string& file, std::string_view what) {
  add({FindingKind::leftover,
       Severity::note,
       file,
       0,
       0,
       {},
       fmt::format("{} {}; opening the log removes it", file, what)});
}

void Verification::check_segments(const std::vector<PartitionFiles::SegmentFile>& segments) {
  bool goes_on = segments.empty() || !known_.is_stray(segments.front().base);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto& file = segments[i];
    const auto content = FileBytes::open(directory_, file.name);
    const bool unused = content && end_of_content(content->bytes(), 0) == 0;
    if (i > 0 && unused && file.base < next_) {
      surplus(file.name, "is empty, left over from a roll that failed");
      continue;
    }
    goes_on = goes_on && (i == 0 || joins(known_, next_, file.base));
    if (!goes_on) {
      surplus(file.name, "is behind the end of the log: it was never known to be durable");
      continue;
    }
    Place place;
    place.limit = limit_of_segment(directory_, segments, i, known_);
    place.later = std::span(segments).subspan(i + 1);
    if (content) {
      goes_on = check_segment(file, content->bytes(), place);
    } else {
      check_unreadable(file, content.error(), place);
    }
  }
}

void Verification::check_control() {
  if (known_.is_known) {
    report_.state = known_.state;
    if (known_.state == ControlState::clean) return;
    const char* const story =
        known_.state == ControlState::failed ? "a sync failed before it stopped"
        : known_.is_same_run ? "its owner is at work, or was killed on this running machine"
                             : "its owner was stopped by a loss of power or the like, or the log "
                               "was repaired";
    add({FindingKind::control,
         Severity::note,
         ControlFile::name,
         0,
         0,
         {},
         fmt::format("the log was not closed in order: {}; opening it recovers it", story)});
    return;
  }
  add({FindingKind::control,
       known_.is_missing ? Severity::note : Severity::problem,
       ControlFile::name,
       0,
       0,
       {},
       fmt::format("the control file is {}; it is rebuilt from the log when that is opened",
                   known_.is_missing ? "missing" : known_.fault)});
}

void Verification::check_control_against_log() {
  if (!known_.is_known || known_.state != ControlState::clean || known_.log_end == next_) return;
  add({FindingKind::control,
       Severity::problem,
       ControlFile::name,
       0,
       0,
       {},
       fmt::format("the control file says that the log ends at offset {}, but it ends at {}; it is "
                   "rebuilt when the log is opened",
                   known_.log_end.value(), next_.value())});
}

void Verification::check_epoch_file() {
  const auto severity = report_.state == ControlState::clean ? Severity::problem : Severity::note;
  if (epochs_.was_damaged()) epoch_fault_ = "is damaged";
  if (epoch_fault_.empty()) return;
  add({FindingKind::checkpoint,
       severity,
       EpochCache::file_name,
       0,
       0,
       {},
       fmt::format("{} {}; opening the log or `millrace log repair` rebuilds it",
                   EpochCache::file_name, epoch_fault_)});
}

void Verification::check_cleaner_checkpoint() {
  const auto exists = directory_->exists(cleaner_checkpoint_name);
  if (!exists || !*exists) return;
  const auto first_dirty = read_cleaner_checkpoint(directory_);
  if (first_dirty && *first_dirty <= next_) return;
  add({FindingKind::checkpoint,
       Severity::problem,
       cleaner_checkpoint_name,
       0,
       0,
       {},
       fmt::format("{} is damaged or names an offset behind the log's end; delete it, and the next "
                   "compaction goes through the whole log",
                   cleaner_checkpoint_name)});
}

void Verification::name_other_files(const PartitionFiles& files) {
  for (const auto& name : files.leftovers) {
    add({FindingKind::leftover,
         Severity::note,
         name,
         0,
         0,
         {},
         fmt::format("{} is left over from an exchange of files that was interrupted; opening the "
                     "log finishes or undoes it",
                     name)});
  }
  for (const auto& name : files.orphans) {
    add({FindingKind::leftover,
         Severity::note,
         name,
         0,
         0,
         {},
         fmt::format("{} is an index without a log; opening the log removes it", name)});
  }
  for (const auto& name : files.side_files) {
    add({FindingKind::leftover,
         Severity::note,
         name,
         0,
         0,
         {},
         fmt::format(
             "{} has damaged bytes that a repair took out; delete it when nobody needs them",
             name)});
  }
}

Result<PartitionReport> Verification::run() {
  MILLRACE_TRY(const PartitionFiles files, list_partition(directory_));
  MILLRACE_TRY(known_, read_known_state(directory_));
  check_control();
  MILLRACE_CHECK(epochs_.load(directory_));
  const auto& segments = files.segments;
  const bool none = segments.empty() || known_.is_stray(segments.front().base);
  const Offset first = none ? std::max(known_.log_start, known_.flushed) : segments.front().base;
  report_.log_start_offset = std::max(first, known_.log_start);
  next_ = first;
  if (known_.is_known && known_.log_start < std::min(first, known_.durable)) {
    missing(segments.empty() ? directory_->path() : segments.front().name, 0,
            {known_.log_start, std::min(first, known_.durable)});
  }
  check_segments(segments);
  report_.log_end_offset = next_;
  for (const auto& segment : report_.segments) {
    report_.bytes += segment.bytes;
    report_.batches += segment.batches;
    report_.records += segment.records;
  }
  check_control_against_log();
  check_epoch_file();
  check_cleaner_checkpoint();
  MILLRACE_CHECK(producers_.finish(report_.state == ControlState::clean, report_.log_end_offset,
                                   report_.findings));
  name_other_files(files);
  return std::move(report_);
}

}  // namespace

std::string_view name_of(FindingKind kind) noexcept {
  switch (kind) {
    case FindingKind::damaged_batches:
      return "damaged_batches";
    case FindingKind::missing_offsets:
      return "missing_offsets";
    case FindingKind::malformed_records:
      return "malformed_records";
    case FindingKind::torn_tail:
      return "torn_tail";
    case FindingKind::untrimmed:
      return "untrimmed";
    case FindingKind::overlap:
      return "overlap";
    case FindingKind::offset_index:
      return "offset_index";
    case FindingKind::time_index:
      return "time_index";
    case FindingKind::transaction_index:
      return "transaction_index";
    case FindingKind::producer_snapshot:
      return "producer_snapshot";
    case FindingKind::checkpoint:
      return "checkpoint";
    case FindingKind::control:
      return "control";
    case FindingKind::leftover:
      return "leftover";
  }
  return "unknown";
}

std::optional<Severity> PartitionReport::worst() const noexcept {
  std::optional<Severity> worst;
  for (const Finding& finding : findings) worst = std::max(worst, std::optional(finding.severity));
  return worst;
}

std::vector<OffsetRange> PartitionReport::unreadable() const {
  std::vector<OffsetRange> ranges;
  for (const Finding& finding : findings) {
    if (finding.offsets.begin < finding.offsets.end) ranges.push_back(finding.offsets);
  }
  return merged(std::move(ranges));
}

Result<PartitionReport> verify_partition(const os::DirectoryPtr& directory,
                                         const InspectionProgress& progress) {
  return Verification(directory, progress).run();
}

}  // namespace millrace::inline v0::storage

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/epoch_cache.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/inspect.hpp>

#include "storage/file_bytes.hpp"
#include "storage/inspect_files.hpp"
#include "storage/inspect_index.hpp"
#include "storage/known_state.hpp"

namespace millrace::inline v0::storage {
namespace {

using record::BatchView;

class Verification {
 public:
  Verification(const os::DirectoryPtr& directory, const InspectionProgress& progress)
      : directory_(directory), progress_(progress) {}
  Result<PartitionReport> run();

 private:
  struct Place {
    bool is_last = false;
    Offset limit{std::numeric_limits<std::int64_t>::max()};
  };

  void check_control();
  void check_segment(const PartitionFiles::SegmentFile& file, const Place& place);
  void check_batch(const BatchScan& scan, const std::string& file);
  void check_damage(const BatchScan& scan, const std::string& file, const Place& place);
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

void Verification::check_damage(const BatchScan& scan, const std::string& file,
                                const Place& place) {
  OffsetRange lost = scan.missing();
  const bool nothing_behind = lost.begin == lost.end;
  if (nothing_behind && !place.is_last) lost.end = std::max(lost.begin, place.limit);
  if (nothing_behind && place.is_last) lost.end = std::max(lost.begin, known_.durable);
  const bool never_durable = known_.is_known ? lost.begin >= known_.durable : nothing_behind;
  if (place.is_last && never_durable) {
    add({FindingKind::torn_tail,
         Severity::note,
         file,
         scan.position(),
         scan.length(),
         {},
         fmt::format("{} bytes at {} of {} are behind the end of the log: an append that a crash "
                     "cut short; opening the log removes them",
                     scan.length(), scan.position(), file)});
    return;
  }
  add({FindingKind::damaged_batches, Severity::damage, file, scan.position(), scan.length(), lost,
       fmt::format("{} bytes at {} of {} are damaged: offsets [{}, {}) cannot be read; restore the "
                   "file from a copy, or take them out with `millrace log repair`",
                   scan.length(), scan.position(), file, lost.begin.value(), lost.end.value())});
}

void Verification::check_end(const BatchScan& scan, const SegmentSummary& segment,
                             const Place& place) {
  const bool ended_in_damage = !report_.findings.empty() &&
                               report_.findings.back().file == segment.file &&
                               report_.findings.back().kind == FindingKind::damaged_batches &&
                               report_.findings.back().offsets.end > scan.expected();
  const Offset should_end = place.is_last ? std::max(known_.durable, scan.expected()) : place.limit;
  if (scan.expected() < should_end && !ended_in_damage) {
    missing(segment.file, scan.position(), {scan.expected(), should_end});
  }
  next_ = std::max(next_, should_end);
  if (place.is_last || scan.position() == segment.file_bytes) return;
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

void Verification::check_segment(const PartitionFiles::SegmentFile& file, const Place& place) {
  SegmentSummary segment;
  segment.file = file.name;
  segment.base_offset = segment.next_offset = file.base;
  const auto content = FileBytes::open(directory_, file.name);
  if (!content) {
    const Offset end = place.is_last ? std::max(file.base, known_.durable) : place.limit;
    add({FindingKind::damaged_batches,
         Severity::damage,
         file.name,
         0,
         0,
         {file.base, end},
         content.error().message()});
    next_ = std::max(next_, end);
    report_.segments.push_back(segment);
    return;
  }
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
  segment.file_bytes = content->bytes().size();
  IndexCheck indexes(directory_, file.base);
  BatchScan scan(content->bytes(), file.base, place.limit);
  for (auto step = scan.next(); step != BatchScan::Step::end; step = scan.next()) {
    if (step == BatchScan::Step::damage) {
      check_damage(scan, file.name, place);
      indexes.damage(scan.position(), scan.length(), scan.missing());
      continue;
    }
    check_batch(scan, file.name);
    indexes.batch(scan.batch(), scan.position());
    ++segment.batches;
    segment.records += static_cast<std::uint64_t>(scan.batch().record_count());
    segment.bytes += scan.length();
    if (progress_) progress_(scan.batch());
  }
  segment.next_offset = scan.expected();
  next_ = std::max(next_, scan.expected());
  check_end(scan, segment, place);
  if (file.has_old_indexes) {
    indexes.name_old(report_.findings);
  } else {
    indexes.finish(!place.is_last || report_.state == ControlState::clean, report_.findings);
  }
  segment.offset_entries = indexes.offset_entries();
  segment.time_entries = indexes.time_entries();
  segment.largest_timestamp = indexes.largest();
  report_.segments.push_back(std::move(segment));
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
  known_ = read_known_state(directory_);
  check_control();
  MILLRACE_CHECK(epochs_.load(directory_));
  const auto& segments = files.segments;
  const Offset first = segments.empty() ? known_.log_end : segments.front().base;
  report_.log_start_offset = std::max(first, known_.log_start);
  next_ = first;
  if (known_.is_known && known_.log_start < std::min(first, known_.durable)) {
    missing(segments.empty() ? directory_->path() : segments.front().name, 0,
            {known_.log_start, std::min(first, known_.durable)});
  }
  for (std::size_t i = 0; i < segments.size(); ++i) {
    Place place;
    place.is_last = i + 1 == segments.size();
    if (!place.is_last) place.limit = segments[i + 1].base;
    if (place.is_last && known_.is_same_run) place.limit = known_.log_end;
    check_segment(segments[i], place);
  }
  report_.log_end_offset = next_;
  for (const auto& segment : report_.segments) {
    report_.bytes += segment.bytes;
    report_.batches += segment.batches;
    report_.records += segment.records;
  }
  check_control_against_log();
  check_epoch_file();
  check_cleaner_checkpoint();
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

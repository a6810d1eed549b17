#include <algorithm>
#include <limits>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/recovery.hpp>
#include <millrace/storage/tidy.hpp>

#include "storage/file_bytes.hpp"
#include "storage/known_state.hpp"
#include "storage/published_end.hpp"

namespace millrace::inline v0::storage {
namespace {

constexpr Offset no_limit{std::numeric_limits<std::int64_t>::max()};
constexpr std::size_t zero_piece = 64u << 10;

/// One recovery in progress.
class Recovery {
 public:
  Recovery(const os::DirectoryPtr& directory, const LogOptions& options, const KnownState& known,
           const RecoveryHints& hints)
      : directory_(directory), options_(options), known_(known), hints_(hints) {}

  Result<RecoveredLog> run();

 private:
  /// What became of a segment that was scanned.
  enum class Outcome : std::uint8_t {
    whole,  ///< the next segment follows
    cut,    ///< the log ends here
  };
  /// The last segment of a killed owner: large, of which little is looked at.
  struct Tail {
    os::Mapping map;
    std::uint64_t size = 0;
    /// The bytes from `position` on, of which the first `length` can be read; empty if not.
    Bytes look(std::uint64_t position, std::uint64_t length) const {
      if (position >= size) return {};
      if (!map.populate_read(position, std::min(length, size - position))) return {};
      return {map.data() + position, static_cast<std::size_t>(size - position)};
    }
  };
  /// The two indexes of the last segment, open for writing.
  struct Indexes {
    OffsetIndex offsets;
    TimeIndex times;
  };

  void settle_without_segments(Offset start);
  Result<bool> trust_clean();
  Result<bool> trust_same_run();
  Result<bool> resume_indexes(const Tail& tail, Indexes& indexes, std::uint64_t& position);
  bool walk_to_end(const Tail& tail, Indexes& indexes, std::uint64_t& position);
  Result<void> scan();
  Result<bool> is_unused(std::size_t index);
  Result<bool> drop_if_unused(std::size_t index);
  Result<Offset> limit_of(std::size_t index);
  Result<Outcome> scan_segment(std::size_t index);
  Result<void> write_again(const std::string& name, Bytes content);
  bool scan_batches(BatchScan& scan, std::optional<Offset> next_base);
  void add_batch(const record::BatchView& batch);
  Result<void> cut_segments_after(std::size_t count);
  Result<void> rebuild_active_indexes();
  Result<void> cut_tail(Offset base, Bytes tail, std::uint64_t position);
  Result<void> open_indexes(Indexes& indexes);
  void lose(Offset begin, Offset end) {
    if (begin < end) out_.report.damaged.push_back({begin, end});
  }

  const os::DirectoryPtr& directory_;
  const LogOptions& options_;
  const KnownState& known_;
  const RecoveryHints& hints_;
  RecoveredLog out_;
  Offset next_;  // offset expected of the next batch while scanning
};

Result<void> Recovery::open_indexes(Indexes& indexes) {
  const std::uint64_t limit = options_.segment_index_bytes;
  const Offset base = out_.bases.back();
  MILLRACE_CHECK(indexes.offsets.open(directory_, base, IndexMode::active, limit));
  return indexes.times.open(directory_, base, IndexMode::active,
                            limit / OffsetIndex::entry_bytes * TimeIndex::entry_bytes);
}

Result<bool> Recovery::trust_clean() {
  if (known_.state != ControlState::clean || known_.active_base != out_.bases.back()) return false;
  MILLRACE_TRY(os::File file,
               directory_->open(file_name(out_.bases.back(), log_suffix), os::OpenMode::read_only));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  if (size < known_.active_end) return false;
  if (size > known_.active_end) {  // a truncation leaves zeros
    MILLRACE_TRY(const bool nothing_else, only_zeros_from(file, known_.active_end));
    if (!nothing_else) return false;
  }
  out_.active_end = known_.active_end;
  out_.report.log_end_offset = out_.flushed_offset = known_.log_end;
  out_.report.kind = RecoveryKind::clean;
  return true;
}

/// Drops the index entries that a killed writer may not have finished, and those of batches that it
/// did not publish. Finds the batch of the last entry left; false if it is not there.
Result<bool> Recovery::resume_indexes(const Tail& tail, Indexes& indexes, std::uint64_t& position) {
  MILLRACE_CHECK(open_indexes(indexes));
  auto& [offsets, times] = indexes;
  if (!offsets.check(FilePosition{tail.size}) || !times.check()) return false;
  // A batch gets its time entry after its offset entry: the last pair may be half there.
  std::size_t keep = offsets.entries_below(known_.log_end);
  if (keep > 0) --keep;
  MILLRACE_CHECK(offsets.file().truncate(keep));
  next_ = out_.bases.back();
  position = 0;
  Offset covered = next_ - 1;
  if (keep > 0) {
    const OffsetEntry entry = offsets.entry(keep - 1);
    position = entry.position.value();
    const auto batch =
        record::BatchView::try_parse(tail.look(position, record::layout::header_bytes));
    if (batch.size() == 0 || batch.last_offset() != entry.offset) return false;
    next_ = batch.base_offset();
    covered = entry.offset;
  }
  std::size_t keep_times = times.file().count();
  while (keep_times > 0 && times.entry(keep_times - 1).offset > covered) --keep_times;
  MILLRACE_CHECK(times.file().truncate(keep_times));
  out_.largest = times.last().value_or(TimeEntry{Timestamp::none(), out_.bases.back()});
  return true;
}

bool Recovery::walk_to_end(const Tail& tail, Indexes& indexes, std::uint64_t& position) {
  IndexPolicy policy(options_.index_interval_bytes);
  policy.reset(out_.largest);
  Bytes rest = tail.look(position, known_.active_end - std::min(known_.active_end, position));
  while (next_ < known_.log_end) {
    const auto batch = record::BatchView::try_parse(rest);
    if (batch.size() == 0 || batch.base_offset() < next_ || !batch.crc_matches()) return false;
    if (policy.add(batch)) {
      append_index_entries(indexes.offsets, indexes.times, batch, position, policy.largest());
    }
    out_.report.scanned_bytes += batch.size();
    position += batch.size();
    rest = rest.subspan(batch.size());
    next_ = batch.next_offset();
  }
  out_.largest = policy.largest();
  return next_ == known_.log_end;
}

Result<bool> Recovery::trust_same_run() {
  const Offset base = out_.bases.back();
  if (!known_.is_same_run || known_.active_base != base) return false;
  Tail tail;
  MILLRACE_TRY(const os::File file,
               directory_->open(file_name(base, log_suffix), os::OpenMode::read_only));
  MILLRACE_TRY(tail.size, file.size());
  if (tail.size != 0) {
    MILLRACE_TRY(tail.map, os::Mapping::map(file, tail.size, os::MapMode::read_only));
  }
  Indexes indexes;
  std::uint64_t position = 0;
  MILLRACE_TRY(const bool resumed, resume_indexes(tail, indexes, position));
  if (!resumed || !walk_to_end(tail, indexes, position)) return false;
  // An append that was cut short left at most this behind the end.
  const std::uint64_t look_bytes = 2 * std::uint64_t{options_.max_message_bytes};
  const Bytes rest = tail.look(position, look_bytes);
  MILLRACE_CHECK(
      cut_tail(base, rest.first(std::min<std::uint64_t>(rest.size(), look_bytes)), position));
  out_.active_end = position;
  out_.report.log_end_offset = known_.log_end;
  out_.flushed_offset = known_.flushed;
  out_.report.kind = RecoveryKind::same_run;
  return true;
}

void Recovery::add_batch(const record::BatchView& batch) {
  if (batch.max_timestamp() > out_.largest.timestamp) {
    out_.largest = {batch.max_timestamp(), batch.last_offset()};
  }
  const LeaderEpoch epoch = batch.leader_epoch();
  if (epoch != LeaderEpoch::unknown && (out_.epochs.empty() || out_.epochs.back().epoch < epoch)) {
    out_.epochs.push_back({epoch, batch.base_offset()});
  }
  out_.report.scanned_bytes += batch.size();
  next_ = batch.next_offset();
}

/// Goes through a segment; false if it is torn at scan.position().
bool Recovery::scan_batches(BatchScan& scan, std::optional<Offset> next_base) {
  for (;;) {
    const auto step = scan.next();
    const OffsetRange missing = scan.missing();
    if (step == BatchScan::Step::batch) {
      // Bytes without a hole cannot be what is left of a torn tail: these offsets were left out.
      if (!out_.gaps_are_normal) lose(missing.begin, missing.end);
      add_batch(scan.batch());
      continue;
    }
    out_.active_end = scan.position();
    if (step == BatchScan::Step::end) return true;
    const DamageVerdict verdict = judge_damage(known_, {scan.position(), missing, next_base});
    lose(verdict.lost.begin, verdict.lost.end);
    next_ = std::max(next_, verdict.lost.end);
    if (verdict.is_kept) out_.active_end += scan.length();  // for who may want to mend it
    if (!verdict.ends_log) continue;
    next_ = std::max(next_, known_.least_end());
    return false;
  }
}

Result<Recovery::Outcome> Recovery::scan_segment(std::size_t index) {
  const Offset base = out_.bases[index];
  const std::string name = file_name(base, log_suffix);
  const bool is_last = index + 1 == out_.bases.size();
  if (known_.state == ControlState::failed) {
    // What a failed sync did not write is in the page cache, marked as if it had been written.
    MILLRACE_TRY(os::File file, directory_->open(name, os::OpenMode::read_only));
    static_cast<void>(file.drop_cache());
  }
  MILLRACE_TRY(const FileBytes content, FileBytes::open(directory_, name));
  const Bytes log = content.bytes();
  next_ = std::max(next_, base);
  out_.largest = {Timestamp::none(), base};
  MILLRACE_TRY(const Offset limit, limit_of(index));
  BatchScan scan(log, base, limit);
  const bool is_whole =
      scan_batches(scan, is_last ? std::nullopt : std::optional(out_.bases[index + 1]));
  if (known_.state == ControlState::failed) {
    MILLRACE_CHECK(write_again(name, log.first(out_.active_end)));
  }
  if (!is_whole) {
    MILLRACE_CHECK(cut_tail(base, log.subspan(out_.active_end), out_.active_end));
    return Outcome::cut;
  }
  if (is_last) return Outcome::whole;
  const bool ends_in_zeros = end_of_content(log, out_.active_end) == out_.active_end;
  if (ends_in_zeros && out_.active_end < log.size()) {
    MILLRACE_TRY(os::File file, directory_->open(name, os::OpenMode::read_write));
    MILLRACE_CHECK(file.resize(out_.active_end));
  }
  // Sealed, but perhaps not synced: its indexes are rebuilt when somebody asks.
  MILLRACE_CHECK(directory_->remove(file_name(base, offset_index_suffix)));
  MILLRACE_CHECK(directory_->remove(file_name(base, time_index_suffix)));
  return Outcome::whole;
}

/// After a failed sync: pages that could not be dropped, because somebody has them mapped, count as
/// written, and only what is written again is sure to reach the disk with the next sync.
Result<void> Recovery::write_again(const std::string& name, Bytes content) {
  MILLRACE_TRY(os::File file, directory_->open(name, os::OpenMode::read_write));
  std::vector<std::byte> piece;
  for (std::uint64_t at = 0; at < content.size(); at += piece.size()) {
    const Bytes next = content.subspan(at, std::min<std::uint64_t>(1u << 20, content.size() - at));
    piece.assign(next.begin(), next.end());
    MILLRACE_CHECK(file.write_at(piece, at));
  }
  return {};
}

Result<bool> Recovery::is_unused(std::size_t index) {
  MILLRACE_TRY(const FileBytes content,
               FileBytes::open(directory_, file_name(out_.bases[index], log_suffix)));
  return end_of_content(content.bytes(), 0) == 0;
}

/// A roll that failed may leave an empty segment, below what the one before it went on to take.
Result<bool> Recovery::drop_if_unused(std::size_t index) {
  const Offset base = out_.bases[index];
  if (base >= next_) return false;
  MILLRACE_TRY(const bool unused, is_unused(index));
  if (!unused) {
    return Error(Errc::corrupt_data,
                 "segment " + file_name(base, log_suffix) + " of " + directory_->path() +
                     " begins below offset " + std::to_string(next_.value()) +
                     ", where the one before it ends; move away what does not belong there");
  }
  MILLRACE_CHECK(remove_segment_files(directory_, base));
  out_.bases.erase(out_.bases.begin() + static_cast<std::ptrdiff_t>(index));
  return true;
}

/// Where the offsets of a segment end at the latest.
Result<Offset> Recovery::limit_of(std::size_t index) {
  while (++index < out_.bases.size()) {
    MILLRACE_TRY(const bool unused, is_unused(index));
    if (!unused) return out_.bases[index];
  }
  // What was not published before the owner was killed does not count.
  return known_.is_same_run ? known_.log_end : no_limit;
}

Result<void> Recovery::scan() {
  out_.report.kind = RecoveryKind::scanned;
  out_.report.scanned_bytes = 0;
  std::size_t first = 0;
  const Offset from = known_.is_known ? known_.flushed : Offset{0};
  while (first + 1 < out_.bases.size() && out_.bases[first + 1] <= from) ++first;
  while (first > 0 && out_.bases[first] != known_.active_base) {
    MILLRACE_TRY(const bool unused, is_unused(first));
    if (!unused) break;
    --first;
  }
  next_ = out_.bases[first];
  out_.producers.scanned_from = next_;
  for (std::size_t i = first; i < out_.bases.size();) {
    if (i > first) {
      MILLRACE_TRY(const bool dropped, drop_if_unused(i));
      if (dropped) continue;
      if (!joins(known_, next_, out_.bases[i])) {
        MILLRACE_CHECK(cut_segments_after(i));
        break;
      }
      if (!out_.gaps_are_normal) lose(next_, out_.bases[i]);
    }
    MILLRACE_TRY(const Outcome outcome, scan_segment(i));
    if (outcome == Outcome::cut) MILLRACE_CHECK(cut_segments_after(i + 1));
    ++i;
  }
  if (next_ < known_.least_end()) {  // whatever came last: the end never moves back
    if (!out_.gaps_are_normal) lose(next_, known_.least_end());
    next_ = known_.least_end();
  }
  MILLRACE_CHECK(rebuild_active_indexes());
  out_.report.log_end_offset = next_;
  out_.flushed_offset = std::min(next_, from);
  return {};
}

Result<void> Recovery::rebuild_active_indexes() {
  const Offset base = out_.bases.back();
  MILLRACE_TRY(const FileBytes content, FileBytes::open(directory_, file_name(base, log_suffix)));
  Indexes indexes;
  MILLRACE_CHECK(open_indexes(indexes));
  auto& [offsets, times] = indexes;
  MILLRACE_CHECK(offsets.file().truncate(0));
  MILLRACE_CHECK(times.file().truncate(0));
  // Without space for more, a shorter index does: lookups walk further.
  const std::size_t entries = index_entries_for(out_.active_end, options_.index_interval_bytes);
  static_cast<void>(offsets.file().reserve(entries));
  static_cast<void>(times.file().reserve(entries));
  IndexPolicy policy(options_.index_interval_bytes);
  BatchScan scan(content.bytes().first(out_.active_end), base);
  for (auto step = scan.next(); step != BatchScan::Step::end; step = scan.next()) {
    if (step != BatchScan::Step::batch || !policy.add(scan.batch())) continue;
    append_index_entries(offsets, times, scan.batch(), scan.position(), policy.largest());
  }
  return {};
}

/// Zeroes what stands in `tail`, the bytes from `position` on.
Result<void> Recovery::cut_tail(Offset base, Bytes tail, std::uint64_t position) {
  const std::uint64_t length = end_of_content(tail, 0);
  if (length == 0) return {};
  out_.report.truncated_bytes += length;
  MILLRACE_TRY(os::File file,
               directory_->open(file_name(base, log_suffix), os::OpenMode::read_write));
  if (auto zeroed = file.write_zeros(position, length, zero_piece); !zeroed) {
    // On a file system that writes elsewhere even zeros need space; giving it back does not.
    if (zeroed.error().code() != Errc::no_space) return zeroed;
    MILLRACE_CHECK(file.resize(position));
  }
  // Before anything is appended over them, the old bytes must be gone for good: else a later crash
  // could bring back what stood behind them.
  return file.sync();
}

Result<void> Recovery::cut_segments_after(std::size_t count) {
  if (count == out_.bases.size()) return {};
  for (std::size_t k = out_.bases.size(); k-- > count;) {
    MILLRACE_CHECK(remove_segment_files(directory_, out_.bases[k]));
  }
  out_.bases.resize(count);
  return directory_->sync();
}

void Recovery::settle_without_segments(Offset start) {
  const Offset end = std::max(start, known_.is_known ? known_.flushed : start);
  out_.report.log_start_offset = out_.report.log_end_offset = out_.flushed_offset = end;
  lose(start, end);  // the files are gone
}

Result<RecoveredLog> Recovery::run() {
  MILLRACE_TRY(out_.bases, tidy_segment_files(directory_));
  out_.gaps_are_normal = known_.gaps_are_normal;
  const Offset start = known_.is_known ? known_.log_start : hints_.log_start_offset;
  if (!out_.bases.empty() && known_.is_stray(out_.bases.front())) {
    // What stood before the first segment was never durable: nor does what follows count.
    MILLRACE_CHECK(cut_segments_after(0));
  }
  if (out_.bases.empty()) {
    settle_without_segments(start);
    return std::move(out_);
  }
  bool trusted = false;
  if (known_.is_known) {
    lose(start, out_.bases.front());
    MILLRACE_TRY(trusted, trust_clean());
    if (!trusted) {
      MILLRACE_TRY(trusted, trust_same_run());
    }
  }
  if (!trusted) MILLRACE_CHECK(scan());
  const Offset end = out_.report.log_end_offset;
  out_.report.log_start_offset = std::clamp(start, std::min(out_.bases.front(), end), end);
  out_.flushed_offset = std::max(out_.flushed_offset, out_.report.log_start_offset);
  if (known_.is_known) {
    // After a scan the control file may be older than the batches behind what was flushed.
    out_.producers.snapshot = known_.producer_snapshot;
    out_.producers.quiet_until = std::min(known_.first_unsaved, trusted ? end : known_.flushed);
  }
  return std::move(out_);
}

}  // namespace

Result<RecoveredLog> recover(const os::DirectoryPtr& directory, const LogOptions& options,
                             const ControlFile& control, const RecoveryHints& hints) {
  const auto begin = std::chrono::steady_clock::now();
  MILLRACE_TRY(KnownState known, judge_control(directory, control));
  if (!known.is_known) known.durable = std::max(known.durable, hints.recovery_point);
  known.gaps_are_normal |= options.cleanup_compact;
  auto recovered = Recovery(directory, options, known, hints).run();
  if (recovered) {
    recovered->report.took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin);
  }
  return recovered;
}

}  // namespace millrace::inline v0::storage

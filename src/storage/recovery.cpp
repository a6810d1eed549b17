#include <millrace/storage/recovery.hpp>

#include <algorithm>
#include <limits>

#include <millrace/storage/file_names.hpp>
#include <millrace/storage/tidy.hpp>

namespace millrace::inline v0::storage {
namespace {

/// One past the last byte at or after `position` that is not zero; `position` if all are.
std::uint64_t end_of_content(Bytes bytes, std::uint64_t position) {
  std::uint64_t end = bytes.size();
  while (end > position && bytes[end - 1] == std::byte{0}) --end;
  return end;
}

/// One recovery in progress.
class Recovery {
 public:
  Recovery(const os::DirectoryPtr& directory, const LogOptions& options, const ControlFile& control,
           const RecoveryHints& hints)
      : directory_(directory), options_(options), control_(control), hints_(hints) {}

  Result<RecoveredLog> run();

 private:
  struct Tail {
    os::File file;
    os::Mapping map;
    std::uint64_t size = 0;
    Bytes bytes() const { return {map.data(), size}; }
  };

  Result<Tail> open_tail(Offset base);
  Result<bool> trust_clean();
  Result<bool> trust_same_run();
  Result<void> scan();
  Result<bool> scan_segment(std::size_t index);
  Result<std::uint64_t> walk(const Tail& tail, bool is_last, bool& torn);
  bool step_over_damage(const Tail& tail, std::uint64_t& position, bool is_last);
  Result<void> cut_segments_after(std::size_t count);
  Result<void> rebuild_active_indexes();
  Result<void> cut_tail(Tail& tail, std::uint64_t position, std::uint64_t look_bytes);
  Result<void> reset_active_indexes(Offset base, Offset keep_below);
  Offset known_durable() const;
  ControlState state() const {
    return static_cast<ControlState>(control_.block().state.load());
  }

  const os::DirectoryPtr& directory_;
  const LogOptions& options_;
  const ControlFile& control_;
  const RecoveryHints& hints_;
  RecoveredLog out_;
  Offset next_;  // offset expected of the next batch while scanning
};

Result<Recovery::Tail> Recovery::open_tail(Offset base) {
  Tail tail;
  MILLRACE_TRY(tail.file, directory_->open(file_name(base, log_suffix), os::OpenMode::read_write));
  MILLRACE_TRY(tail.size, tail.file.size());
  if (tail.size != 0) {
    MILLRACE_TRY(tail.map, os::Mapping::map(tail.file, tail.size, os::MapMode::read_only));
  }
  return tail;
}

Offset Recovery::known_durable() const {
  Offset known = hints_.recovery_point;
  if (control_.is_valid()) known = std::max(known, Offset{control_.block().flushed_offset.load()});
  return known;
}

Result<bool> Recovery::trust_clean() {
  const ControlBlock& control = control_.block();
  if (state() != ControlState::clean) return false;
  if (control.active_base_offset.load() != out_.bases.back().value()) return false;
  MILLRACE_TRY(os::File file, directory_->open(file_name(out_.bases.back(), log_suffix),
                                               os::OpenMode::read_only));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  if (size != control.active_end.load()) return false;
  out_.active_end = size;
  out_.report.log_end_offset = Offset{control.log_end_offset.load()};
  out_.flushed_offset = out_.report.log_end_offset;
  out_.report.kind = RecoveryKind::clean;
  return true;
}

Result<bool> Recovery::trust_same_run() {
  const ControlBlock& control = control_.block();
  const Offset base = out_.bases.back();
  if (state() != ControlState::live || control.active_base_offset.load() != base.value()) {
    return false;
  }
  MILLRACE_TRY(Tail tail, open_tail(base));
  MILLRACE_TRY(const os::FileIdentity identity, tail.file.identity());
  if (!identity.known() || identity != load_identity(control)) return false;
  const Offset end{control.log_end_offset.load()};

  MILLRACE_CHECK(reset_active_indexes(base, end));
  OffsetIndex offsets;
  TimeIndex times;
  const std::uint64_t limit = options_.segment_index_bytes;
  MILLRACE_CHECK(offsets.open(directory_, base, IndexMode::attached, limit));
  MILLRACE_CHECK(times.open(directory_, base, IndexMode::attached, limit / 8 * 12));
  std::uint64_t position = 0;
  next_ = base;
  if (const auto entry = offsets.at_or_below(end - 1)) {
    position = entry->position.value();
    const auto batch = record::BatchView::try_parse(
        position < tail.size ? tail.bytes().subspan(position) : Bytes());
    if (batch.size() == 0 || batch.last_offset() != entry->offset) return false;
    next_ = batch.base_offset();
  }
  if (const auto last = times.last()) out_.largest = {last->timestamp, last->offset};
  std::uint64_t look = std::min<std::uint64_t>(tail.size, position + 4096);
  while (next_ < end && position < tail.size) {
    look = std::min<std::uint64_t>(tail.size, position + options_.max_message_bytes);
    MILLRACE_CHECK(tail.map.populate_read(position, look - position));
    const auto batch = record::BatchView::try_parse(tail.bytes().subspan(position));
    if (batch.size() == 0 || batch.base_offset() != next_ || !batch.crc_matches()) return false;
    if (batch.max_timestamp() > out_.largest.timestamp) {
      out_.largest = {batch.max_timestamp(), batch.last_offset()};
    }
    out_.report.scanned_bytes += batch.size();
    position += batch.size();
    next_ = batch.next_offset();
  }
  if (next_ != end) return false;
  MILLRACE_CHECK(cut_tail(tail, position, 2 * std::uint64_t{options_.max_message_bytes}));
  out_.active_end = position;
  out_.report.log_end_offset = end;
  out_.flushed_offset = Offset{control.flushed_offset.load()};
  out_.report.kind = RecoveryKind::same_run;
  return true;
}

Result<void> Recovery::reset_active_indexes(Offset base, Offset keep_below) {
  OffsetIndex offsets;
  TimeIndex times;
  const std::uint64_t limit = options_.segment_index_bytes;
  auto open = [&]() -> Result<void> {
    MILLRACE_CHECK(offsets.open(directory_, base, IndexMode::active, limit));
    return times.open(directory_, base, IndexMode::active, limit / 8 * 12);
  };
  MILLRACE_CHECK(open());
  const std::size_t keep = offsets.entries_below(keep_below);
  MILLRACE_CHECK(offsets.file().truncate(keep));
  // The time entry of a batch is stored right after its offset entry, in two steps that a killed
  // process may not finish: keep only those whose batch has an offset entry.
  const Offset covered = keep == 0 ? base : offsets.entry(keep - 1).offset + 1;
  std::size_t kept_times = times.file().count();
  while (kept_times > 0 && times.entry(kept_times - 1).offset >= covered) --kept_times;
  return times.file().truncate(kept_times);
}

bool Recovery::step_over_damage(const Tail& tail, std::uint64_t& position, bool is_last) {
  const Offset durable = known_durable();
  if (next_ >= durable) return false;
  const auto found = find_next_batch(tail.bytes(), position, next_,
                                     Offset{std::numeric_limits<std::int64_t>::max()});
  if (found) {
    const auto batch = record::BatchView::try_parse(tail.bytes().subspan(*found));
    out_.report.damaged.push_back({next_, batch.base_offset()});
    position = *found;
    next_ = batch.base_offset();
    return true;
  }
  if (is_last) {
    // The damaged bytes stay for who may want to mend them; appends go on behind them.
    out_.report.damaged.push_back({next_, durable});
    next_ = durable;
    position = end_of_content(tail.bytes(), position);
  }
  return false;
}

Result<std::uint64_t> Recovery::walk(const Tail& tail, bool is_last, bool& torn) {
  std::uint64_t position = 0;
  torn = false;
  while (position < tail.size) {
    const auto batch = record::BatchView::try_parse(tail.bytes().subspan(position));
    const bool in_order = batch.size() != 0 &&
                          (batch.base_offset() == next_ ||
                           (options_.cleanup_compact && batch.base_offset() > next_));
    if (!in_order || !batch.crc_matches()) {
      if (step_over_damage(tail, position, is_last)) continue;
      torn = true;
      break;
    }
    if (batch.max_timestamp() > out_.largest.timestamp) {
      out_.largest = {batch.max_timestamp(), batch.last_offset()};
    }
    out_.report.scanned_bytes += batch.size();
    position += batch.size();
    next_ = batch.next_offset();
  }
  return position;
}

Result<bool> Recovery::scan_segment(std::size_t index) {
  const Offset base = out_.bases[index];
  const bool is_last = index + 1 == out_.bases.size();
  MILLRACE_TRY(Tail tail, open_tail(base));
  if (tail.size != 0) MILLRACE_CHECK(tail.map.populate_read(0, tail.size));
  next_ = std::max(next_, base);
  out_.largest = {Timestamp::none(), base};
  bool torn = false;
  MILLRACE_TRY(const std::uint64_t position, walk(tail, is_last, torn));
  out_.active_end = position;
  if (!is_last) {
    const Offset following = out_.bases[index + 1];
    const bool only_untrimmed =
        next_ == following && end_of_content(tail.bytes(), position) == position;
    if (only_untrimmed && position < tail.size) MILLRACE_CHECK(tail.file.resize(position));
    if (!torn || only_untrimmed) return true;
    if (next_ < known_durable()) {
      out_.report.damaged.push_back({next_, following});
      return true;
    }
  }
  MILLRACE_CHECK(cut_tail(tail, position, tail.size));
  return is_last;
}

Result<void> Recovery::rebuild_active_indexes() {
  const Offset base = out_.bases.back();
  MILLRACE_TRY(Tail tail, open_tail(base));
  OffsetIndex offsets;
  TimeIndex times;
  const std::uint64_t limit = options_.segment_index_bytes;
  MILLRACE_CHECK(offsets.open(directory_, base, IndexMode::active, limit));
  MILLRACE_CHECK(times.open(directory_, base, IndexMode::active, limit / 8 * 12));
  MILLRACE_CHECK(offsets.file().truncate(0));
  MILLRACE_CHECK(times.file().truncate(0));
  // Without space for more, a shorter index does: lookups walk further.
  const std::size_t entries =
      index_entries_for(out_.active_end, options_.index_interval_bytes);
  static_cast<void>(offsets.file().reserve(entries));
  static_cast<void>(times.file().reserve(entries));
  IndexPolicy policy(options_.index_interval_bytes);
  for (std::uint64_t position = 0; position < out_.active_end;) {
    const auto batch = record::BatchView::try_parse(tail.bytes().subspan(position));
    if (batch.size() == 0) break;
    if (policy.add(batch)) append_index_entries(offsets, times, batch, position, policy.largest());
    position += batch.size();
  }
  return {};
}

Result<void> Recovery::cut_tail(Tail& tail, std::uint64_t position, std::uint64_t look_bytes) {
  const std::uint64_t until = std::min(tail.size, position + look_bytes);
  if (until <= position) return {};
  MILLRACE_CHECK(tail.map.populate_read(position, until - position));
  const std::uint64_t end = end_of_content(tail.bytes().first(until), position);
  if (end == position) return {};
  out_.report.truncated_bytes += end - position;
  MILLRACE_CHECK(tail.file.write_zeros(position, end - position, 64u << 10));
  // Before anything is appended over them, the old bytes must be gone for good: else a later crash
  // could bring back what stood behind them.
  return tail.file.sync();
}

Result<void> Recovery::cut_segments_after(std::size_t count) {
  for (std::size_t k = out_.bases.size(); k-- > count;) {
    MILLRACE_CHECK(remove_segment_files(directory_, out_.bases[k]));
  }
  out_.bases.resize(count);
  return directory_->sync();
}

Result<void> Recovery::scan() {
  out_.report.kind = RecoveryKind::scanned;
  std::size_t first = 0;
  const Offset from = known_durable();
  while (first + 1 < out_.bases.size() && out_.bases[first + 1] <= from) ++first;
  next_ = out_.bases[first];
  for (std::size_t i = first; i < out_.bases.size(); ++i) {
    const Offset base = out_.bases[i];
    if (i > first && base > next_ && !options_.cleanup_compact) {
      if (next_ >= known_durable()) {
        MILLRACE_CHECK(cut_segments_after(i));
        break;
      }
      out_.report.damaged.push_back({next_, base});
    }
    if (state() == ControlState::failed) {
      MILLRACE_TRY(os::File file, directory_->open(file_name(base, log_suffix),
                                                   os::OpenMode::read_only));
      static_cast<void>(file.drop_cache());
    }
    MILLRACE_TRY(const bool whole, scan_segment(i));
    if (!whole) {
      MILLRACE_CHECK(cut_segments_after(i + 1));
      break;
    }
    if (i + 1 < out_.bases.size()) {
      // Sealed, but perhaps not synced: its indexes are rebuilt when somebody asks.
      MILLRACE_CHECK(directory_->remove(file_name(base, offset_index_suffix)));
      MILLRACE_CHECK(directory_->remove(file_name(base, time_index_suffix)));
    }
  }
  MILLRACE_TRY(os::File active, directory_->open(file_name(out_.bases.back(), log_suffix),
                                                 os::OpenMode::read_write));
  MILLRACE_TRY(const std::uint64_t size, active.size());
  out_.active_end = std::min(out_.active_end, size);
  MILLRACE_CHECK(rebuild_active_indexes());
  // The tail was read, not necessarily from the disk: make it durable before it is built upon.
  MILLRACE_CHECK(active.sync());
  out_.report.log_end_offset = next_;
  out_.flushed_offset = next_;
  return {};
}

Result<RecoveredLog> Recovery::run() {
  MILLRACE_TRY(out_.bases, tidy_segment_files(directory_));
  const bool control_usable = control_.is_valid();
  Offset start = hints_.log_start_offset;
  if (control_usable) start = std::max(start, Offset{control_.block().log_start_offset.load()});
  if (out_.bases.empty()) {
    Offset end = std::max(start, hints_.recovery_point);
    if (control_usable) end = std::max(end, Offset{control_.block().log_end_offset.load()});
    out_.report.log_start_offset = out_.report.log_end_offset = out_.flushed_offset = end;
    if (end > start) out_.report.damaged.push_back({start, end});  // the files are gone
    return std::move(out_);
  }
  bool trusted = false;
  if (control_usable) {
    MILLRACE_TRY(trusted, trust_clean());
    if (!trusted) {
      MILLRACE_TRY(trusted, trust_same_run());
    }
  }
  if (!trusted) {
    out_.report.scanned_bytes = 0;
    MILLRACE_CHECK(scan());
  }
  out_.report.log_start_offset = std::clamp(start, out_.bases.front(), out_.report.log_end_offset);
  return std::move(out_);
}

}  // namespace

std::optional<std::uint64_t> find_next_batch(Bytes log, std::uint64_t position, Offset offset,
                                             Offset offset_limit) {
  for (; position + record::layout::header_bytes <= log.size(); ++position) {
    if (log[position + record::layout::magic] != std::byte{record::current_magic}) continue;
    const auto batch = record::BatchView::try_parse(log.subspan(position));
    if (batch.size() == 0 || batch.base_offset() < offset || batch.base_offset() >= offset_limit) {
      continue;
    }
    if (batch.crc_matches()) return position;
  }
  return std::nullopt;
}

Result<RecoveredLog> recover(const os::DirectoryPtr& directory, const LogOptions& options,
                             const ControlFile& control, const RecoveryHints& hints) {
  const auto begin = std::chrono::steady_clock::now();
  auto recovered = Recovery(directory, options, control, hints).run();
  if (recovered) {
    recovered->report.took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin);
  }
  return recovered;
}

}  // namespace millrace::inline v0::storage

#include "storage/known_state.hpp"

#include <charconv>
#include <limits>
#include <millrace/storage/checkpoint.hpp>
#include <millrace/storage/epoch_cache.hpp>
#include <millrace/storage/file_names.hpp>

namespace millrace::inline v0::storage {
namespace {

constexpr Offset no_limit{std::numeric_limits<std::int64_t>::max()};

bool is_same_file(const os::DirectoryPtr& directory, const ControlBlock& block, Offset base) {
  const auto file = directory->open(file_name(base, log_suffix), os::OpenMode::read_only);
  if (!file) return false;
  const auto identity = file->identity();
  return identity && identity->known() && *identity == load_identity(block);
}

Result<KnownState> unknown_state(const os::DirectoryPtr& directory, std::string fault) {
  KnownState known;
  known.fault = std::move(fault);
  MILLRACE_TRY(known.gaps_are_normal, directory->exists(cleaner_checkpoint_name));
  // The control file is synced before the first flush is acknowledged, and leader epochs after it:
  // a log that has epochs has lost its control file, and all of it may have been durable.
  MILLRACE_TRY(const bool was_flushed, directory->exists(EpochCache::file_name));
  if (was_flushed) known.durable = no_limit;
  return known;
}

}  // namespace

std::optional<Offset> read_cleaner_checkpoint(const os::DirectoryPtr& directory) {
  const auto text = directory->read_file(cleaner_checkpoint_name);
  if (!text) return std::nullopt;
  const auto lines = parse_checkpoint(*text, cleaner_checkpoint_name);
  if (!lines || lines->size() != 1) return std::nullopt;
  const std::string& line = lines->front();
  std::int64_t offset = -1;
  const auto [end, code] = std::from_chars(line.data(), line.data() + line.size(), offset);
  if (code != std::errc{} || end != line.data() + line.size() || offset < 0) return std::nullopt;
  return Offset{offset};
}

DamageVerdict judge_damage(const KnownState& known, const DamagePlace& place) {
  const OffsetRange missing = place.missing;
  if (missing.begin >= known.durable) return {.ends_log = true};
  const bool good_behind = missing.begin < missing.end;
  if (good_behind && missing.end <= known.durable) return {.is_kept = true, .lost = missing};
  const bool ends_segment = !good_behind && place.next_base.has_value();
  const bool is_durable = ends_segment && *place.next_base <= known.durable;
  // In a log with gaps, what was durable may have ended before: this is what came behind it.
  const bool may_be_behind = known.gaps_are_normal && !is_durable &&
                             (ends_segment || place.position >= known.stored_bytes());
  if (ends_segment && !may_be_behind) return {.is_kept = true, .lost = missing};
  if (!known.is_known || may_be_behind) return {.ends_log = true};
  // Nothing good is left of what was durable; what is found behind it never was.
  return {.ends_log = true, .is_kept = true, .lost = {missing.begin, known.durable}};
}

bool joins(const KnownState& known, Offset end, Offset base) {
  // A hole that compaction left cannot be told from one where something durable is missing.
  return base <= std::max(end, known.durable) || (end < known.durable && !known.gaps_are_normal);
}

Result<KnownState> judge_control(const os::DirectoryPtr& directory, const ControlFile& control) {
  if (!control.is_valid()) return unknown_state(directory, "incomplete or of another format");
  const ControlBlock& block = control.block();
  KnownState known;
  known.state = static_cast<ControlState>(block.state.load());
  known.log_start = Offset{block.log_start_offset.load()};
  known.log_end = Offset{block.log_end_offset.load()};
  known.active_base = Offset{block.active_base_offset.load()};
  known.active_end = block.active_end.load();
  known.producer_snapshot = Offset{block.producer_snapshot.load()};
  known.first_unsaved = Offset{block.first_unsaved_offset.load()};
  known.flushed = known.durable = Offset{block.flushed_offset.load()};
  // The base may be above the end: a cut that was interrupted has moved the end first.
  const bool in_order = Offset{0} <= known.log_start && known.log_start <= known.log_end &&
                        Offset{0} <= known.durable && known.durable <= known.log_end &&
                        Offset{0} <= known.active_base;
  if (!in_order) return unknown_state(directory, "damaged");
  switch (known.state) {
    case ControlState::live:
    case ControlState::failed:
      break;
    case ControlState::clean:
      if (!control.is_sealed()) return unknown_state(directory, "damaged");
      break;
    default:
      return unknown_state(directory, "incomplete");
  }
  known.is_known = true;
  MILLRACE_TRY(const bool was_cleaned, directory->exists(cleaner_checkpoint_name));
  known.gaps_are_normal = was_cleaned || block.compacted != 0;
  known.is_same_run = known.state == ControlState::live && known.active_base <= known.log_end &&
                      is_same_file(directory, block, known.active_base);
  if (known.is_same_run) known.durable = known.log_end;
  return known;
}

Result<KnownState> read_known_state(const os::DirectoryPtr& directory) {
  MILLRACE_TRY(const bool exists, directory->exists(ControlFile::name));
  if (!exists) {
    MILLRACE_TRY(KnownState known, unknown_state(directory, "missing"));
    known.is_missing = true;
    return known;
  }
  const auto control = ControlFile::attach(directory);
  if (control) return judge_control(directory, *control);
  return unknown_state(directory, "unreadable (" + control.error().message() + ")");
}

}  // namespace millrace::inline v0::storage

#include "log_model.hpp"

#include <fmt/format.h>

#include <array>
#include <millrace/record/compression.hpp>

#include "weighted.hpp"

namespace millrace::test {
namespace {

using storage::RecoveryKind;
using storage::WritePath;

std::vector<ModelRecord> without_headers(const std::vector<PlainRecord>& records) {
  std::vector<ModelRecord> plain;
  for (const auto& r : records) plain.push_back({r.offset, r.timestamp, r.key, r.value, {}});
  return plain;
}

std::vector<std::byte> encode(const std::vector<ModelRecord>& records, record::Codec codec) {
  std::vector<PlainRecord> plain;
  for (const auto& r : records) plain.push_back({r.offset, r.time, r.key, r.value});
  return batch_of(plain, {.codec = record::codec_available(codec) ? codec : record::Codec::none});
}

}  // namespace

LogModel::LogModel(std::uint64_t seed)
    : rng_(seed),
      in_memory_(chance(3)),
      compacts_(chance(2)),
      options_(some_options()),
      place_(in_memory_) {
  log_ = open_log(place_.directory, options_, clock_);
  name_ = fmt::format("seed {}, {}, {}", seed, in_memory_ ? "in memory" : "on disk",
                      compacts_ ? "compacted" : "with retention");
}

storage::LogOptions LogModel::some_options() {
  storage::LogOptions options;
  options.segment_bytes = std::array<std::uint64_t, 4>{4096, 6000, 20'000, 100'000}[random(4)];
  options.segment_index_bytes = chance(3) ? 64 : 4096;
  options.index_interval_bytes = std::array<std::uint32_t, 4>{0, 200, 1000, 4096}[random(4)];
  options.max_message_bytes = 4000;
  options.preallocate = chance(4);
  options.write_path = chance(2) ? WritePath::write : WritePath::mapped;
  options.visible_on_append = chance(2);
  options.file_delete_delay = std::chrono::milliseconds(chance(2) ? 0 : 60'000);
  options.cleanup_compact = compacts_;
  options.cleanup_delete = !compacts_;
  options.retention_ms = std::chrono::milliseconds(-1);
  options.retention_bytes = chance(2) ? 20'000 : 60'000;
  options.delete_retention = std::chrono::seconds(100);
  return options;
}

std::span<const LogModel::Step> LogModel::steps() {
  static const std::array all = {Step{"append_batch", 25, &LogModel::append_batch},
                                 Step{"append_record", 25, &LogModel::append_record},
                                 Step{"replicate", 12, &LogModel::replicate},
                                 Step{"flush", 8, &LogModel::flush},
                                 Step{"roll", 4, &LogModel::roll},
                                 Step{"prepare", 3, &LogModel::prepare},
                                 Step{"truncate", 6, &LogModel::truncate},
                                 Step{"delete_before", 3, &LogModel::delete_before},
                                 Step{"retain", 4, &LogModel::retain},
                                 Step{"compact", 6, &LogModel::compact},
                                 Step{"alter", 3, &LogModel::alter},
                                 Step{"close", 3, &LogModel::close},
                                 Step{"kill", 3, &LogModel::kill},
                                 Step{"attach", 3, &LogModel::attach},
                                 Step{"read", 20, &LogModel::read},
                                 Step{"find_time", 8, &LogModel::find_time}};
  return all;
}

std::string LogModel::run(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const Step* const chosen =
        &choose_weighted(steps(), [this](std::uint64_t below) { return random(below); });
    std::string wrong;
    try {
      wrong = (this->*chosen->take)();
      if (wrong.empty()) wrong = check_offsets();
    } catch (const std::exception& error) {  // of value()
      wrong = error.what();
    }
    if (!wrong.empty()) return fmt::format("{}: step {}, {}: {}", name_, i, chosen->name, wrong);
  }
  return {};
}

std::int64_t LogModel::random_offset() {
  const auto span = static_cast<std::uint64_t>(reference_.end() - reference_.start());
  return reference_.start() - 2 + static_cast<std::int64_t>(random(span + 5));
}

std::vector<ModelRecord> LogModel::make_batch() {
  clock_.advance(std::chrono::milliseconds(random(1000)));
  std::vector<ModelRecord> records;
  const std::uint64_t count = 1 + random(chance(5) ? 12 : 4);
  for (std::uint64_t i = 0; i < count; ++i) {
    ModelRecord record;
    record.time = clock_.now().milliseconds() - static_cast<std::int64_t>(random(3000));
    record.key = "key-" + std::to_string(random(8));
    if (!chance(8)) {
      record.value = "value-" + std::to_string(next_value_++);
      record.value->resize(record.value->size() + random(150), '.');
    }
    records.push_back(std::move(record));
  }
  return records;
}

std::string LogModel::take(const storage::Appended& done, std::vector<ModelRecord> records) {
  reference_.append(std::move(records), done.base_offset.value());
  may_end_in_hole_ = false;
  return done.next_offset.value() == reference_.end() ? std::string() : "another end is told";
}

std::string LogModel::append_batch() {
  auto records = make_batch();
  auto bytes = encode(records, static_cast<record::Codec>(random(5)));
  const std::int64_t base = reference_.end();
  const auto done = log_->append(bytes).value();
  if (done.base_offset.value() != base) return "appended elsewhere than at the end";
  return take(done, std::move(records));
}

std::string LogModel::append_record() {
  auto records = make_batch();
  records.resize(1);
  const std::int64_t base = reference_.end();
  const auto done = log_->append_record(Timestamp{records[0].time}, viewed(records[0].key),
                                        viewed(records[0].value))
                        .value();
  if (done.base_offset.value() != base) return "appended elsewhere than at the end";
  return take(done, std::move(records));
}

std::string LogModel::replicate() {
  const std::int64_t gap = compacts_ && chance(2) ? static_cast<std::int64_t>(random(30)) : 0;
  const std::int64_t base = reference_.end() + gap;
  auto records = make_batch();
  auto bytes = encode(records, record::Codec::none);
  record::stamp_batch(bytes, Offset{base}, LeaderEpoch{0});
  const auto done = log_->append_as_given(bytes).value();
  if (done.base_offset.value() != base) return "a batch with an offset went elsewhere";
  return take(done, std::move(records));
}

std::string LogModel::flush() {
  if (chance(3)) {
    log_->flush_sealed().value();
    return {};
  }
  const std::int64_t flushed = log_->flush().value().value();
  shown_ = reference_.end();
  return flushed == reference_.end() ? std::string() : "flush() left records unflushed";
}

std::string LogModel::roll() {
  return log_->roll().value(), std::string();
}
std::string LogModel::prepare() {
  return log_->prepare().value(), std::string();
}

std::string LogModel::truncate() {
  const std::int64_t asked = random_offset();
  log_->truncate_to(Offset{asked}).value();
  const std::int64_t end = log_->log_end_offset().value();
  if (asked >= reference_.end()) {
    return end == reference_.end() ? std::string() : "a cut at the end changed it";
  }
  const std::int64_t most = std::max(asked, reference_.start());
  const std::int64_t least = reference_.least_cut(most);
  if (end < least || end > most || (!compacts_ && end != least)) {
    return fmt::format("a cut at {} leaves the end at {} instead of {}", asked, end, least);
  }
  reference_.truncate(end);
  may_end_in_hole_ = compacts_;
  shown_ = std::min(shown_, end);
  return check_all();
}

std::string LogModel::delete_before() {
  const std::int64_t offset = random_offset();
  const bool is_shown = offset <= log_->high_watermark().value();
  const auto deleted = log_->delete_before(Offset{offset});
  if (!is_shown) {
    const bool refused = !deleted && deleted.error().code() == Errc::offset_out_of_range;
    return refused ? std::string() : "records that nobody sees yet were deleted";
  }
  deleted.value();
  reference_.raise_start(offset);
  return {};
}

std::string LogModel::retain() {
  log_->apply_retention().value();
  clock_.advance(std::chrono::seconds(random(70)));
  log_->remove_deleted().value();
  const std::int64_t start = log_->log_start_offset().value();
  if (start < reference_.start()) return "the log's start fell";
  if (start > reference_.start()) {
    if (compacts_) return "records were dropped without a policy";
    if (log_->size_bytes() < static_cast<std::uint64_t>(options_.retention_bytes)) {
      return "retention kept less than retention.bytes";
    }
  }
  reference_.raise_start(start);
  return {};
}

std::string LogModel::compact() {
  if (!compacts_) return {};
  log_->compact(chance(2)).value();
  const auto list = log_->segments().value();
  const std::int64_t below =
      list->segments.empty() ? 0 : list->segments.back()->base_offset().value();
  reference_.compacted(below, clock_.now().milliseconds(), options_.delete_retention.count());
  return check_all();
}

std::string LogModel::alter() {
  options_ = some_options();
  log_->set_options(options_);
  return {};
}

std::string LogModel::open(RecoveryKind kind) {
  if (log_->segments().value()->segments.empty()) kind = RecoveryKind::created;
  log_.reset();
  log_ = open_log(place_.directory, options_, clock_);
  const bool scans_for_hole = may_end_in_hole_ && log_->recovery().kind == RecoveryKind::scanned;
  if (log_->recovery().kind != kind && !scans_for_hole) {
    return fmt::format("recovery was of kind {}", static_cast<int>(log_->recovery().kind));
  }
  if (log_->high_watermark() != log_->log_end_offset()) return "not all is visible again";
  shown_ = reference_.end();
  return check_all();
}

std::string LogModel::close() {
  log_->close().value();
  if (log_->append_record(Timestamp{1}, Bytes{}, Bytes{}).error().code() != Errc::closed) {
    return "a closed log took a record";
  }
  return open(RecoveryKind::clean);
}

std::string LogModel::kill() {
  if (log_->recovery().kind == RecoveryKind::clean && chance(2)) log_->flush().value();
  const bool was_used =
      log_->control().state.load() != static_cast<std::uint32_t>(storage::ControlState::clean);
  return open(was_used ? RecoveryKind::same_run : RecoveryKind::clean);
}

std::string LogModel::attach() {
  if (in_memory_) return {};
  attached_ = storage::AttachedLog::open(place_.directory).value();
  return {};
}

std::string LogModel::read() {
  const std::int64_t from = random_offset();
  const Offset limit = log_->high_watermark();
  storage::LogCursor cursor(*log_, Offset{from});
  const auto chunk = cursor.read(limit, {.max_bytes = 1 + random(3000), .check_crc = chance(2)});
  if (from < reference_.start() || from > limit.value()) {
    const bool refused = !chunk && chunk.error().code() == Errc::offset_out_of_range;
    return refused ? std::string() : fmt::format("offset {} was read", from);
  }
  if (!chunk) return fmt::format("offset {}: {}", from, chunk.error().message());
  std::vector<PlainRecord> found;
  decode(chunk->bytes, Offset{from}, found);
  const std::int64_t to = chunk->empty() ? limit.value() : chunk->end.value();
  if (to > limit.value()) return "a read went behind its limit";
  return reference_.difference(without_headers(found), from, to);
}

std::string LogModel::find_time() {
  // Only of what is visible the books know which records compaction took.
  if (compacts_) log_->flush().value();
  if (auto wrong = check_all(); !wrong.empty()) return wrong;
  std::int64_t time = clock_.now().milliseconds() - static_cast<std::int64_t>(random(5000));
  if (const auto* some = reference_.at_or_after(random_offset()); some != nullptr && chance(2)) {
    time = some->time + static_cast<std::int64_t>(random(3)) - 1;
  }
  const std::int64_t limit = log_->high_watermark().value();
  std::int64_t expected = reference_.offset_for_time(time).value_or(limit);
  if (expected >= limit) expected = -1;
  const auto found = storage::find_time(*log_, Timestamp{time}, Offset{limit}).value();
  const std::int64_t offset = found ? found->offset.value() : -1;
  if (offset == expected) return {};
  return fmt::format("the first record at {} or later is {} instead of {}", time, offset, expected);
}

std::string LogModel::check_offsets() {
  const std::int64_t start = log_->log_start_offset().value();
  const std::int64_t shown = log_->high_watermark().value();
  const std::int64_t end = log_->log_end_offset().value();
  if (options_.visible_on_append) shown_ = reference_.end();
  if (start != reference_.start() || end != reference_.end() || shown < shown_ || shown < start ||
      shown > end) {
    return fmt::format("[{}, {}) up to {} instead of [{}, {}) up to {} or more", start, end, shown,
                       reference_.start(), reference_.end(), shown_);
  }
  if (attached_ && attached_->visible_end().value() != shown) {
    return fmt::format("attached, {} instead of {} are visible", attached_->visible_end().value(),
                       shown);
  }
  shown_ = shown;
  return {};
}

std::string LogModel::check_source(storage::SegmentSource& source) {
  const Offset limit = log_->high_watermark();
  const auto found = read_all(source, Offset{reference_.start()}, limit, 1 + random(5000));
  if (limit.value() == reference_.end()) return reference_.settle(without_headers(found));
  return reference_.difference(without_headers(found), reference_.start(), limit.value());
}

std::string LogModel::check_all() {
  if (auto wrong = check_offsets(); !wrong.empty()) return wrong;
  if (!options_.visible_on_append && chance(2)) {
    log_->flush().value();
    shown_ = reference_.end();
  }
  if (auto wrong = check_source(*log_); !wrong.empty()) return wrong;
  if (!attached_) return {};
  auto wrong = check_source(*attached_);
  return wrong.empty() ? wrong : "attached, " + wrong;
}

}  // namespace millrace::test

#include <limits>
#include <millrace/core/assert.hpp>
#include <millrace/storage/log.hpp>

// How batches become part of a log.

namespace millrace::inline v0::storage {
namespace {

Error too_large(std::size_t bytes, std::uint64_t limit, const char* option) {
  return {Errc::record_too_large, "a batch of " + std::to_string(bytes) + " bytes is larger than " +
                                      option + " (" + std::to_string(limit) +
                                      "); raise it on the topic, or send less at once"};
}

/// Refuses a batch that has a record without a key.
Result<void> check_keys(const record::BatchView& batch) {
  if (batch.is_control()) return {};
  std::vector<std::byte> scratch;
  MILLRACE_TRY(auto cursor, record::RecordCursor::open(batch, scratch));
  record::RecordView record;
  while (cursor.next(record) == record::RecordCursor::Step::record) {
    if (!record.key) return Log::key_missing();
  }
  return {};
}

}  // namespace

Error Log::key_missing() {
  return {Errc::invalid_record,
          "a record without a key cannot go to a compacted topic, which keeps the last record of "
          "each key; send it with a key, or take compact out of cleanup.policy"};
}

Result<void> Log::check_size(std::size_t bytes) const {
  if (bytes <= options_.max_message_bytes) [[likely]]
    return {};
  return too_large(bytes, options_.max_message_bytes, "max.message.bytes");
}

Result<void> Log::make_space_for(std::size_t bytes, OffsetRange offsets, Timestamp time,
                                 bool& rolled) {
  MILLRACE_CHECK(check_usable());
  if (bytes > options_.segment_bytes) {
    return too_large(bytes, options_.segment_bytes, "segment.bytes");
  }
  if (!active_) [[unlikely]]
    MILLRACE_CHECK(resume_locked());
  if (active_->must_roll(bytes, offsets.end - 1, time)) [[unlikely]] {
    // A replicated batch far behind the log's end (compaction took all between) starts its own.
    const bool far = offsets.end - log_end_offset() > std::numeric_limits<std::int32_t>::max();
    MILLRACE_CHECK(roll_locked(far ? offsets.begin : log_end_offset()));
    rolled = true;
  }
  return active_->make_room(bytes);
}

Result<void> Log::store(Bytes batch, bool in_place) {
  auto stored = active_->store(batch, in_place);
  // An entry for a marker that is not there could hide what is committed at its offset.
  if (stored || (active_->take_back(batch.size()) && producers_.take_back())) return stored;
  return fail_locked(std::move(stored).error());
}

Appended Log::publish(const record::BatchView& batch, bool rolled) {
  active_->commit(batch);
  const bool has_producer = batch.producer().id >= 0;
  if (has_producer) producers_.apply(batch);
  ControlBlock& block = control_.block();
  const Offset next = batch.next_offset();
  block.active_end.store(active_->end(), std::memory_order_release);
  block.log_end_offset.store(next.value(), std::memory_order_release);
  if (options_.visible_on_append) {
    block.high_watermark.store(next.value(), std::memory_order_release);
    if (has_producer) producers_.show(next);
  }
  Appended done{batch.base_offset(), next, Timestamp::none(), rolled, active_->wants_room()};
  done.wants_snapshot = has_producer && producers_.wants_snapshot();
  return done;
}

void Log::note_epoch(LeaderEpoch epoch, Offset start) {
  if (epochs_.latest() == epoch) [[likely]]
    return;
  // The control file keeps one that is not saved yet for a killed process, no more.
  if (epochs_dirty_ && save_epochs()) epochs_dirty_ = false;
  epochs_dirty_ |= epochs_.assign(epoch, start);
  publish_epoch();
}

/// Where a batch went that was appended before; nothing if it is new.
Result<std::optional<Appended>> Log::find_duplicate(const record::BatchView& batch,
                                                    AppendOrigin origin) {
  MILLRACE_CHECK(check_usable());
  MILLRACE_TRY(const auto first_time, producers_.check(batch, origin));
  if (!first_time) return std::optional<Appended>();
  Appended done{first_time->base_offset, first_time->next_offset};
  done.is_duplicate = true;
  if (options_.timestamp_type == record::TimestampType::log_append_time) {
    done.append_time = first_time->timestamp;
  }
  return std::optional(done);
}

/// Notes what a control batch ends, before it is stored.
Result<void> Log::announce(const record::BatchView& batch) {
  if (!batch.is_control() || batch.producer().id < 0) [[likely]]
    return {};
  return producers_.announce(batch, active_->segment()->base_offset());
}

Result<Appended> Log::append(MutableBytes batch, LeaderEpoch epoch, AppendOrigin origin) {
  const auto view = record::BatchView::try_parse(batch);
  if (view.size() != batch.size()) {
    return Error(Errc::invalid_record, "append takes one whole record batch of magic 2");
  }
  if (requires_keys()) [[unlikely]]
    MILLRACE_CHECK(check_keys(view));
  const std::lock_guard lock(mutex_);
  if (view.producer().id >= 0) {
    MILLRACE_TRY(const auto duplicate, find_duplicate(view, origin));
    if (duplicate) return *duplicate;
  }
  const Offset base = log_end_offset();
  const bool is_copy = origin == AppendOrigin::delivery;
  // The header that a copy has more than its original must not be what it fails for.
  if (!is_copy) MILLRACE_CHECK(check_size(batch.size()));
  const bool stamps_time = options_.timestamp_type == record::TimestampType::log_append_time;
  Timestamp append_time = stamps_time ? clock_->now() : Timestamp::none();
  // A clock that was set back must not make a copy earlier than its time, for it would be hidden.
  if (stamps_time && is_copy) append_time = std::max(append_time, view.max_timestamp());
  bool rolled = false;
  MILLRACE_CHECK(make_space_for(batch.size(), {base, base + view.last_offset_delta() + 1},
                                stamps_time ? append_time : view.max_timestamp(), rolled));
  record::stamp_batch(batch, base, epoch);
  if (stamps_time) record::stamp_append_time(batch, append_time);
  MILLRACE_CHECK(announce(view));
  MILLRACE_CHECK(store(batch, false));
  note_epoch(epoch, base);
  Appended done = publish(view, rolled);
  done.append_time = append_time;
  return done;
}

Result<Appended> Log::append_record(Timestamp time, std::optional<Bytes> key,
                                    std::optional<Bytes> value,
                                    std::span<const record::HeaderView> headers,
                                    LeaderEpoch epoch) {
  if (!key && requires_keys()) [[unlikely]]
    return key_missing();
  const std::size_t bound = record::single_record_bound(key, value, headers);
  const std::lock_guard lock(mutex_);
  const Offset base = log_end_offset();
  const bool append_time = options_.timestamp_type == record::TimestampType::log_append_time;
  if (append_time) time = clock_->now();
  bool rolled = false;
  MILLRACE_CHECK(check_size(bound));
  MILLRACE_CHECK(make_space_for(bound, {base, base + 1}, time, rolled));
  const bool in_place = active_->writes_in_place();
  if (!in_place && encode_buffer_.size() < bound) encode_buffer_.resize(bound);
  std::byte* to = in_place ? active_->tail() : encode_buffer_.data();
  const std::size_t size = record::encode_single(to, time, key, value, headers, base, epoch);
  MILLRACE_ASSERT(size <= bound);
  if (append_time) record::stamp_append_time({to, size}, time);
  MILLRACE_CHECK(store({to, size}, in_place));
  note_epoch(epoch, base);
  Appended done = publish(record::BatchView::trusted({to, size}), rolled);
  if (append_time) done.append_time = time;
  return done;
}

Result<void> Log::append_as_given_locked(const record::BatchView& batch, Appended& done) {
  if (batch.base_offset() < log_end_offset() || !batch.crc_matches()) {
    return Error(Errc::invalid_record,
                 "a replicated batch at offset " + std::to_string(batch.base_offset().value()) +
                     " does not follow the log's end " + std::to_string(log_end_offset().value()) +
                     " or has a bad checksum");
  }
  bool rolled = false;
  MILLRACE_CHECK(make_space_for(batch.size(), {batch.base_offset(), batch.next_offset()},
                                batch.max_timestamp(), rolled));
  MILLRACE_CHECK(announce(batch));
  MILLRACE_CHECK(store(batch.bytes(), false));
  note_epoch(batch.leader_epoch(), batch.base_offset());
  const Appended one = publish(batch, rolled);
  if (done.next_offset == done.base_offset) done.base_offset = one.base_offset;
  done.next_offset = one.next_offset;
  done.rolled |= rolled;
  done.wants_room = one.wants_room;
  done.wants_snapshot = one.wants_snapshot;
  return {};
}

Result<Appended> Log::append_as_given(Bytes batches) {
  const std::lock_guard lock(mutex_);
  MILLRACE_CHECK(check_usable());
  Appended done{log_end_offset(), log_end_offset()};
  while (!batches.empty()) {
    MILLRACE_TRY(const auto batch, record::BatchView::parse(batches));
    MILLRACE_CHECK(append_as_given_locked(batch, done));
    batches = batches.subspan(batch.size());
  }
  return done;
}

}  // namespace millrace::inline v0::storage

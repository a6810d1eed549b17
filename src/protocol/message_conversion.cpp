#include <fmt/format.h>

#include <millrace/protocol/message_conversion.hpp>
#include <millrace/protocol/message_set.hpp>
#include <millrace/protocol/wire.hpp>
#include <millrace/record/batch_builder.hpp>
#include <millrace/record/batch_view.hpp>

namespace millrace::inline v0::protocol {
namespace {

// In all formats offset and size stand in front, and the magic at the same place.
constexpr std::size_t size_at = 8;
constexpr std::size_t head_bytes = 12;
constexpr std::size_t magic_at = 16;

/// What is in front of the first batch, or whose end is: all that has the magic of the first.
struct Run {
  Bytes bytes;
  bool is_legacy = false;
};

Run take_run(Bytes& rest) {
  Run run;
  std::size_t at = 0;
  while (rest.size() - at > magic_at) {
    const Bytes entry = rest.subspan(at);
    const bool is_legacy = load_big<std::int8_t>(entry.data() + magic_at) < record::current_magic;
    if (at > 0 && is_legacy != run.is_legacy) break;
    run.is_legacy = is_legacy;
    const auto size = load_big<std::int32_t>(entry.data() + size_at);
    if (size < 0 || static_cast<std::size_t>(size) > entry.size() - head_bytes) {
      at = rest.size();
      break;
    }
    at += head_bytes + static_cast<std::size_t>(size);
  }
  // What is too short to have a magic is left to whoever reads the run.
  if (rest.size() - at <= magic_at) at = rest.size();
  run.bytes = rest.first(at);
  rest = rest.subspan(at);
  return run;
}

Result<void> append_batch(Bytes run, const UpConversion& options, std::vector<std::byte>& to) {
  MILLRACE_TRY(const MessageSet set, MessageSet::parse(run, options.limit_bytes));
  record::BatchBuilder builder(
      {.codec = options.codec.value_or(set.codec()), .level = options.level});
  for (const LegacyRecord& record : set.records()) {
    if (record.timestamp_type == record::TimestampType::log_append_time) {
      return Error(Errc::invalid_record,
                   "converting a message set: a record has the time of a log's append, which only "
                   "a broker gives; send it with the time of its creation");
    }
    MILLRACE_CHECK(builder.add(record.timestamp, record.key, record.value));
  }
  MILLRACE_TRY(const Bytes batch, builder.finish());
  to.insert(to.end(), batch.begin(), batch.end());
  return {};
}

/// Whether there is room for more.
Result<bool> append_records(record::BatchView batch, const DownConversion& options,
                            DownConverted& to) {
  std::vector<std::byte> scratch;
  MILLRACE_TRY(auto cursor, record::RecordCursor::open(batch, scratch, options.limit_bytes));
  record::RecordView record;
  auto step = cursor.skip_to(options.from, record);
  for (; step == record::RecordCursor::Step::record; step = cursor.next(record)) {
    write_legacy_record(
        {record.offset, record.timestamp, batch.timestamp_type(), record.key, record.value},
        options.magic, to.set);
    to.next_offset = record.offset + 1;
    if (to.set.size() >= options.max_bytes) return false;
  }
  if (step == record::RecordCursor::Step::end) return true;
  return Error(Errc::corrupt_data,
               fmt::format("converting the batch at offset {}: its records are malformed; verify "
                           "the log",
                           batch.base_offset().value()))
      .with_offsets({batch.base_offset(), batch.next_offset()});
}

}  // namespace

Result<std::vector<std::byte>> up_convert(Bytes set, const UpConversion& options) {
  std::vector<std::byte> batches;
  while (!set.empty()) {
    const Run run = take_run(set);
    if (run.is_legacy || run.bytes.size() <= magic_at) {
      MILLRACE_CHECK(append_batch(run.bytes, options, batches));
    } else {
      batches.insert(batches.end(), run.bytes.begin(), run.bytes.end());
    }
  }
  return batches;
}

Result<DownConverted> down_convert(Bytes batches, const DownConversion& options) {
  DownConverted to{.set = {}, .next_offset = options.from};
  while (!batches.empty()) {
    auto batch = record::BatchView::parse(batches);
    if (!batch && !to.set.empty()) return to;
    if (!batch) return std::move(batch).error();
    batches = batches.subspan(batch->size());
    if (batch->next_offset() <= options.from) continue;
    if (!batch->is_control()) {
      const auto has_room = append_records(*batch, options, to);
      if (!has_room && !to.set.empty()) return to;
      if (!has_room) return has_room.error();
      if (!*has_room) return to;
    }
    to.next_offset = batch->next_offset();
  }
  return to;
}

}  // namespace millrace::inline v0::protocol

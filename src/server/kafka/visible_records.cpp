#include "server/kafka/visible_records.hpp"

#include <millrace/record/batch_builder.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/record/delayed.hpp>

namespace millrace::inline v0::server {
namespace {

using record::RecordCursor;

Error unreadable(const record::BatchView& batch) {
  return Error(Errc::corrupt_data, "the records of a batch make no sense")
      .with_offsets({batch.base_offset(), batch.next_offset()});
}

class Rewriter {
 public:
  /// Appends what is to be seen of the batch.
  Result<void> add(const record::BatchView& batch, std::vector<std::byte>& to) {
    if (batch.is_control()) {
      append(batch.bytes(), to);
      return {};
    }
    MILLRACE_TRY(auto cursor, RecordCursor::open(batch, scratch_));
    builder_.reset({.codec = batch.codec(),
                    .transactional = batch.is_transactional(),
                    .producer = batch.producer()});
    record::RecordView record;
    auto step = cursor.next(record);
    for (; step == RecordCursor::Step::record; step = cursor.next(record)) {
      if (record::hidden_until(record)) continue;
      MILLRACE_CHECK(builder_.add_at(static_cast<std::int32_t>(record.offset - batch.base_offset()),
                                     record.timestamp, record.key, record.value, record.headers));
    }
    if (step == RecordCursor::Step::malformed) return unreadable(batch);
    if (builder_.record_count() == batch.record_count())
      append(batch.bytes(), to);
    else if (!builder_.empty())
      return append_rewritten(batch, to);
    return {};
  }

 private:
  static void append(Bytes bytes, std::vector<std::byte>& to) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  }
  Result<void> append_rewritten(const record::BatchView& batch, std::vector<std::byte>& to) {
    MILLRACE_TRY(const auto bytes,
                 builder_.finish_compacted(batch.last_offset_delta(), batch.delete_horizon()));
    record::stamp_batch(bytes, batch.base_offset(), batch.leader_epoch());
    if (batch.timestamp_type() == record::TimestampType::log_append_time) {
      record::stamp_append_time(bytes, batch.max_timestamp());
    }
    append(bytes, to);
    return {};
  }

  record::BatchBuilder builder_;
  std::vector<std::byte> scratch_;
};

}  // namespace

Result<std::vector<std::byte>> visible_records(Bytes batches) {
  std::vector<std::byte> visible;
  Rewriter rewriter;
  while (!batches.empty()) {
    MILLRACE_TRY(const auto batch, record::BatchView::parse(batches));
    MILLRACE_CHECK(rewriter.add(batch, visible));
    batches = batches.subspan(batch.size());
  }
  return visible;
}

}  // namespace millrace::inline v0::server

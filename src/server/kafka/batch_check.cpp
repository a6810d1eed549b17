#include "server/kafka/batch_check.hpp"

#include <fmt/format.h>

#include <millrace/record/batch_view.hpp>

namespace millrace::inline v0::server {
namespace {

using record::RecordCursor;

Error refused(const std::string& why) {
  return Error(Errc::invalid_record, fmt::format("cannot take the record batch: {}", why));
}

Result<void> check_records(const record::BatchView& batch, bool needs_keys) {
  std::vector<std::byte> decompressed;
  auto cursor = RecordCursor::open(batch, decompressed);
  if (!cursor) return cursor.error();
  record::RecordView record;
  std::int32_t count = 0;
  for (;;) {
    const auto step = cursor->next(record);
    if (step == RecordCursor::Step::end) break;
    if (step == RecordCursor::Step::malformed) return refused("its records make no sense");
    if (record.offset != batch.base_offset() + count) return refused("its offsets have gaps");
    if (needs_keys && !record.key)
      return refused("a record has no key, and the topic is compacted");
    ++count;
  }
  if (count == batch.record_count()) return {};
  return refused(fmt::format("it has {} records and says {}", count, batch.record_count()));
}

}  // namespace

Result<std::size_t> check_batch(Bytes bytes, bool needs_keys) {
  const auto parsed = record::BatchView::parse(bytes);
  if (!parsed) return parsed.error();
  const record::BatchView& batch = *parsed;
  if (!batch.crc_matches()) {
    return Error(Errc::corrupt_data, "the checksum of the record batch is not that of its bytes");
  }
  if (batch.is_control()) return refused("only coordinators write control batches");
  if (batch.record_count() < 1) return refused("it is empty");
  if (batch.last_offset_delta() != batch.record_count() - 1) {
    return refused("its offsets do not go with the number of its records");
  }
  if (auto done = check_records(batch, needs_keys); !done) return done.error();
  return batch.size();
}

}  // namespace millrace::inline v0::server

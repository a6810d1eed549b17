#include "producers.hpp"

#include <fmt/format.h>

#include <millrace/record/batch_builder.hpp>

namespace millrace::test {
namespace {

Result<storage::Appended> send(storage::Log& log, const LastBatch& like, std::int32_t sequence) {
  record::BatchBuilder builder({.producer = {like.producer.id, like.producer.epoch, sequence}});
  for (std::int32_t i = 0; i <= like.last_offset_delta; ++i) {
    MILLRACE_CHECK(builder.add(Timestamp{1}, as_bytes("key"), std::nullopt));
  }
  MILLRACE_TRY(const MutableBytes batch, builder.finish());
  return log.append(batch);
}

}  // namespace

Result<std::map<std::int64_t, LastBatch>> last_batches(storage::Log& log) {
  std::map<std::int64_t, LastBatch> last;
  MILLRACE_TRY(const auto list, log.segments());
  for (const auto& segment : list->segments) {
    MILLRACE_CHECK(segment->open());
    for (std::uint64_t position = 0; position < segment->end();) {
      MILLRACE_CHECK(segment->check_readable(position, record::layout::header_bytes));
      const auto batch = segment->batch_at(position);
      if (batch.size() == 0) break;
      const auto producer = batch.producer();
      if (producer.id >= 0) {
        last[producer.id] = {producer, batch.base_offset(), batch.last_offset_delta()};
      }
      position += batch.size();
    }
  }
  return last;
}

std::string check_producers(storage::Log& log) {
  const Offset end = log.log_end_offset();
  const auto last = last_batches(log);
  if (!last) return "reading producers: " + last.error().message();
  for (const auto& [id, batch] : *last) {
    const std::int32_t first = batch.producer.base_sequence;
    const auto again = send(log, batch, first);
    if (!again) return fmt::format("producer {}: {}", id, again.error().message());
    if (!again->is_duplicate || again->base_offset != batch.base_offset) {
      return fmt::format("the batch of producer {} at {} is not known again", id,
                         batch.base_offset.value());
    }
    const auto gap = send(log, batch, first + batch.last_offset_delta + 2);
    if (gap || gap.error().code() != Errc::out_of_order_sequence) {
      return fmt::format("a batch of producer {} that does not follow was taken", id);
    }
  }
  return log.log_end_offset() == end ? "" : "a batch was appended twice";
}

}  // namespace millrace::test

#include "server/delayed_copies.hpp"

#include <algorithm>
#include <millrace/record/delayed.hpp>

namespace millrace::inline v0::server {
namespace {

using Step = record::RecordCursor::Step;

/// Whether trying again cannot help.
bool is_final(const Error& error) {
  switch (error.code()) {
    case Errc::offset_out_of_range:
    case Errc::corrupt_data:
    case Errc::unsupported:
    case Errc::invalid_record:
    case Errc::record_too_large:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<void> OriginalReader::enter_batch(Offset offset) {
  cursor_.seek(offset);
  batch_ = {};
  MILLRACE_TRY(chunk_, cursor_.read(partition_.log().log_end_offset(), {.max_bytes = 1}));
  const auto batch = record::BatchView::try_parse(chunk_.bytes);
  MILLRACE_TRY(first_, record::RecordCursor::open(batch, decompressed_));
  batch_ = batch;
  return {};
}

Result<OriginalReader::Original> OriginalReader::read(Offset offset) {
  const bool is_here = batch_.size() != 0 && batch_.base_offset() <= offset &&
                       offset <= batch_.last_offset() && offset >= partition_.log_start_offset();
  if (!is_here) MILLRACE_CHECK(enter_batch(offset));
  record::RecordCursor cursor = first_;
  Original found{{}, batch_.codec()};
  if (cursor.skip_to(offset, found.record) == Step::record && found.record.offset == offset) {
    return found;
  }
  return Error(Errc::corrupt_data, "the record was there when the log was read before");
}

DelayedCopies::DelayedCopies(engine::Partition& partition, std::string_view source, Timestamp now)
    : partition_(partition), source_(source), now_(now), originals_(partition) {
  const engine::TopicConfig config = partition.config();
  if (!config.compression_by_producer) codec_ = config.compression;
  // Half a segment, because what does not compress grows a little.
  most_bytes_ = std::min(std::size_t{config.log.max_message_bytes},
                         static_cast<std::size_t>(config.log.segment_bytes / 2));
}

Result<void> DelayedCopies::append(const std::vector<coordinator::DelayedRecords::Entry>& due,
                                   coordinator::DelayedRecords& delayed,
                                   const engine::Scheduler& scheduler) {
  delayed_ = &delayed;
  scheduler_ = &scheduler;
  for (const auto& one : due) MILLRACE_CHECK(copy(one.offset));
  return append_batch();
}

Result<void> DelayedCopies::copy(Offset offset) {
  auto original = originals_.read(offset);
  if (!original) return give_up(offset, original.error());
  const record::RecordView& record = original->record;
  headers_.clear();
  for (const record::HeaderView& header : record.headers) {
    if (header.key != record::delayed_offset_header) headers_.push_back(header);
  }
  const std::string mark = std::to_string(offset.value()) + std::string(source_);
  headers_.push_back({record::delayed_offset_header, as_bytes(mark)});
  const std::size_t bound = record::BatchBuilder::record_bound(record.key, record.value, headers_);
  const record::Codec codec = codec_.value_or(original->codec);
  if (codec != batch_codec_ || batch_.size_bytes() + bound > most_bytes_) {
    MILLRACE_CHECK(append_batch());
  }
  if (batch_.empty()) {
    batch_codec_ = codec;
    batch_.reset({.codec = codec});
  }
  if (auto added = batch_.add(now_, record.key, record.value, headers_); !added) {
    return give_up(offset, added.error());
  }
  in_batch_.push_back(offset);
  return {};
}

Result<void> DelayedCopies::append_batch() {
  if (batch_.empty()) return {};
  const std::vector<Offset> offsets = std::exchange(in_batch_, {});
  auto appended = [&]() -> Result<storage::Appended> {
    MILLRACE_TRY(const MutableBytes bytes, batch_.finish());
    return partition_.append(bytes, storage::AppendOrigin::delivery);
  }();
  batch_.reset();
  if (appended) {
    end_ = appended->next_offset;
    for (const Offset offset : offsets) delayed_->remove(offset);
    return {};
  }
  if (offsets.size() > 1) return std::move(appended).error();
  return give_up(offsets.front(), appended.error());
}

/// Or not, if it may be done later: then that is the answer.
Result<void> DelayedCopies::give_up(Offset offset, const Error& why) {
  if (!is_final(why)) return why;
  delayed_->remove(offset);
  if (why.code() == Errc::offset_out_of_range) return {};  // removed by who owns it
  scheduler_->report(Error(why.code(), "the delayed record at offset " +
                                           std::to_string(offset.value()) +
                                           " cannot be delivered: " + why.message() +
                                           "; it is tried again when the directory is opened")
                         .at(partition_.topic(), partition_.id())
                         .with_offsets({offset, offset + 1}));
  return {};
}

}  // namespace millrace::inline v0::server

#include <algorithm>
#include <millrace/delayed.hpp>
#include <millrace/engine/partition.hpp>
#include <millrace/partition.hpp>

namespace millrace::inline v0 {
namespace {

Error offset_error(const engine::PartitionReader& reader, const Error& error) {
  return error.at(reader.topic(), reader.id());
}

Durability durability_of(bool flushed) {
  return flushed ? Durability::flushed : Durability::written;
}

}  // namespace

PartitionId PartitionHandle::id() const noexcept {
  return reader_->id();
}

const TopicPartition& PartitionHandle::name() const noexcept {
  return reader_->name();
}

Offsets PartitionHandle::offsets() const noexcept {
  return {reader_->log_start_offset(), reader_->visible_end()};
}

Result<void> PartitionHandle::require_writer() const {
  if (writer_) return {};
  return Error(Errc::read_only,
               "this process is attached read-only; append in the process that owns the directory")
      .at(reader_->topic(), reader_->id());
}

Result<Receipt> PartitionHandle::append(std::optional<Bytes> key, std::optional<Bytes> value,
                                        std::span<const Header> headers,
                                        std::optional<Timestamp> time) const {
  MILLRACE_CHECK(require_writer());
  if (!headers.empty() && writer_->delays()) {
    auto checked = check_deliver_at(headers);
    if (!checked) return checked.error().at(writer_->topic(), writer_->id());
  }
  const Timestamp stamp = time ? *time : writer_->clock().now();
  MILLRACE_TRY(const auto done, writer_->append_record(stamp, key, value, headers));
  MILLRACE_TRY(const bool flushed, writer_->wait_acknowledged(done.next_offset));
  return Receipt{writer_->id(), done.base_offset,
                 done.append_time == Timestamp::none() ? stamp : done.append_time,
                 durability_of(flushed)};
}

Result<Receipt> PartitionHandle::append(record::BatchBuilder& batch) const {
  MILLRACE_CHECK(require_writer());
  MILLRACE_TRY(const MutableBytes bytes, batch.finish());
  const Timestamp stamp = record::BatchView::try_parse(bytes).base_timestamp();
  auto done = writer_->append(bytes);
  batch.reset();
  if (!done) return std::move(done).error();
  MILLRACE_TRY(const bool flushed, writer_->wait_acknowledged(done->next_offset));
  return Receipt{writer_->id(), done->base_offset,
                 done->append_time == Timestamp::none() ? stamp : done->append_time,
                 durability_of(flushed)};
}

Result<void> PartitionHandle::flush() const {
  MILLRACE_CHECK(require_writer());
  return writer_->flush();
}

Result<PartitionHandle::Found> PartitionHandle::read(Offset offset, bool check_crc) const {
  storage::LogCursor cursor(reader_->source(), offset);
  const Offset limit = reader_->visible_end();
  for (;;) {
    auto chunk = cursor.read(limit, {.max_bytes = 1, .check_crc = check_crc});
    if (!chunk) return offset_error(*reader_, chunk.error());
    if (chunk->empty()) {
      return offset_error(
          *reader_, Error(Errc::offset_out_of_range, "there is no record at or after offset " +
                                                         std::to_string(offset.value()) + " yet")
                        .with_offsets({reader_->log_start_offset(), limit}));
    }
    const auto batch = record::BatchView::try_parse(chunk->bytes);
    if (batch.is_control()) continue;
    Found found{chunk->pin, nullptr, {}};
    MILLRACE_TRY(const bool is_there, find_in(batch, offset, found));
    if (is_there) return found;
  }
}

Result<bool> PartitionHandle::find_in(const record::BatchView& batch, Offset offset,
                                      Found& found) const {
  using Step = record::RecordCursor::Step;
  const OffsetRange lost{std::max(offset, batch.base_offset()), batch.next_offset()};
  std::vector<std::byte> none;
  const bool packed = batch.codec() != record::Codec::none;
  if (packed) found.decompressed = std::make_unique<std::vector<std::byte>>();
  auto records = record::RecordCursor::open(batch, packed ? *found.decompressed : none);
  if (!records) return offset_error(*reader_, records.error().with_offsets(lost));
  const Step step = records->skip_to(offset, found.record);
  if (step != Step::malformed) return step == Step::record;
  return offset_error(
      *reader_, Error(Errc::corrupt_data, "reading offset " + std::to_string(offset.value()) +
                                              ": its batch breaks the format; go on behind it")
                    .with_offsets(lost));
}

Result<std::optional<Offset>> PartitionHandle::offset_for_time(Timestamp time) const {
  auto found = storage::find_time(reader_->source(), time, reader_->visible_end());
  if (!found) return offset_error(*reader_, found.error());
  if (!*found) return std::optional<Offset>();
  return std::optional<Offset>((*found)->offset);
}

namespace detail {

storage::SegmentSource& source_of(engine::PartitionReader& reader) noexcept {
  return reader.source();
}

Result<std::optional<FetchedRecords>> next_chunk(
    const std::shared_ptr<engine::PartitionReader>& reader, storage::LogCursor& cursor,
    bool check_crc) {
  // Small enough to be in the second-level cache when its records are decoded.
  constexpr std::size_t chunk_bytes = 128u << 10;
  auto chunk =
      cursor.read(reader->visible_end(), {.max_bytes = chunk_bytes, .check_crc = check_crc});
  if (!chunk) return offset_error(*reader, chunk.error());
  if (chunk->empty()) return std::optional<FetchedRecords>();
  FetchedRecords fetched;
  const Offset begin = chunk->begin;
  const Offset end = chunk->end;
  fetched.add({reader, *std::move(chunk), begin, end});
  return std::optional<FetchedRecords>(std::move(fetched));
}

}  // namespace detail
}  // namespace millrace::inline v0

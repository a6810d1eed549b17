#include <millrace/engine/partition.hpp>
#include <millrace/fetched.hpp>
#include <millrace/record.hpp>

namespace millrace::inline v0 {

const TopicPartition detail::nowhere;

const FetchedRecords::Unpacked* FetchedRecords::find_unpacked(
    const std::byte* batch) const noexcept {
  const auto found = std::find_if(unpacked_.begin(), unpacked_.end(),
                                  [&](const Unpacked& one) { return one.batch == batch; });
  return found == unpacked_.end() ? nullptr : &*found;
}

bool FetchedRecords::Cursor::next_batch() {
  while (part_ < records_->parts_.size()) {
    const Part& part = records_->parts_[part_];
    while (at_ < part.chunk.bytes.size()) {
      const auto batch = record::BatchView::try_parse(part.chunk.bytes.subspan(at_));
      if (batch.size() == 0) break;
      at_ += batch.size();
      if (batch.is_control() || batch.last_offset() < part.begin) continue;
      if (batch.base_offset() >= part.end) break;
      const bool packed = batch.codec() != record::Codec::none;
      if (const Unpacked* const ready = packed ? records_->find_unpacked(batch.data()) : nullptr) {
        cursor_ = ready->records;
        look_until_ = nullptr;
        return true;
      }
      std::vector<std::byte> none;
      if (packed) {
        records_->decompressed_.push_back(std::make_unique<std::vector<std::byte>>());
      }
      auto cursor =
          record::RecordCursor::open(batch, packed ? *records_->decompressed_.back() : none);
      if (!cursor) {
        records_->failure_ = cursor.error()
                                 .at(part.partition->topic(), part.partition->id())
                                 .with_offsets({batch.base_offset(), batch.next_offset()});
        return false;
      }
      cursor_ = *cursor;
      // As far behind the chunk as the batch is from its start, so that each byte is asked for
      // once.
      look_distance_ = static_cast<std::ptrdiff_t>(part.chunk.bytes.size());
      const auto ahead = std::min<std::uint64_t>(part.chunk.bytes.size(), part.chunk.bytes_behind);
      look_until_ = packed ? nullptr : part.chunk.bytes.data() + ahead;
      return true;
    }
    ++part_;
    at_ = 0;
  }
  return false;
}

bool FetchedRecords::Cursor::next_slowly(record::RecordView& out) {
  using Step = record::RecordCursor::Step;
  if (in_batch_) {
    const Step step = cursor_.next(out);
    if (step == Step::record && out.offset < end_) return true;
    if (!leave_batch(step)) return false;
  }
  while (records_ != nullptr && next_batch()) {
    const Part& part = records_->parts_[part_];
    const Step step = cursor_.skip_to(part.begin, out);
    if (step == Step::record && out.offset < part.end) {
      in_batch_ = true;
      end_ = part.end;
      source_ = &part.partition->name();
      return true;
    }
    if (!leave_batch(step)) return false;
  }
  return false;
}

bool FetchedRecords::Cursor::leave_batch(record::RecordCursor::Step step) {
  in_batch_ = false;
  if (step != record::RecordCursor::Step::malformed) return true;
  const Part& part = records_->parts_[part_];
  records_->failure_ =
      Error(Errc::corrupt_data, "a record breaks the format inside a batch with a good checksum")
          .at(part.partition->topic(), part.partition->id());
  part_ = records_->parts_.size();
  return false;
}

}  // namespace millrace::inline v0

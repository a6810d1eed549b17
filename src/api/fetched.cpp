#include <millrace/engine/partition.hpp>
#include <millrace/fetched.hpp>
#include <millrace/record.hpp>

namespace millrace::inline v0 {

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
      std::vector<std::byte> none;
      auto cursor =
          record::RecordCursor::open(batch, packed ? records_->decompressed_.emplace_back() : none);
      if (!cursor) {
        records_->failure_ = cursor.error()
                                 .at(part.partition->topic(), part.partition->id())
                                 .with_offsets({batch.base_offset(), batch.next_offset()});
        return false;
      }
      cursor_ = *cursor;
      in_batch_ = first_in_batch_ = true;
      return true;
    }
    ++part_;
    at_ = 0;
  }
  return false;
}

bool FetchedRecords::Cursor::next(record::RecordView& out) {
  using Step = record::RecordCursor::Step;
  for (;;) {
    if (!in_batch_ && !next_batch()) return false;
    const Part& current = part();
    const Step step = std::exchange(first_in_batch_, false) ? cursor_.skip_to(current.begin, out)
                                                            : cursor_.next(out);
    if (step == Step::record && out.offset < current.end) [[likely]]
      return true;
    in_batch_ = false;
    if (step == Step::malformed) {
      records_->failure_ = Error(Errc::corrupt_data,
                                 "a record breaks the format inside a batch with a good checksum")
                               .at(current.partition->topic(), current.partition->id());
      part_ = records_->parts_.size();
      return false;
    }
  }
}

namespace detail {
PartitionId partition_id_of(const FetchedRecords::Part& part) noexcept {
  return part.partition->id();
}
}  // namespace detail

}  // namespace millrace::inline v0

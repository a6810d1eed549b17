#include <algorithm>
#include <limits>
#include <millrace/storage/batch_scan.hpp>

namespace millrace::inline v0::storage {
namespace {

using record::BatchView;
namespace layout = record::layout;

/// Offsets of one segment lie within 32 bits of its base.
Offset limit_of_segment(Offset base) noexcept {
  constexpr std::int64_t span = std::int64_t{1} << 31;
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  return Offset{base.value() > largest - span ? largest : base.value() + span};
}

class Search {
 public:
  Search(Bytes log, Offset from, Offset limit)
      : log_(log), from_(from), limit_(limit), crc_budget_(16 * log.size() + (64u << 20)) {}

  /// The good batch at `position`, empty if there is none. The base offset is not under the CRC: a
  /// batch that leaves out offsets is not good if the one behind it says that it is misplaced.
  BatchView good_batch(std::uint64_t position) {
    const BatchView batch = whole_batch(position);
    if (batch.size() == 0 || batch.base_offset() == from_) return batch;
    const BatchView next = whole_batch(position + batch.size());
    return next.size() != 0 && next.base_offset() < batch.next_offset() ? BatchView() : batch;
  }

  /// Whether what stands behind `batch` may follow a batch.
  bool is_followed(std::uint64_t position, const BatchView& batch) const {
    const Bytes rest = log_.subspan(position + batch.size());
    const Bytes head = rest.first(std::min(rest.size(), layout::header_bytes));
    if (end_of_content(head, 0) == 0) return true;
    if (head.size() < layout::header_bytes) return false;
    if (Offset{load_big<std::int64_t>(head.data())} == batch.next_offset()) return true;
    return BatchView::try_parse(rest).size() != 0;
  }

  /// Where the bytes at `position` say that the next batch stands.
  std::optional<std::uint64_t> by_length(std::uint64_t position) const {
    if (log_.size() - position < layout::header_bytes) return std::nullopt;
    const std::int64_t length =
        load_big<std::int32_t>(log_.data() + position + layout::batch_length);
    if (length < static_cast<std::int64_t>(layout::header_bytes - layout::length_overhead)) {
      return std::nullopt;
    }
    return position + static_cast<std::uint64_t>(length) + layout::length_overhead;
  }

 private:
  BatchView whole_batch(std::uint64_t position) {
    if (position >= log_.size() || log_.size() - position < layout::header_bytes) return {};
    if (log_[position + layout::magic] != std::byte{record::current_magic}) return {};
    const auto batch = BatchView::try_parse(log_.subspan(position));
    if (batch.size() == 0 || batch.base_offset() < from_ || batch.last_offset() >= limit_) {
      return {};
    }
    if (batch.size() > crc_budget_) return {};
    crc_budget_ -= batch.size();
    return batch.crc_matches() ? batch : BatchView();
  }

  Bytes log_;
  Offset from_;
  Offset limit_;
  std::uint64_t crc_budget_;  // against bytes that look like a large batch at every place
};

}  // namespace

std::uint64_t end_of_content(Bytes bytes, std::uint64_t position) noexcept {
  std::uint64_t end = bytes.size();
  while (end > position && bytes[end - 1] == std::byte{0}) --end;
  return end;
}

std::optional<std::uint64_t> find_next_batch(Bytes log, std::uint64_t position, Offset offset,
                                             Offset offset_limit) {
  if (position >= log.size()) return std::nullopt;
  Search search(log, offset, offset_limit);
  if (search.good_batch(position).size() != 0) return position;
  // As long as its length is whole, a damaged batch need not be searched.
  const auto after = search.by_length(position);
  if (after && search.good_batch(*after).size() != 0) return after;
  while (++position + layout::header_bytes <= log.size()) {
    const BatchView batch = search.good_batch(position);
    if (batch.size() != 0 && search.is_followed(position, batch)) return position;
  }
  return std::nullopt;
}

BatchScan::BatchScan(Bytes log, Offset base, Offset limit) noexcept
    : log_(log),
      limit_(std::min(limit, limit_of_segment(base))),
      expected_(base),
      missing_{base, base} {}

BatchScan::Step BatchScan::next() {
  position_ = end_;
  batch_ = {};
  missing_ = {expected_, expected_};
  const Bytes rest = log_.subspan(position_);
  const Bytes head = rest.first(std::min(rest.size(), layout::header_bytes));
  if (end_of_content(head, 0) == 0 && end_of_content(rest, 0) == 0) return Step::end;
  const auto found = find_next_batch(log_, position_, expected_, limit_);
  if (found) {
    const auto batch = BatchView::try_parse(log_.subspan(*found));
    missing_.end = batch.base_offset();
    if (*found == position_) {
      batch_ = batch;
      end_ = position_ + batch.size();
      expected_ = batch.next_offset();
      return Step::batch;
    }
    end_ = *found;
    expected_ = batch.base_offset();
    return Step::damage;
  }
  end_ = end_of_content(log_, position_);
  return Step::damage;
}

}  // namespace millrace::inline v0::storage

#include <algorithm>
#include <millrace/storage/cleaner.hpp>

namespace millrace::inline v0::storage {
namespace {

/// A control record's key: int16 version, int16 type, and 0 is ABORT.
bool is_abort_marker(const record::BatchView& batch) {
  std::vector<std::byte> scratch;
  auto cursor = record::RecordCursor::open(batch, scratch);
  record::RecordView record;
  return cursor && cursor->next(record) == record::RecordCursor::Step::record && record.key &&
         record.key->size() >= 4 && load_big<std::int16_t>(record.key->data() + 2) == 0;
}

}  // namespace

void AbortedTransactions::add(const record::BatchView& batch) {
  if (!batch.is_transactional()) return;
  const std::int64_t producer = batch.producer().id;
  if (!batch.is_control()) {
    open_.try_emplace(producer, batch.base_offset());
    return;
  }
  const auto begin = open_.find(producer);
  if (begin == open_.end()) return;
  if (is_abort_marker(batch)) aborted_[producer].push_back({begin->second, batch.base_offset()});
  open_.erase(begin);
}

bool AbortedTransactions::contains(const record::BatchView& batch) const noexcept {
  if (!batch.is_transactional() || batch.is_control()) return false;
  const auto of_producer = aborted_.find(batch.producer().id);
  if (of_producer == aborted_.end()) return false;
  const Offset offset = batch.base_offset();
  const auto& ranges = of_producer->second;
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), offset,
                       [](Offset value, const OffsetRange& range) { return value < range.begin; });
  return after != ranges.begin() && offset < std::prev(after)->end;
}

}  // namespace millrace::inline v0::storage

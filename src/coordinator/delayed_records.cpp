#include <algorithm>
#include <millrace/coordinator/delayed_records.hpp>

namespace millrace::inline v0::coordinator {

std::deque<DelayedRecords::Entry>::iterator DelayedRecords::find(Offset offset) {
  return std::lower_bound(by_offset_.begin(), by_offset_.end(), offset,
                          [](const Entry& one, Offset at) { return one.offset < at; });
}

bool DelayedRecords::is_waiting(const Entry& record) {
  const auto at = find(record.offset);
  return at != by_offset_.end() && *at == record;
}

void DelayedRecords::add(Entry record) {
  by_offset_.push_back(record);
  by_time_.push(record);
  ++count_;
}

void DelayedRecords::remove(Offset offset) {
  const auto at = find(offset);
  if (at == by_offset_.end() || at->offset != offset || at->deliver_at == Timestamp::none()) return;
  at->deliver_at = Timestamp::none();
  --count_;
  forget_removed();
}

void DelayedRecords::remove_before(Offset offset) {
  while (!by_offset_.empty() && by_offset_.front().offset < offset) {
    if (by_offset_.front().deliver_at != Timestamp::none()) --count_;
    by_offset_.pop_front();
  }
  forget_removed();
}

void DelayedRecords::forget_removed() {
  constexpr std::size_t few = 64;
  const auto is_removed = [](const Entry& one) { return one.deliver_at == Timestamp::none(); };
  while (!by_offset_.empty() && is_removed(by_offset_.front())) by_offset_.pop_front();
  if (by_offset_.size() > 2 * count_ + few) std::erase_if(by_offset_, is_removed);
  if (by_time_.size() > 2 * count_ + few) {
    std::vector<Entry> waiting;
    std::copy_if(by_offset_.begin(), by_offset_.end(), std::back_inserter(waiting),
                 [&](const Entry& one) { return !is_removed(one); });
    by_time_ = Queue({}, std::move(waiting));
  }
}

std::optional<DelayedRecords::Entry> DelayedRecords::next() {
  while (!by_time_.empty() && !is_waiting(by_time_.top())) by_time_.pop();
  return by_time_.empty() ? std::nullopt : std::optional(by_time_.top());
}

std::vector<DelayedRecords::Entry> DelayedRecords::due(Timestamp now, std::size_t most) {
  std::vector<Entry> found;
  for (auto first = next(); first && first->deliver_at <= now && found.size() < most;
       first = next()) {
    found.push_back(*first);
    by_time_.pop();
  }
  for (const Entry& one : found) by_time_.push(one);
  return found;
}

std::optional<Offset> DelayedRecords::oldest() const {
  return by_offset_.empty() ? std::nullopt : std::optional(by_offset_.front().offset);
}

}  // namespace millrace::inline v0::coordinator

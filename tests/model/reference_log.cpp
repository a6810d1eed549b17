#include "reference_log.hpp"

#include <algorithm>

namespace millrace::test {

void ReferenceLog::append(std::vector<ModelRecord> records, std::optional<std::int64_t> base) {
  end_ = base.value_or(end_);
  const std::int64_t first = end_;
  for (ModelRecord& record : records) {
    record.offset = end_++;
    const std::int64_t offset = record.offset;
    entries_[offset] = {.record = std::move(record)};
  }
  batches_[first] = end_;
}

void ReferenceLog::raise_start(std::int64_t start) {
  start_ = std::max(start_, start);
  end_ = std::max(end_, start_);
  entries_.erase(entries_.begin(), entries_.lower_bound(start_));
}

std::int64_t ReferenceLog::least_cut(std::int64_t offset) const {
  const auto after = batches_.upper_bound(offset);
  if (after == batches_.begin()) return offset;
  const auto& [base, end] = *std::prev(after);
  return offset < end ? base : offset;
}

void ReferenceLog::truncate(std::int64_t end) {
  end_ = std::min(end_, end);
  start_ = std::min(start_, end_);
  entries_.erase(entries_.lower_bound(end_), entries_.end());
  batches_.erase(batches_.lower_bound(end_), batches_.end());
}

void ReferenceLog::compacted(std::int64_t below, std::int64_t now, std::int64_t delete_retention) {
  std::map<std::string, std::int64_t> last;
  const auto limit = entries_.lower_bound(below);
  for (auto it = entries_.begin(); it != limit; ++it) {
    if (it->second.record.key) last[*it->second.record.key] = it->first;
  }
  for (auto it = entries_.begin(); it != limit; ++it) {
    Entry& entry = it->second;
    const auto& key = entry.record.key;
    if (!key || last[*key] > it->first) entry.may_be_gone = true;
    if (entry.record.value) continue;
    if (!entry.first_cleaned) {
      entry.first_cleaned = now;
    } else if (now - *entry.first_cleaned >= delete_retention) {
      entry.may_be_gone = true;
    }
  }
}

std::string ReferenceLog::difference(const std::vector<ModelRecord>& found, std::int64_t from,
                                     std::int64_t to) const {
  auto it = entries_.lower_bound(from);
  const auto limit = entries_.lower_bound(to);
  for (const ModelRecord& record : found) {
    while (it != limit && it->first < record.offset && it->second.may_be_gone) ++it;
    const std::string at = std::to_string(record.offset);
    if (it == limit || it->first > record.offset) return "a record at offset " + at + " too many";
    if (it->first < record.offset) {
      return "no record at offset " + std::to_string(it->first) + ", but one at " + at;
    }
    if (it->second.record != record) return "another record than was appended at offset " + at;
    ++it;
  }
  while (it != limit && it->second.may_be_gone) ++it;
  return it == limit ? std::string() : "no record at offset " + std::to_string(it->first);
}

std::string ReferenceLog::settle(const std::vector<ModelRecord>& found) {
  if (auto wrong = difference(found, start_, end_); !wrong.empty()) return wrong;
  std::map<std::string, std::int64_t> last_gone;
  auto next = found.begin();
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (next != found.end() && next->offset == it->first) {
      ++next;
      ++it;
      continue;
    }
    if (it->second.record.key) last_gone[*it->second.record.key] = it->first;
    it = entries_.erase(it);
  }
  for (const ModelRecord& record : found) {
    const auto gone = record.key ? last_gone.find(*record.key) : last_gone.end();
    if (gone == last_gone.end() || gone->second < record.offset) continue;
    return "the record at offset " + std::to_string(record.offset) +
           " outlived the one of the same key at offset " + std::to_string(gone->second);
  }
  return {};
}

const ModelRecord* ReferenceLog::at_or_after(std::int64_t offset) const {
  const auto it = entries_.lower_bound(offset);
  return it == entries_.end() ? nullptr : &it->second.record;
}

std::optional<std::int64_t> ReferenceLog::offset_for_time(std::int64_t time) const {
  const auto it = std::find_if(entries_.begin(), entries_.end(),
                               [&](const auto& entry) { return entry.second.record.time >= time; });
  return it == entries_.end() ? std::nullopt : std::optional(it->first);
}

bool ReferenceLog::has_any(std::int64_t from, std::int64_t to) const {
  const auto it = entries_.lower_bound(from);
  return it != entries_.end() && it->first < to;
}

std::optional<std::int64_t> ReferenceLog::largest_time(std::int64_t from, std::int64_t to) const {
  std::optional<std::int64_t> largest;
  for (auto it = entries_.lower_bound(from); it != entries_.end() && it->first < to; ++it) {
    largest = std::max(largest.value_or(it->second.record.time), it->second.record.time);
  }
  return largest;
}

}  // namespace millrace::test

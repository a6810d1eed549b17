#include "ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace millrace::test {

std::string Given::value_text() const {
  std::string text = "value-" + std::to_string(number) + "-";
  // Not the same byte all along: a sector of one record must differ from that of another.
  while (text.size() < value_bytes) {
    text += static_cast<char>('a' + (std::size_t{number} * 7 + text.size()) % 26);
  }
  return text;
}

void Ledger::appending(Offset base, std::vector<Given> records) {
  std::int64_t offset = base.value();
  for (Given& record : records) possible_[offset++].push_back(std::move(record));
  end_high_ = std::max(end_high_, offset);
}

void Ledger::appended(Offset next) {
  end_ = end_high_ = next.value();
  possible_.erase(possible_.lower_bound(end_), possible_.end());
}

void Ledger::flushed(Offset end) {
  durable_ = std::max(durable_, end.value());
  for (auto& [offset, versions] : possible_) {
    if (offset >= durable_) break;
    versions.erase(versions.begin(), versions.end() - 1);
  }
}

void Ledger::truncating(Offset to) {
  if (to.value() >= end_) return;
  std::int64_t cut = to.value();
  const auto at = possible_.find(cut);
  if (at != possible_.end()) cut = at->second.back().batch_base;
  durable_ = std::min(durable_, cut);
  start_low_ = std::min(start_low_, cut);  // a start inside the batch that goes
  for (auto& [offset, versions] : possible_) {
    for (Given& given : versions) given.is_unmissed |= given.may_be_gone;
  }
}

void Ledger::truncated(Offset start, Offset end) {
  deleted(start);
  end_ = end_high_ = end.value();
  durable_ = std::min(durable_, end_);
  possible_.erase(possible_.lower_bound(end_), possible_.end());
}

void Ledger::compacting(Offset limit) {
  std::set<std::uint32_t> keys;
  for (auto it = possible_.rbegin(); it != possible_.rend(); ++it) {
    if (it->first >= limit.value()) continue;
    Given& newest = it->second.back();
    if (!keys.insert(newest.key).second) newest.may_be_gone = true;
  }
}

Result<std::vector<Ledger::Found>> Ledger::read(storage::Log& log, Offset from) {
  std::vector<Found> found;
  const Offset limit = log.high_watermark();
  storage::LogCursor cursor(log, from);
  std::vector<std::byte> scratch;
  while (cursor.position() < limit) {
    MILLRACE_TRY(const storage::Chunk chunk, cursor.read(limit, {.max_bytes = 4096}));
    if (chunk.empty()) break;
    for (Bytes rest = chunk.bytes; !rest.empty();) {
      MILLRACE_TRY(const auto batch, record::BatchView::parse(rest));
      MILLRACE_TRY(auto records, record::RecordCursor::open(batch, scratch));
      record::RecordView record;
      auto step = records.next(record);
      for (; step == record::RecordCursor::Step::record; step = records.next(record)) {
        if (record.offset < from) continue;
        found.push_back({record.offset.value(), batch.base_offset().value(),
                         record.timestamp.milliseconds(),
                         std::string(as_text(record.key.value_or(Bytes()))),
                         std::string(as_text(record.value.value_or(Bytes()))),
                         static_cast<std::int32_t>(batch.leader_epoch())});
      }
      if (step == record::RecordCursor::Step::malformed) {
        return Error(Errc::corrupt_data, "malformed records");
      }
      rest = rest.subspan(batch.size());
    }
  }
  if (cursor.position() != limit) {
    return Error(Errc::corrupt_data, fmt::format("reading ended at {} and not at {}",
                                                 cursor.position().value(), limit.value()));
  }
  return found;
}

const Given* Ledger::match(const Found& found) const {
  const auto at = possible_.find(found.offset);
  if (at == possible_.end()) return nullptr;
  for (const Given& given : at->second) {
    if (given.batch_base == found.batch_base && given.time == found.time &&
        given.epoch == found.epoch && given.key_text() == found.key &&
        given.value_text() == found.value) {
      return &given;
    }
  }
  return nullptr;
}

std::string Ledger::check_offsets(const storage::Log& log, bool exact) const {
  const std::int64_t start = log.log_start_offset().value();
  const std::int64_t end = log.log_end_offset().value();
  if (start < start_low_ || start > start_high_) {
    return fmt::format("the log starts at {}, not in [{}, {}]", start, start_low_, start_high_);
  }
  const std::int64_t low = exact ? end_ : durable_;
  if (end < low || end > (exact ? end_ : end_high_)) {
    return fmt::format("the log ends at {}, not in [{}, {}]", end, low, exact ? end_ : end_high_);
  }
  if (log.flushed_offset().value() > end || log.high_watermark().value() > end || start > end) {
    return fmt::format("offsets out of order: start {}, flushed {}, high watermark {}, end {}",
                       start, log.flushed_offset().value(), log.high_watermark().value(), end);
  }
  return {};
}

std::string Ledger::check_hole(std::int64_t from, std::int64_t to, const LastOffsets& last) const {
  // A compaction drops a record only for a later one of its key that no crash takes back.
  const auto gave_way = [&](const Given& given) {
    const auto later = last.find(given.key_text());
    return given.may_be_gone &&
           (given.is_unmissed || (later != last.end() && later->second > from));
  };
  for (; from < to; ++from) {
    const auto at = possible_.find(from);
    // What was flushed has one version; of others any may be the one that was there.
    const bool gone = compacts_ && at != possible_.end() &&
                      std::any_of(at->second.begin(), at->second.end(), gave_way);
    if (!gone) return fmt::format("offset {} is missing", from);
  }
  return {};
}

std::string Ledger::check_seeks(storage::Log& log, const std::vector<Found>& found) const {
  for (std::size_t i = 0; i < found.size(); i += 1 + found.size() / 8) {
    storage::LogCursor cursor(log, Offset{found[i].offset});
    const auto chunk = cursor.read(log.high_watermark(), {.max_bytes = 1});
    if (!chunk) return fmt::format("seeking {}: {}", found[i].offset, chunk.error().message());
    const auto batch = record::BatchView::try_parse(chunk->bytes);
    if (batch.size() == 0 || batch.base_offset().value() != found[i].batch_base) {
      return fmt::format("seeking {} leads to another batch", found[i].offset);
    }
  }
  return {};
}

std::string Ledger::check(storage::Log& log, bool exact) const {
  if (!log.recovery().damaged.empty()) {
    const auto range = log.recovery().damaged.front();
    return fmt::format("recovery reports damage at offsets [{}, {})", range.begin.value(),
                       range.end.value());
  }
  if (auto wrong = check_offsets(log, exact); !wrong.empty()) return wrong;
  const auto found = read(log, log.log_start_offset());
  if (!found) return "reading: " + found.error().message();
  LastOffsets last;
  for (const Found& record : *found) last[record.key] = record.offset;
  std::int64_t next = log.log_start_offset().value();
  for (const Found& record : *found) {
    if (record.offset < next) return fmt::format("offset {} comes twice", record.offset);
    if (auto wrong = check_hole(next, record.offset, last); !wrong.empty()) return wrong;
    const Given* given = match(record);
    if (given == nullptr) {
      return fmt::format("what is read at offset {} was never written there, or long ago: {}",
                         record.offset, record.value.substr(0, 16));
    }
    const bool newest = given == &possible_.at(record.offset).back();
    if (record.offset < durable_ && !newest) {
      return fmt::format("offset {} has an old version", record.offset);
    }
    next = record.offset + 1;
  }
  if (auto wrong = check_hole(next, log.high_watermark().value(), last); !wrong.empty())
    return wrong;
  return check_seeks(log, *found);
}

Result<Ledger> Ledger::adopt(storage::Log& log) const {
  Ledger ledger(compacts_);
  ledger.start_low_ = ledger.start_high_ = log.log_start_offset().value();
  ledger.end_ = ledger.end_high_ = log.log_end_offset().value();
  ledger.durable_ = log.flushed_offset().value();
  MILLRACE_TRY(const auto found, read(log, log.log_start_offset()));
  for (auto& [offset, versions] : possible_) {
    if (offset < ledger.start_low_ || offset >= ledger.end_) continue;
    ledger.possible_[offset] = {versions.back()};
    ledger.possible_[offset].back().may_be_gone = true;
    ledger.possible_[offset].back().is_unmissed = true;
  }
  for (const Found& record : found) {
    const Given* given = match(record);
    if (given == nullptr) return Error(Errc::corrupt_data, "adopting a log that does not match");
    ledger.possible_[record.offset] = {*given};
  }
  return ledger;
}

}  // namespace millrace::test

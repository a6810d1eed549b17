#pragma once
#include <millrace/record/batch_builder.hpp>
#include <millrace/storage/log.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <string>
#include <vector>

#include "temp_directory.hpp"

namespace millrace::test {

/// An empty directory for a log: in memory, or on disk (in a place that is quick to sync).
struct Place {
  TempDirectory temp{TempDirectory::fast_parent()};
  os::DirectoryPtr directory;

  explicit Place(bool in_memory, os::IoHooks* hooks = nullptr)
      : directory(in_memory ? os::make_memory_directory(hooks)
                            : os::open_directory(temp / "t-0", true, hooks).value()) {}
};

/// A record as plain values, to compare with.
struct PlainRecord {
  std::int64_t offset = 0;
  std::int64_t timestamp = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  friend bool operator==(const PlainRecord&, const PlainRecord&) = default;
};

inline std::optional<std::string> plain(const std::optional<Bytes>& field) {
  if (!field) return std::nullopt;
  return std::string(as_text(*field));
}

inline std::optional<Bytes> viewed(const std::optional<std::string>& field) {
  if (!field) return std::nullopt;
  return as_bytes(*field);
}

/// A finished batch of these records (their offsets are not looked at).
inline std::vector<std::byte> batch_of(const std::vector<PlainRecord>& records,
                                       const record::BatchOptions& options = {}) {
  record::BatchBuilder builder(options);
  for (const auto& r : records)
    builder.add(Timestamp{r.timestamp}, viewed(r.key), viewed(r.value)).value();
  const auto bytes = builder.finish().value();
  return {bytes.begin(), bytes.end()};
}

/// `count` records with values of `value_bytes`, numbered from `first`, a millisecond apart.
inline std::vector<PlainRecord> numbered(std::int64_t first, std::size_t count,
                                         std::size_t value_bytes = 100,
                                         std::int64_t start_time = 1'600'000'000'000) {
  std::vector<PlainRecord> records;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t number = first + static_cast<std::int64_t>(i);
    std::string value = "value-" + std::to_string(number) + "-";
    value.resize(std::max(value_bytes, value.size()), 'x');
    records.push_back({number, start_time + number, "key-" + std::to_string(number), value});
  }
  return records;
}

inline storage::Appended append(storage::Log& log, const std::vector<PlainRecord>& records,
                                const record::BatchOptions& options = {}) {
  auto bytes = batch_of(records, options);
  return log.append(bytes).value();
}

/// The records of whole batches, from `from` on.
inline void decode(Bytes batches, Offset from, std::vector<PlainRecord>& out) {
  std::vector<std::byte> scratch;
  while (!batches.empty()) {
    const auto batch = record::BatchView::parse(batches).value();
    auto cursor = record::RecordCursor::open(batch, scratch).value();
    record::RecordView record;
    record::RecordCursor::Step step;
    while ((step = cursor.next(record)) == record::RecordCursor::Step::record) {
      if (record.offset >= from)
        out.push_back({record.offset.value(), record.timestamp.milliseconds(), plain(record.key),
                       plain(record.value)});
    }
    if (step == record::RecordCursor::Step::malformed) throw std::runtime_error("malformed record");
    batches = batches.subspan(batch.size());
  }
}

/// All records in [from, limit).
inline std::vector<PlainRecord> read_all(storage::SegmentSource& source, Offset from, Offset limit,
                                         std::size_t max_bytes = 1u << 20) {
  std::vector<PlainRecord> records;
  storage::LogCursor cursor(source, from);
  while (cursor.position() < limit) {
    const auto chunk = cursor.read(limit, {.max_bytes = max_bytes}).value();
    if (chunk.empty()) break;
    decode(chunk.bytes, chunk.begin, records);
  }
  return records;
}

inline std::vector<PlainRecord> read_all(storage::Log& log) {
  return read_all(log, log.log_start_offset(), log.high_watermark());
}

/// Where two lists of records part, empty if they do not: short enough to print.
inline std::string difference(const std::vector<PlainRecord>& found,
                              const std::vector<PlainRecord>& expected) {
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    if (found[i] == expected[i]) continue;
    return "record " + std::to_string(i) + " has offset " + std::to_string(found[i].offset) +
           " and should be that of offset " + std::to_string(expected[i].offset) +
           (found[i].offset == expected[i].offset ? ", its content differs" : "");
  }
  if (found.size() == expected.size()) return {};
  return std::to_string(found.size()) + " records instead of " + std::to_string(expected.size());
}

inline std::unique_ptr<storage::Log> open_log(const os::DirectoryPtr& directory,
                                              const storage::LogOptions& options,
                                              const Clock& clock = system_clock()) {
  return storage::Log::open(directory, options, {.clock = &clock}).value();
}

}  // namespace millrace::test

#include <millrace/storage/log.hpp>

#include "catch.hpp"
#include "fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::LogOptions;
using storage::RecoveryKind;
using storage::WritePath;

namespace {

LogOptions small_segments(WritePath path) {
  LogOptions options;
  options.segment_bytes = 64 << 10;
  options.write_path = path;
  return options;
}

}  // namespace

TEST_CASE("what is appended is read back, also after reopening", "[storage][log]") {
  const bool in_memory = GENERATE(true, false);
  const auto path = GENERATE(WritePath::mapped, WritePath::write);
  const bool visible = GENERATE(true, false);
  CAPTURE(in_memory, static_cast<int>(path), visible);
  const Place place(in_memory);
  auto options = small_segments(path);
  options.visible_on_append = visible;
  auto log = open_log(place.directory, options);
  CHECK(log->recovery().kind == RecoveryKind::created);

  std::vector<PlainRecord> expected;
  const auto add = [&](std::size_t count, std::size_t bytes) {
    const auto records = numbered(static_cast<std::int64_t>(expected.size()), count, bytes);
    const auto done = append(*log, records);
    CHECK(done.base_offset == Offset{static_cast<std::int64_t>(expected.size())});
    expected.insert(expected.end(), records.begin(), records.end());
    CHECK(done.next_offset == Offset{static_cast<std::int64_t>(expected.size())});
  };
  const auto check_all = [&] {
    CHECK(log->log_end_offset() == Offset{static_cast<std::int64_t>(expected.size())});
    CHECK(log->high_watermark() == log->log_end_offset());
    CHECK(difference(read_all(*log), expected) == "");
  };
  for (int i = 0; i < 40; ++i) add(1 + static_cast<std::size_t>(i) % 7, 1000);
  for (int i = 0; i < 100; ++i) {
    const auto record = numbered(static_cast<std::int64_t>(expected.size()), 1).front();
    log->append_record(Timestamp{record.timestamp}, viewed(record.key), viewed(record.value))
        .value();
    expected.push_back(record);
  }
  CHECK(log->segments().value()->segments.size() > 1);
  if (!visible) CHECK(log->high_watermark() == Offset{0});
  CHECK(log->flush().value() == log->log_end_offset());
  check_all();

  SECTION("closed") {
    log->close().value();
    log = open_log(place.directory, options);
    CHECK(log->recovery().kind == RecoveryKind::clean);
    check_all();
    add(3, 10);
    log->flush().value();
    check_all();
  }
  SECTION("killed") {
    add(5, 10);
    log.reset();
    log = open_log(place.directory, options);
    CHECK(log->recovery().kind == RecoveryKind::same_run);
    check_all();
    add(3, 10);
    log->flush().value();
    check_all();
  }
  SECTION("closed twice in a row, rolled and killed") {
    log->close().value();
    log = open_log(place.directory, options);
    log->close().value();
    log = open_log(place.directory, options);
    CHECK(log->recovery().kind == RecoveryKind::clean);
    check_all();
    add(1, 100);
    log->roll().value();
    add(1, 100);
    log.reset();
    log = open_log(place.directory, options);
    CHECK(log->recovery().kind == RecoveryKind::same_run);
    check_all();
  }
}

TEST_CASE("the first record at or after a time is found", "[storage][log]") {
  const auto path = GENERATE(WritePath::mapped, WritePath::write);
  const Place place(true);
  auto log = open_log(place.directory, small_segments(path));
  for (std::int64_t i = 0; i < 300; ++i) append(*log, numbered(i * 3, 3, 300));
  log->flush().value();
  const auto find = [&](std::int64_t time) {
    return storage::find_time(*log, Timestamp{time}, log->high_watermark()).value();
  };
  const std::int64_t start = 1'600'000'000'000;
  for (const std::int64_t n : {0, 1, 2, 3, 100, 449, 450, 898, 899}) {
    const auto found = find(start + n);
    REQUIRE(found);
    CHECK(found->offset == Offset{n});
    CHECK(found->timestamp == Timestamp{start + n});
  }
  CHECK(find(0)->offset == Offset{0});
  CHECK_FALSE(find(start + 900).has_value());
  log->close().value();
  log = open_log(place.directory, small_segments(path));
  CHECK(find(start + 899)->offset == Offset{899});
  CHECK_FALSE(find(start + 900).has_value());
}

TEST_CASE("truncation cuts the end, and the log goes on from there", "[storage][log]") {
  const bool in_memory = GENERATE(true, false);
  const auto path = GENERATE(WritePath::mapped, WritePath::write);
  const std::int64_t cut = GENERATE(0, 3, 100, 299, 300, 899);
  const bool reopened = GENERATE(false, true);
  CAPTURE(in_memory, static_cast<int>(path), cut, reopened);
  const Place place(in_memory);
  auto log = open_log(place.directory, small_segments(path));
  std::vector<PlainRecord> expected;
  for (std::int64_t i = 0; i < 300; ++i) {
    const auto records = numbered(i * 3, 3, 300);
    append(*log, records);
    if (i < cut / 3) expected.insert(expected.end(), records.begin(), records.end());
  }
  log->flush().value();
  if (reopened) {
    log->close().value();
    log = open_log(place.directory, small_segments(path));
  }
  log->truncate_to(Offset{cut}).value();
  CHECK(log->log_end_offset() == Offset{cut / 3 * 3});
  CHECK(difference(read_all(*log), expected) == "");
  const auto more = numbered(cut / 3 * 3, 50, 1000);
  append(*log, more);
  expected.insert(expected.end(), more.begin(), more.end());
  log->flush().value();
  CHECK(difference(read_all(*log), expected) == "");
  log.reset();
  log = open_log(place.directory, small_segments(path));
  CHECK(log->recovery().kind == RecoveryKind::same_run);
  CHECK(difference(read_all(*log), expected) == "");
}

TEST_CASE("records below an offset are deleted", "[storage][log]") {
  const Place place(GENERATE(true, false));
  auto options = small_segments(WritePath::write);
  options.file_delete_delay = std::chrono::milliseconds(GENERATE(0, 60000));
  auto log = open_log(place.directory, options);
  for (std::int64_t i = 0; i < 300; ++i) append(*log, numbered(i * 3, 3, 300));
  log->flush().value();
  const auto all = read_all(*log);
  log->delete_before(Offset{500}).value();
  CHECK(log->log_start_offset() == Offset{500});
  CHECK(log->segments().value()->segments.front()->base_offset() > Offset{0});
  CHECK(difference(read_all(*log), std::vector(all.begin() + 500, all.end())) == "");
  storage::LogCursor cursor(*log, Offset{499});
  CHECK(cursor.read(log->high_watermark(), {}).error().code() == Errc::offset_out_of_range);
  CHECK(log->delete_before(Offset{901}).error().code() == Errc::offset_out_of_range);
  log->delete_before(Offset{900}).value();
  CHECK(read_all(*log).empty());
  log->close().value();
  log = open_log(place.directory, options);
  CHECK(log->log_start_offset() == Offset{900});
  CHECK(log->log_end_offset() == Offset{900});
}

TEST_CASE("retention drops old segments, all of them if they are old", "[storage][log]") {
  const Place place(GENERATE(true, false));
  testing::ManualClock clock(Timestamp{1'600'000'000'000});
  auto options = small_segments(WritePath::mapped);
  options.retention_ms = std::chrono::hours(1);
  auto log = open_log(place.directory, options, clock);
  for (std::int64_t i = 0; i < 300; ++i) append(*log, numbered(i * 3, 3, 300));
  log->flush().value();
  CHECK(log->apply_retention().value() == 0);
  options.retention_bytes = 100'000;
  log->set_options(options);
  CHECK(log->apply_retention().value() > 0);
  const auto left = read_all(*log);
  CHECK(left.front().offset == log->log_start_offset().value());
  CHECK(left.back().offset == 899);
  CHECK(log->size_bytes() >= 100'000);
  CHECK(log->size_bytes() < 100'000 + (64 << 10));
  clock.advance(std::chrono::hours(2));
  CHECK(log->apply_retention().value() > 0);
  CHECK(log->log_start_offset() == Offset{900});
  CHECK(log->log_end_offset() == Offset{900});
  CHECK(read_all(*log).empty());
  log->remove_deleted().value();
  append(*log, numbered(900, 3));
  log->flush().value();
  log->close().value();
  log = open_log(place.directory, options, clock);
  CHECK(difference(read_all(*log), numbered(900, 3)) == "");
}

TEST_CASE("compaction keeps the last record of every key", "[storage][log]") {
  const Place place(GENERATE(true, false));
  testing::ManualClock clock(Timestamp{1'600'000'000'000});
  auto options = small_segments(WritePath::mapped);
  options.cleanup_delete = false;
  options.cleanup_compact = true;
  auto log = open_log(place.directory, options, clock);
  std::vector<PlainRecord> all;
  for (int i = 0; i < 900; ++i) {
    all.push_back({i, 1'600'000'000'000 + i, "key-" + std::to_string(i % 10),
                   "value-" + std::to_string(i) + std::string(300, 'x')});
  }
  for (std::int64_t i = 0; i < 300; ++i)
    append(*log, std::vector(all.begin() + i * 3, all.begin() + i * 3 + 3));
  log->roll().value();
  log->flush().value();
  CHECK(log->compact().value() > 0);
  CHECK(difference(read_all(*log), std::vector(all.end() - 10, all.end())) == "");
  CHECK(log->log_end_offset() == Offset{900});
  log->close().value();
  log = open_log(place.directory, options, clock);
  CHECK(log->recovery().kind == RecoveryKind::clean);
  CHECK(difference(read_all(*log), std::vector(all.end() - 10, all.end())) == "");
  append(*log, numbered(900, 3));
  log->flush().value();
  CHECK(read_all(*log).size() == 13);
}

TEST_CASE("after a kill the last batches are read, however long the log is", "[storage][log]") {
  const auto path = GENERATE(WritePath::mapped, WritePath::write);
  CAPTURE(static_cast<int>(path));
  const Place place(false);
  LogOptions options;
  options.write_path = path;
  std::uint64_t batch_bytes = 0;
  std::int64_t next = 0;
  for (const std::int64_t total : {1'000, 10'000}) {
    auto log = open_log(place.directory, options);
    for (; next < total; next += 10) {
      const auto bytes = batch_of(numbered(next, 10, 1000));
      batch_bytes = bytes.size();
      append(*log, numbered(next, 10, 1000));
    }
    log.reset();  // all that a killed process leaves undone
    log = open_log(place.directory, options);
    CHECK(log->recovery().kind == RecoveryKind::same_run);
    CHECK(log->log_end_offset() == Offset{total});
    CHECK(log->recovery().scanned_bytes <= 2 * batch_bytes + options.index_interval_bytes);
    CHECK(log->size_bytes() > static_cast<std::uint64_t>(total) * 1000);
  }
}

TEST_CASE("what readers have seen stays visible when visibility changes", "[storage][log]") {
  const Place place(true);
  auto options = small_segments(WritePath::mapped);
  options.visible_on_append = true;
  auto log = open_log(place.directory, options);
  append(*log, numbered(0, 3));
  log->roll().value();
  append(*log, numbered(3, 3));
  options.visible_on_append = false;
  log->set_options(options);
  append(*log, numbered(6, 3));
  CHECK(log->high_watermark() == Offset{6});
  log->flush_sealed().value();
  CHECK(log->flushed_offset() == Offset{3});
  CHECK(log->high_watermark() == Offset{6});
  log->flush().value();
  CHECK(log->high_watermark() == Offset{9});
  append(*log, numbered(9, 1));
  options.visible_on_append = true;
  log->set_options(options);
  CHECK(log->high_watermark() == Offset{10});
}

TEST_CASE("an empty log can be cut below its start", "[storage][log]") {
  const Place place(true);
  auto log = open_log(place.directory, small_segments(WritePath::write));
  log->truncate_to(Offset{-1}).value();
  CHECK(log->log_end_offset() == Offset{0});
  append(*log, numbered(0, 3));
  log->flush().value();
  log->delete_before(Offset{3}).value();
  log->truncate_to(Offset{0}).value();
  CHECK(log->log_start_offset() == Offset{3});
  CHECK(log->log_end_offset() == Offset{3});
}

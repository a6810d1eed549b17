// What retention, compaction, truncation and closing do beside appends and readers.
#include <atomic>
#include <functional>
#include <millrace/os/io_hooks.hpp>
#include <millrace/storage/attached_log.hpp>
#include <millrace/storage/file_names.hpp>
#include <thread>

#include "catch.hpp"
#include "fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::AttachedLog;
using storage::LogOptions;
using storage::RecoveryKind;
using storage::WritePath;
using namespace std::chrono_literals;

namespace {

/// A clock that lets something happen when it is asked.
class InterruptedClock final : public Clock {
 public:
  Timestamp now() const noexcept override {
    if (const auto call = std::exchange(on_next_call, nullptr)) call();
    return Timestamp{1'700'000'000'000};
  }
  std::chrono::steady_clock::time_point steady() const noexcept override { return {}; }
  mutable std::function<void()> on_next_call;
};

/// Lets something happen right after the first call that `when` picks.
class AfterCall final : public os::IoHooks {
 public:
  void after(const os::IoCall& call) noexcept override {
    if (armed && when(call) && armed.exchange(false)) then();
  }
  std::atomic<bool> armed{false};
  std::function<bool(const os::IoCall&)> when;
  std::function<void()> then;
};

LogOptions by_os() {
  LogOptions options;
  options.visible_on_append = true;
  return options;
}

/// Records of a year that is long past.
std::vector<PlainRecord> old_records(std::int64_t first, std::size_t count) {
  return numbered(first, count, 100, 1'000'000'000'000);
}

std::vector<PlainRecord> fresh_records(std::int64_t first, std::size_t count) {
  return numbered(first, count, 100, 1'700'000'000'000);
}

}  // namespace

TEST_CASE("retention leaves what is appended while it looks at the active segment",
          "[storage][retention]") {
  const Place place(true);
  const InterruptedClock clock;
  LogOptions options = by_os();
  options.retention_ms = 1h;
  options.segment_ms = std::chrono::milliseconds::max();
  const auto log = open_log(place.directory, options, clock);
  append(*log, old_records(0, 3));
  const auto fresh = fresh_records(3, 2);
  SECTION("to that segment") {
    clock.on_next_call = [&] { append(*log, fresh); };
    CHECK(log->apply_retention().value() == 0);
    CHECK(log->log_start_offset() == Offset{0});
  }
  SECTION("to it and to the next one") {
    clock.on_next_call = [&] {
      append(*log, fresh);
      log->roll().value();
      append(*log, fresh_records(5, 1));
    };
    CHECK(log->apply_retention().value() == 0);
    CHECK(log->log_start_offset() == Offset{0});
  }
  SECTION("to the next one only") {
    clock.on_next_call = [&] {
      log->roll().value();
      append(*log, fresh);
    };
    CHECK(log->apply_retention().value() == 1);
    CHECK(log->log_start_offset() == Offset{3});
  }
  auto found = read_all(*log);
  found.erase(found.begin(), std::find_if(found.begin(), found.end(),
                                          [](const auto& r) { return r.offset >= 3; }));
  found.resize(std::min<std::size_t>(found.size(), 2));
  CHECK(difference(found, fresh) == "");
}

TEST_CASE("an index that is cut while an attachment counts its entries is no danger",
          "[storage][attached]") {
  AfterCall hooks;
  const Place place(false);
  LogOptions options = by_os();
  options.index_interval_bytes = 1;  // an entry a batch
  const auto log = open_log(place.directory, options);
  for (std::int64_t n = 0; n < 20; ++n) append(*log, numbered(n, 1, 4000));
  const auto theirs = os::open_directory(place.temp / "t-0", false, &hooks).value();
  const auto attached = AttachedLog::open(theirs).value();
  const auto segment = attached->segments().value()->segments.front();
  segment->open().value();
  const std::size_t entries = segment->offset_index().file().count();
  CHECK(entries > 10);
  const auto suffix = GENERATE(storage::offset_index_suffix, storage::time_index_suffix);
  hooks.when = [&](const os::IoCall& call) {
    return call.op == os::IoOp::size && call.path.ends_with(suffix);
  };
  hooks.then = [&] { log->roll().value(); };
  hooks.armed = true;
  segment->refresh().value();
  CHECK_FALSE(hooks.armed);
  CHECK(segment->offset_index().file().count() == entries);
}

TEST_CASE("an attachment looks at no byte that a roll may take away", "[storage][attached]") {
  const Place place(false);
  LogOptions options = by_os();
  const auto log = open_log(place.directory, options);
  std::vector<PlainRecord> expected = numbered(0, 10);
  append(*log, expected);
  const auto attached = AttachedLog::open(place.directory).value();
  const auto segment = attached->segments().value()->segments.front();
  segment->open().value();
  const std::uint64_t published = segment->end();
  CHECK(published == attached->control().active_end);
  SECTION("not of what is reserved") {}
  SECTION("not when it is sealed") {
    log->roll().value();
    append(*log, numbered(10, 1));
    segment->refresh().value();
  }
  SECTION("not when its owner was killed before the segment was cut") {
    log->roll().value();
    append(*log, numbered(10, 1));
    auto file =
        place.directory
            ->open(storage::file_name(Offset{0}, storage::log_suffix), os::OpenMode::read_write)
            .value();
    file.resize(1 << 20).value();
    segment->refresh().value();
  }
  CHECK(segment->end() == published);
  CHECK(segment->largest(Offset{1000}).value().offset == Offset{9});
  CHECK(segment->find(Offset{10}).value() == FilePosition{published});
}

TEST_CASE("an attachment follows what is published without asking the system",
          "[storage][attached]") {
  AfterCall hooks;
  const Place place(false);
  const auto log = open_log(place.directory, by_os());
  append(*log, numbered(0, 1));
  const auto attached =
      AttachedLog::open(os::open_directory(place.temp / "t-0", false, &hooks).value()).value();
  storage::LogCursor cursor(*attached, Offset{0});
  CHECK_FALSE(cursor.read(attached->visible_end(), {}).value().empty());
  int calls = 0;
  hooks.when = [&](const os::IoCall&) { return ++calls, false; };
  hooks.armed = true;
  for (std::int64_t n = 1; n < 100; ++n) {
    append(*log, numbered(n, 1));
    CHECK(cursor.read(attached->visible_end(), {}).value().end == Offset{n + 1});
  }
  CHECK(calls == 0);
  // But for what the owner reserves: a few looks for each step, which doubles.
  for (std::int64_t n = 100; n < 10'000; ++n) {
    append(*log, numbered(n, 1));
    REQUIRE(cursor.read(attached->visible_end(), {}).value().end == Offset{n + 1});
  }
  CHECK(calls < 200);
}

TEST_CASE("files keep the length that attachments may have seen when a log is truncated",
          "[storage][attached]") {
  const Place place(false);
  LogOptions options = by_os();
  options.index_interval_bytes = 1;
  auto log = open_log(place.directory, options);
  for (std::int64_t n = 0; n < 1000; ++n) append(*log, numbered(n, 1, 100));
  const auto attached = AttachedLog::open(place.directory).value();
  const auto segment = attached->segments().value()->segments.front();
  segment->open().value();
  log->truncate_to(Offset{5}).value();
  SECTION("and then closed") {
    log->close().value();
  }
  SECTION("and then rolled") {
    log->roll().value();
    append(*log, numbered(5, 1));
    log->close().value();
  }
  // All that was published before can still be touched.
  unsigned sum = 0;
  for (std::uint64_t at = 0; at < segment->end(); ++at) {
    sum += std::to_integer<unsigned>(segment->data()[at]);
  }
  const auto& index = segment->offset_index();
  for (std::size_t i = 0; i < index.file().count(); ++i) {
    sum += static_cast<unsigned>(index.entry(i).position.value());
  }
  CHECK(sum != 0);
  log = open_log(place.directory, options);
  CHECK(log->recovery().kind == RecoveryKind::clean);
  CHECK(log->log_end_offset() >= Offset{5});
  auto found = read_all(*log);
  found.resize(5);
  CHECK(difference(found, numbered(0, 5)) == "");
}

TEST_CASE("compaction goes on after a kill while a segment was sealed", "[storage][compaction]") {
  const Place place(true);
  LogOptions options = by_os();
  options.cleanup_compact = true;
  options.min_cleanable_dirty_ratio = 0;
  auto log = open_log(place.directory, options);
  const auto first = numbered(0, 1).front();
  for (std::int64_t n = 0; n < 3; ++n) append(*log, {first, first});
  log->roll().value();
  append(*log, {first});
  // As a kill leaves it between the roll and the cut of what was reserved.
  const std::string name = storage::file_name(Offset{0}, storage::log_suffix);
  auto file = place.directory->open(name, os::OpenMode::read_write).value();
  file.resize(file.size().value() + 100'000).value();
  log.reset();
  log = open_log(place.directory, options);
  CHECK(log->recovery().kind == RecoveryKind::same_run);
  CHECK(log->compact(true).value() > 0);
  CHECK(log->size_bytes() < 100'000);
  const auto kept = read_all(*log);
  REQUIRE(kept.size() == 2);
  CHECK(kept.front().offset == 5);
  CHECK(kept.back().offset == 6);
}

TEST_CASE("tombstones that are kept for ever stay", "[storage][compaction]") {
  const Place place(true);
  LogOptions options = by_os();
  options.cleanup_compact = true;
  options.min_cleanable_dirty_ratio = 0;
  options.delete_retention = std::chrono::milliseconds::max();
  const auto log = open_log(place.directory, options);
  PlainRecord tombstone = numbered(0, 1).front();
  tombstone.value.reset();
  append(*log, {tombstone});
  for (int pass = 0; pass < 3; ++pass) {
    log->roll().value();
    append(*log, numbered(100 + pass, 1));
    log->compact(true).value();
    CHECK(read_all(*log).front().offset == 0);
  }
}

TEST_CASE("closing beside appends leaves a log that is known to be whole", "[storage][close]") {
  const Place place(false);
  LogOptions options = by_os();
  options.visible_on_append = GENERATE(true, false);
  for (int round = 0; round < 20; ++round) {
    auto log = open_log(place.directory, options);
    CHECK(log->recovery().kind != RecoveryKind::scanned);
    std::atomic<bool> running{false};
    std::thread appender([&] {
      const auto record = numbered(0, 1).front();
      for (;;) {
        auto done = log->append_record(Timestamp{1}, viewed(record.key), viewed(record.value));
        if (!done) break;
        running = true;
        static_cast<void>(log->flush());
      }
    });
    while (!running) std::this_thread::yield();
    log->close().value();
    appender.join();
    const Offset end = log->log_end_offset();
    CHECK(log->flushed_offset() == end);
    CHECK(log->high_watermark() == end);
    for (int again = 0; again < 2; ++again) {
      log = open_log(place.directory, options);
      CHECK(log->recovery().kind == RecoveryKind::clean);
      CHECK(log->log_end_offset() == end);
      log->close().value();
    }
  }
}

TEST_CASE("what is found after a failed sync is written again", "[storage][recovery]") {
  // A page that somebody has mapped stays in the cache, marked as if the sync had written it.
  AfterCall hooks;
  const Place place(false, &hooks);
  auto log = open_log(place.directory, by_os());
  const auto records = numbered(0, 10);
  append(*log, records);
  log->mutable_control().state = static_cast<std::uint32_t>(storage::ControlState::failed);
  log.reset();
  std::uint64_t written = 0;
  hooks.when = [&](const os::IoCall& call) {
    if (call.op == os::IoOp::write && call.path.ends_with(storage::log_suffix)) {
      written += call.length;
    }
    return false;
  };
  hooks.armed = true;
  log = open_log(place.directory, by_os());
  CHECK(log->recovery().kind == RecoveryKind::scanned);
  CHECK(difference(read_all(*log), records) == "");
  CHECK(written == log->control().active_end);
}

TEST_CASE("with append times, a sender's clock rolls nothing", "[storage][log]") {
  const Place place(true);
  const InterruptedClock clock;
  LogOptions options = by_os();
  options.timestamp_type = record::TimestampType::log_append_time;
  options.segment_ms = 1h;
  const auto log = open_log(place.directory, options, clock);
  append(*log, numbered(0, 1, 100, 0));
  append(*log, numbered(1, 1, 100, 1'700'000'000'000'000));
  CHECK(log->segments().value()->segments.size() == 1);
}

TEST_CASE("a flush under way takes nothing back when appends stop being visible at once",
          "[storage][flush]") {
  AfterCall hooks;
  const Place place(false, &hooks);
  LogOptions options = by_os();
  options.write_path = WritePath::write;
  const auto log = open_log(place.directory, options);
  append(*log, numbered(0, 3));
  hooks.when = [](const os::IoCall& call) {
    return call.op == os::IoOp::sync_data && call.path.ends_with(storage::log_suffix);
  };
  hooks.then = [&] {
    append(*log, numbered(3, 2));
    LogOptions strict = log->options();
    strict.visible_on_append = false;
    log->set_options(strict);
  };
  hooks.armed = true;
  CHECK(log->flush().value() == Offset{3});
  CHECK_FALSE(hooks.armed);
  CHECK(log->high_watermark() == Offset{5});
}
